/* The trust authority's record in the store: sealed seed, epoch, the root's note. */
#ifndef STORE_AUTHORITY_H
#define STORE_AUTHORITY_H

#include "store/keystore.h"

/*
 * Read it. *out owns its delegation: authority_clear() it, also after a failure.
 * (It is written by keystore_authority_put().)
 *
 * MAUTH_UNAVAILABLE  there is none, or it is damaged
 * MAUTH_DENIED       it does not open
 */
MAUTH_MUST_USE enum mauth_rc authority_load(struct kv_txn *txn,
    const struct mauth_secret *seal, struct keystore_authority *out,
    struct mauth_err *err);

/* Frees and wipes. */
void authority_clear(struct keystore_authority *a);

#endif
