/* SHA-256 (FIPS 180-4), over pieces one after the other. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include <meshauth/err.h>

enum {
    HASH_LEN = 32
};

MAUTH_MUST_USE enum mauth_rc hash_sha256(const struct text *pieces, size_t count,
    uint8_t out[HASH_LEN], struct mauth_err *err);
/* Of one piece. */
MAUTH_MUST_USE enum mauth_rc hash_bytes(
    const void *data, size_t len, uint8_t out[HASH_LEN], struct mauth_err *err);

#endif
