/* A device's key for one account, and the certificate that shows it in TLS. */
#ifndef CLI_DEVICE_KEY_H
#define CLI_DEVICE_KEY_H

#include "base/buf.h"
#include <meshauth/err.h>
#include <meshauth/key.h>

/*
 * Make both files as far as they are missing: what is there stays.
 *
 * MAUTH_DENIED     others may read the key
 * MAUTH_MALFORMED  the key's file holds none
 */
MAUTH_MUST_USE enum mauth_rc device_key_make(
    const char *key_file, const char *certificate_file, struct mauth_err *err);

/*
 * The key that lies there, or a new one: its private half is then appended to pem, a
 * buffer for secrets, for device_key_put() once it is needed.
 */
MAUTH_MUST_USE enum mauth_rc device_key_prepare(const char *key_file, struct buf *pem,
    struct mauth_key **out, struct mauth_err *err);

/* Put it there; where one is meanwhile, that stays. */
MAUTH_MUST_USE enum mauth_rc device_key_put(
    const char *key_file, struct text pem, struct mauth_err *err);

/* The key that the certificate shows. MAUTH_MALFORMED: there is none in it. */
MAUTH_MUST_USE enum mauth_rc device_key_load(
    const char *certificate_file, struct mauth_key **out, struct mauth_err *err);

#endif
