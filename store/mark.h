/*
 * What was in force last: the hash of a file, in a space of its own, so that whoever loads
 * the file can tell whether it has changed. Inside a transaction.
 */
#ifndef STORE_MARK_H
#define STORE_MARK_H

#include "base/hash.h"
#include "store/key.h"

/* MAUTH_OK: it is this one; MAUTH_CONFLICT (not noted in err): another, or none yet. */
MAUTH_MUST_USE enum mauth_rc mark_check(struct kv_txn *txn, enum store_space space,
    const uint8_t hash[HASH_LEN], struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc mark_put(struct kv_txn *txn, enum store_space space,
    const uint8_t hash[HASH_LEN], struct mauth_err *err);

#endif
