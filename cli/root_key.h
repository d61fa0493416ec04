/*
 * The root's verifier key, as it is typed (--root VKEY) and as it is compared by people.
 */
#ifndef CLI_ROOT_KEY_H
#define CLI_ROOT_KEY_H

#include "cli/command.h"
#include "keys/note.h"

/* VKEY is a verifier key, or a file that holds one; what is wrong is said. */
enum command_exit root_key_take(
    const struct call *call, const char *value, struct note_verifier *out);

/*
 * Read a file that holds one, and perhaps a newline.
 *
 * MAUTH_MALFORMED  it holds none
 */
MAUTH_MUST_USE enum mauth_rc root_key_read(
    const char *path, struct note_verifier *out, struct mauth_err *err);

#endif
