/*
 * The key that signs the service's SAML metadata: it stands apart from the keys that sign
 * tickets, lives long, and is pinned by whoever reads the metadata. At rest, sealed.
 */
#ifndef STORE_METADATA_KEY_H
#define STORE_METADATA_KEY_H

#include "base/buf.h"
#include "base/secret.h"
#include "store/kv.h"
#include <meshauth/err.h>
#include <meshauth/key.h>

struct metadata_key {
    char id[MAUTH_KEY_ID_LEN + 1];
    struct buf certificate; /* self-signed (keys/key_certificate.h), without an end */
    struct buf pkcs8;
};

/* An empty one; and its end: frees and wipes. */
void metadata_key_init(struct metadata_key *k);
void metadata_key_clear(struct metadata_key *k);

/* A new one on P-256, good from now_s. k is cleared by the caller also after a failure,
 * as below. */
MAUTH_MUST_USE enum mauth_rc metadata_key_make(
    struct metadata_key *k, int64_t now_s, struct mauth_err *err);

/* Write it, in the place of any other. nonce comes from outside: 12 random bytes, used
 * once. */
MAUTH_MUST_USE enum mauth_rc metadata_key_put(struct kv_txn *txn,
    const struct mauth_secret *seal, const struct metadata_key *k,
    const uint8_t nonce[12], struct mauth_err *err);

/*
 * MAUTH_NOT_FOUND    there is none yet (not noted in err)
 * MAUTH_DENIED       it was not sealed so by this seal key
 * MAUTH_UNAVAILABLE  damaged
 */
MAUTH_MUST_USE enum mauth_rc metadata_key_read(struct kv_txn *txn,
    const struct mauth_secret *seal, struct metadata_key *k, struct mauth_err *err);

#endif
