/*
 * JSON Web Signatures (RFC 7515) in compact form, verified on cjose behind our
 * own allow-list: RS256 and ES256, the algorithm fixed by the key, no critical
 * headers, no keys or addresses of keys in the token.
 */
#ifndef JOSE_JWS_H
#define JOSE_JWS_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "jose/jwks.h"
#include <meshauth/err.h>
#include <meshauth/key.h>

enum {
    JWS_MAX = 16384 /* characters of a token */
};

/* Why a token was refused; names are stable, they go on record. */
enum jws_refusal {
    JWS_FINE = 0,
    JWS_FORM,   /* not a compact JWS with JSON header and claims */
    JWS_ALG,    /* none, HMAC, unknown, or not the key's */
    JWS_HEADER, /* crit, jku, jwk, x5u, x5c, b64, ... */
    JWS_KEY,    /* no such kid (the keys may be stale) */
    JWS_SIGNATURE,
};

/* A token taken apart, nothing of it trusted yet. */
struct jws;
MAUTH_MUST_USE enum mauth_rc jws_parse(
    struct text token, struct jws **out, enum jws_refusal *why, struct mauth_err *err);
void jws_free(struct jws *j);

/*
 * The same for a DPoP proof (RFC 9449 4.2): its type must be dpop+jwt, and its
 * header holds the key that it is to be verified with.
 */
MAUTH_MUST_USE enum mauth_rc jws_parse_proof(
    struct text token, struct jws **out, enum jws_refusal *why, struct mauth_err *err);

/* "iss" of the claims, untrusted: only to find out whose keys to use; NULL: none. */
const char *jws_untrusted_issuer(const struct jws *j);

/* All claims, untrusted: for whom something else vouches for them. Belongs to j. */
const json_t *jws_untrusted_claims(const struct jws *j);

/*
 * Verify with the key of the set that the token names (or the only one that
 * fits, when it names none). On MAUTH_OK *claims belongs to j.
 */
MAUTH_MUST_USE enum mauth_rc jws_verify(struct jws *j, const struct jwks *keys,
    const json_t **claims, enum jws_refusal *why, struct mauth_err *err);

/* The same with this one key, whatever name the token has for it. */
MAUTH_MUST_USE enum mauth_rc jws_verify_with(struct jws *j, const struct mauth_key *key,
    const json_t **claims, enum jws_refusal *why, struct mauth_err *err);

/*
 * Verify a proof with the key in its header. On MAUTH_OK *claims and *spki, that
 * key (SubjectPublicKeyInfo), belong to j.
 */
MAUTH_MUST_USE enum mauth_rc jws_verify_proof(struct jws *j, const json_t **claims,
    struct text *spki, enum jws_refusal *why, struct mauth_err *err);

/* Make one: claims signed by a PKCS#8 PEM key (P-256: ES256, RSA: RS256). malloc. */
MAUTH_MUST_USE enum mauth_rc jws_sign(const json_t *claims, const char *pem,
    const char *kid, char **out, struct mauth_err *err);

/* The same of the type dpop+jwt, with the public half of the key in its header. */
MAUTH_MUST_USE enum mauth_rc jws_sign_proof(
    const json_t *claims, const char *pem, char **out, struct mauth_err *err);

#endif
