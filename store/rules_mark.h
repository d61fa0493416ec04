/*
 * Which rules are in force: their hash, in the store, so that a proof and a change are
 * made by the rules that their own transaction shows. Inside a transaction.
 */
#ifndef STORE_RULES_MARK_H
#define STORE_RULES_MARK_H

#include "base/hash.h"
#include "store/kv.h"

/* MAUTH_OK: these are in force; MAUTH_CONFLICT (not noted in err): others are, or none. */
MAUTH_MUST_USE enum mauth_rc rules_mark_check(
    struct kv_txn *txn, const uint8_t hash[HASH_LEN], struct mauth_err *err);

/* Those of a new store, before which there was nothing to revoke. */
MAUTH_MUST_USE enum mauth_rc rules_mark_first(
    struct kv_txn *txn, const uint8_t hash[HASH_LEN], struct mauth_err *err);

/*
 * They are from now on. It makes a state of the graph and revokes every ticket from
 * before it: others had proven them. *changed is false when they were in force already.
 */
MAUTH_MUST_USE enum mauth_rc rules_mark_set(struct kv_txn *txn,
    const uint8_t hash[HASH_LEN], bool *changed, struct mauth_err *err);

#endif
