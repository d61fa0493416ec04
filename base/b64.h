/*
 * Base64 (RFC 4648), strict: one spelling for each string of bytes. No white
 * space, no missing or extra padding, unused bits zero.
 */
#ifndef BASE_B64_H
#define BASE_B64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <meshauth/api.h>

enum b64_kind {
    B64_STD, /* section 4, with padding */
    B64_URL, /* section 5, without padding */
};

size_t b64_encoded_len(enum b64_kind kind, size_t len);
size_t b64_decoded_max(size_t len); /* an upper bound, for sizing */

/* Writes b64_encoded_len() characters, no terminator; returns their number. */
size_t b64_encode(enum b64_kind kind, const void *data, size_t len, char *out);

/* False, with *out_len zero, unless text is well formed and fits into cap. */
MAUTH_MUST_USE bool b64_decode(enum b64_kind kind, const char *text, size_t len,
    void *out, size_t cap, size_t *out_len);

#endif
