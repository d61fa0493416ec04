/*
 * A public key: of an issuer that signs tickets, or of a device that holds
 * them. P-256 on its named curve, or RSA of 2048 to 4096 bits; each key has one
 * encoding (SubjectPublicKeyInfo, RFC 5280), which is checked.
 *
 * Immutable once made: share it between threads freely.
 */
#ifndef MESHAUTH_KEY_H
#define MESHAUTH_KEY_H

#include <stddef.h>
#include <stdint.h>

#include <meshauth/err.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mauth_key;

enum {
    MAUTH_KEY_ID_LEN = 16, /* hex digits: the first of SHA-256(SPKI) */
    MAUTH_SPKI_MAX = 566,  /* bytes of the longest SPKI that is accepted */
};

/*
 * From DER, which is not kept.
 *
 * MAUTH_MALFORMED  not the one encoding of a key of these kinds, or a point that
 *                  is not on the curve
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_key_from_spki(
    const void *der, size_t len, struct mauth_key **out, struct mauth_err *err);

/* From PEM: the first PUBLIC KEY or CERTIFICATE block in it. */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_key_from_pem(
    const char *pem, size_t len, struct mauth_key **out, struct mauth_err *err);

/*
 * From an X.509 certificate in DER, such as a TLS client showed. Only its key
 * is looked at: its chain, dates and names are never judged.
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_key_from_certificate(
    const void *der, size_t len, struct mauth_key **out, struct mauth_err *err);

MAUTH_API void mauth_key_free(struct mauth_key *key);

/* The one encoding; belongs to the key. */
MAUTH_API const uint8_t *mauth_key_spki(const struct mauth_key *key, size_t *len);

/* Sixteen lower-case hex digits; belongs to the key. */
MAUTH_API const char *mauth_key_id(const struct mauth_key *key);

#ifdef __cplusplus
}
#endif

#endif
