/*
 * A set of public keys (RFC 7517), immutable once made. Keys that we could not
 * use (other types, curves, uses, algorithms) are left out; a set that is
 * malformed, holds private members, or names one kid twice is refused.
 */
#ifndef JOSE_JWKS_H
#define JOSE_JWKS_H

#include <stddef.h>

#include "base/buf.h"
#include <meshauth/err.h>
#include <meshauth/key.h>

enum {
    JWKS_KEYS = 64,
    JWKS_MAX = 256 << 10, /* bytes of JSON */
    JWKS_THUMBPRINT = 43  /* characters */
};

struct jwks;
MAUTH_MUST_USE enum mauth_rc jwks_parse(
    struct text json, struct jwks **out, struct mauth_err *err);
void jwks_free(struct jwks *s);
size_t jwks_count(const struct jwks *s);

/* A key that is to be published. */
struct jwks_entry {
    const struct mauth_key *key;
    const char *kid;         /* NULL: none */
    struct text certificate; /* X.509, DER, its "x5c"; empty: none */
};

/* A set of keys that verify signatures, as JSON; malloc, the caller frees. */
MAUTH_MUST_USE enum mauth_rc jwks_write(
    const struct jwks_entry *entries, size_t count, char **out, struct mauth_err *err);

/* The thumbprint of a key (RFC 7638, SHA-256), as "jkt" in confirmations has it. */
MAUTH_MUST_USE enum mauth_rc jwks_thumbprint(
    const struct mauth_key *key, char out[JWKS_THUMBPRINT + 1], struct mauth_err *err);

/* A set of one: the public half of a PEM key, as JSON; malloc, the caller frees. */
MAUTH_MUST_USE enum mauth_rc jwks_from_pem(
    const char *pem, const char *kid, char **out, struct mauth_err *err);

#endif
