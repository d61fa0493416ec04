/*
 * What the processes of a service have really loaded: the status files that libmeshauth
 * keeps for them in a folder (verifier/loaded.h), of which the oldest counts.
 */
#ifndef UPDATER_LOWEST_H
#define UPDATER_LOWEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include <meshauth/err.h>

struct lowest {
    size_t
        processes; /* that live and have loaded something; 0: the rest says nothing */
    uint64_t epoch;
    uint64_t sequence;
    char hash[2 * HASH_LEN + 1]; /* of the trust file's bytes */
};

/*
 * Files of processes that have ended, or that are not of the form, are passed over.
 *
 * MAUTH_NOT_FOUND    there is no such folder: the service has not been there yet
 * MAUTH_UNAVAILABLE  it cannot be read, or what a living process says in it
 */
MAUTH_MUST_USE enum mauth_rc lowest_read(
    const char *dir, struct lowest *out, struct mauth_err *err);

#endif
