/*
 * The trust authority's record in the store: sealed seed, epoch, the root's note. One is
 * in force; another may wait for the root's signature.
 */
#ifndef STORE_AUTHORITY_H
#define STORE_AUTHORITY_H

#include "keys/delegation.h"
#include "store/keystore.h"

/*
 * Read it. *out owns its seed and its delegation: authority_clear() it, also after a
 * failure. (It is written by keystore_authority_put().)
 *
 * MAUTH_UNAVAILABLE  there is none, or it is damaged
 * MAUTH_DENIED       it does not open
 */
MAUTH_MUST_USE enum mauth_rc authority_load(struct kv_txn *txn,
    const struct mauth_secret *seal, struct keystore_authority *out,
    struct mauth_err *err);

/*
 * The one that waits, whose delegation is the text that the root is to sign. *out as
 * above. MAUTH_NOT_FOUND (not noted in err): none does.
 */
MAUTH_MUST_USE enum mauth_rc authority_load_pending(struct kv_txn *txn,
    const struct mauth_secret *seal, struct keystore_authority *out,
    struct mauth_err *err);
/* It waits, in the place of another; the one in force stays. */
MAUTH_MUST_USE enum mauth_rc authority_put_pending(struct kv_txn *txn,
    const struct mauth_secret *seal, const struct keystore_authority *a,
    const uint8_t nonce[12], struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc authority_drop_pending(
    struct kv_txn *txn, struct mauth_err *err);

/*
 * In a store that was restored from a backup the authority is not good any more: what it
 * would sign is not what it has signed since. Until another is in its place, and
 * authority_resume() says so, keystore_load() fails with MAUTH_UNAVAILABLE.
 */
MAUTH_MUST_USE enum mauth_rc authority_suspend(
    struct kv_txn *txn, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc authority_resume(
    struct kv_txn *txn, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc authority_is_suspended(
    struct kv_txn *txn, bool *out, struct mauth_err *err);

/* Of the one in force, without opening it. */
MAUTH_MUST_USE enum mauth_rc authority_epoch(
    struct kv_txn *txn, uint64_t *out, struct mauth_err *err);

/* Frees and wipes. */
void authority_clear(struct keystore_authority *a);

/* What the root has said of it, or is to say; slices of a's delegation. */
MAUTH_MUST_USE enum mauth_rc authority_read(
    const struct keystore_authority *a, struct delegation *out, struct mauth_err *err);

#endif
