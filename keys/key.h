/* What our own code may do with a public key beyond <meshauth/key.h>. */
#ifndef KEYS_KEY_H
#define KEYS_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include <meshauth/key.h>

/* The two algorithms of the profile; a key has one, messages never choose. */
enum key_alg {
    KEY_ECDSA_SHA256, /* on P-256; r and s, 32 bytes each, s in the lower half */
    KEY_RSA_SHA256,   /* PKCS#1 v1.5, as long as the modulus */
};

enum {
    KEY_SIGNATURE_MAX = 512
};

enum key_alg key_alg(const struct mauth_key *key);

/* "ecdsa-sha256", as in trust files and at the end of the XML-DSig URI. */
const char *key_alg_name(enum key_alg alg);

/* Are they the same public key? */
MAUTH_MUST_USE bool key_equal(const struct mauth_key *a, const struct mauth_key *b);
/* Another of the same, the caller's to free. */
MAUTH_MUST_USE enum mauth_rc key_copy(
    const struct mauth_key *key, struct mauth_key **out, struct mauth_err *err);

/*
 * Check a raw signature over the pieces, one after the other.
 * MAUTH_REASON_SIGNATURE for each way in which it can be wrong.
 */
MAUTH_MUST_USE enum mauth_rc key_check(const struct mauth_key *key,
    const struct text *pieces, size_t count, const uint8_t *signature, size_t len,
    struct mauth_err *err);

/*
 * Is this an SPKI that a ticket may carry? By its bytes alone, without
 * arithmetic: what a trusted issuer signed is only checked for its one form.
 */
MAUTH_MUST_USE bool key_spki_is_well_formed(const uint8_t *der, size_t len);

#endif
