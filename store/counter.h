/* Numbers in the store that only grow. Inside a transaction. */
#ifndef STORE_COUNTER_H
#define STORE_COUNTER_H

#include "store/key.h"
#include "store/kv.h"

/* 0 before the first. MAUTH_UNAVAILABLE: damaged. */
MAUTH_MUST_USE enum mauth_rc counter_read(
    struct kv_txn *txn, enum store_space space, uint64_t *out, struct mauth_err *err);

/* Adds one; *out is the new number. Fails as counter_read() does. */
MAUTH_MUST_USE enum mauth_rc counter_next(
    struct kv_txn *txn, enum store_space space, uint64_t *out, struct mauth_err *err);

/* For one that takes more than a step. */
MAUTH_MUST_USE enum mauth_rc counter_set(
    struct kv_txn *txn, enum store_space space, uint64_t to, struct mauth_err *err);

#endif
