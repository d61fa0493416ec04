/*
 * One JSON Web Key (RFC 7517, 7518) of the two kinds that we take: P-256 for
 * ES256, RSA of 2048 to 4096 bits for RS256. For jwks.c, jws.c and dpop.c only.
 */
#ifndef JOSE_JWK_H
#define JOSE_JWK_H

#include <stdbool.h>
#include <stddef.h>

#include <cjose/jwk.h>
#include <jansson.h>

#include "base/buf.h"
#include <meshauth/err.h>

enum {
    JWK_KID_MAX = 256,       /* bytes */
    JWK_SIGNATURE_MAX = 512, /* bytes, of an RSA key of 4096 bits */
};

struct jwks;
struct mauth_key;
struct signer;

struct jwk {
    char *kid;            /* NULL: none */
    const char *alg;      /* the only one it verifies: "ES256" or "RS256"; static */
    size_t signature_len; /* of each signature of this key */
    cjose_jwk_t *key;     /* only read once made, so threads may share it */
    struct buf spki;      /* the same key as SubjectPublicKeyInfo (DER) */
};

/*
 * From one member of "keys".
 *
 * MAUTH_OK with out->key NULL  in order, but not of our kinds or not for signing
 * MAUTH_MALFORMED              not a public JSON Web Key
 *
 * out->kid is set in both of the good cases; jwk_clear() frees what is there.
 */
MAUTH_MUST_USE enum mauth_rc jwk_parse(
    const json_t *json, struct jwk *out, struct mauth_err *err);
void jwk_clear(struct jwk *k);

/* The i-th key of a set, i < jwks_count(); belongs to the set. */
const struct jwk *jwks_at(const struct jwks *s, size_t i);

/* The members that make up a key: kty, and crv, x, y or n, e. json_decref() frees it. */
MAUTH_MUST_USE enum mauth_rc jwk_write(
    const struct mauth_key *key, json_t **out, struct mauth_err *err);

/* A signer from unencrypted PKCS#8 in PEM; MAUTH_MALFORMED for anything else. */
MAUTH_MUST_USE enum mauth_rc jwk_signer(
    const char *pem, struct signer **out, struct mauth_err *err);

#endif
