/* A verifier key in a file of its own, as root.vkey holds the root's. */
#ifndef KEYS_NOTE_FILE_H
#define KEYS_NOTE_FILE_H

#include "keys/note.h"

/*
 * The key and perhaps a newline.
 *
 * MAUTH_NOT_FOUND, MAUTH_UNAVAILABLE  as of file_read()
 * MAUTH_MALFORMED                     something else is in it
 */
MAUTH_MUST_USE enum mauth_rc note_file_read(
    const char *path, struct note_verifier *out, struct mauth_err *err);

/* Replace the file, or make it. Everybody may read it. */
MAUTH_MUST_USE enum mauth_rc note_file_write(
    const char *path, const struct note_verifier *v, struct mauth_err *err);

#endif
