/*
 * Secrets at rest: AES-256-GCM under the seal key. What a secret belongs to (which
 * key, which window) is bound to it as additional data: moved to another record, it
 * does not open.
 */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include <stdint.h>

#include "base/buf.h"
#include "base/secret.h"
#include <meshauth/err.h>

enum {
    SEAL_KEY = 32,
    SEAL_NONCE = 12,
    SEAL_TAG = 16,
    SEAL_SECRET_MAX = 16384 /* bytes that are sealed at once */
};

/*
 * Appends nonce, cipher text and tag to a record, as its last field. The nonce is random.
 * What kind of record it is and what it holds so far is bound to the secret.
 */
MAUTH_MUST_USE enum mauth_rc seal_wrap(const struct mauth_secret *seal,
    const uint8_t nonce[SEAL_NONCE], struct text kind, struct text secret,
    struct buf *record, struct mauth_err *err);

/*
 * Appends the secret of such a field to a buffer that holds secrets; before is what the
 * record has in front of the field.
 *
 * MAUTH_DENIED  not sealed by this key for what is bound, or altered
 */
MAUTH_MUST_USE enum mauth_rc seal_unwrap(const struct mauth_secret *seal,
    struct text kind, struct text before, struct text sealed, struct buf *out,
    struct mauth_err *err);

#endif
