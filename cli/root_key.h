/* The root's verifier key, as it is typed: --root VKEY. */
#ifndef CLI_ROOT_KEY_H
#define CLI_ROOT_KEY_H

#include "cli/command.h"
#include "keys/note.h"

/* VKEY is a verifier key, or a file that holds one; what is wrong is said. */
enum command_exit root_key_take(
    const struct call *call, const char *value, struct note_verifier *out);

#endif
