/*
 * The root's note in a trust file: which authority may sign trust for an issuer,
 * in which epoch and when.
 */
#ifndef KEYS_DELEGATION_H
#define KEYS_DELEGATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "keys/note.h"

struct delegation {
    struct text issuer; /* slice of the note */
    uint64_t epoch;
    struct note_verifier authority;
    int64_t from_s;
    int64_t until_s;
};

/*
 * Read the text of the note, whose signature is the caller's to check.
 *
 * MAUTH_MALFORMED  not of the form
 * MAUTH_UNTRUSTED  the authority's name is not the issuer's
 */
MAUTH_MUST_USE enum mauth_rc delegation_read(
    struct text note, struct delegation *out, struct mauth_err *err);

/* Does its window hold for this moment? */
MAUTH_MUST_USE bool delegation_holds(const struct delegation *d, int64_t at_s);

/* Is v's name the issuer without https://, and suffix ("/root", "/authority")? */
MAUTH_MUST_USE bool delegation_is_named(
    const struct note_verifier *v, struct text issuer, const char *suffix);

#endif
