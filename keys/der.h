/* The few forms of DER (X.690) that keys and signatures need, strictly. */
#ifndef KEYS_DER_H
#define KEYS_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include <meshauth/api.h>

enum {
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_SEQUENCE = 0x30
};

enum {
    DER_P256_LEN = 91,     /* bytes of a P-256 SPKI, of which the last 64 are x and y */
    DER_P256_PREFIX = 27,  /* bytes before x; the same for every key */
    DER_ECDSA_RAW = 64,    /* r and s */
    DER_ECDSA_DER_MAX = 72 /* the same as SEQUENCE { INTEGER, INTEGER } */
};

/* Is it the SPKI of a P-256 key: named curve, uncompressed point? (The point is
 * not checked to lie on the curve.) */
MAUTH_MUST_USE bool der_is_p256(const uint8_t *der, size_t len);

/*
 * Is it the SPKI of an RSA key: NULL parameters, a modulus of 2048 to 4096 bits
 * (its length in bytes in *modulus), an odd exponent of 3 to 32 bits?
 */
MAUTH_MUST_USE bool der_is_rsa(const uint8_t *der, size_t len, size_t *modulus);

/* The SPKI of the P-256 key x || y; whether it is on the curve is not looked at. */
void der_make_p256(const uint8_t xy[64], uint8_t out[DER_P256_LEN]);

/* The SPKI of an RSA key, appended; n and e big-endian without zeros in front. */
void der_make_rsa(
    const uint8_t *n, size_t n_len, const uint8_t *e, size_t e_len, struct buf *out);

/* One element, appended: its tag, its length, and content; of an INTEGER the number that
 * lies there big-endian. A content that failed fails b, too. */
void der_put_element(struct buf *b, uint8_t tag, const struct buf *content);
void der_put_integer(struct buf *b, const uint8_t *x, size_t len);

/*
 * ECDSA on P-256: from r || s to DER. False when r or s is not in 1 to n-1, or s
 * is in the upper half (one signature, one form).
 */
MAUTH_MUST_USE bool der_from_raw(
    const uint8_t raw[DER_ECDSA_RAW], uint8_t out[DER_ECDSA_DER_MAX], size_t *len);

/* And back, choosing the s of the lower half. False unless der is strict. */
MAUTH_MUST_USE bool der_to_raw(
    const uint8_t *der, size_t len, uint8_t raw[DER_ECDSA_RAW]);

/* r || s as others made it: takes the s of the lower half. False when r or s is not in 1
 * to n-1. */
MAUTH_MUST_USE bool der_lower_s(uint8_t raw[DER_ECDSA_RAW]);

#endif
