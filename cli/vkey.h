/* A verifier key as people give it. */
#ifndef CLI_VKEY_H
#define CLI_VKEY_H

#include "cli/command.h"
#include "keys/note.h"

/* The option's value: a verifier key, or a file that holds one. Says itself what is
 * wrong. */
enum command_exit vkey_read(
    const struct call *call, size_t option, struct note_verifier *out);

#endif
