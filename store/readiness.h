/*
 * What the services that check tickets have really loaded, as their updaters report it:
 * a record for each, of its last report. Inside a transaction.
 *
 * A service lacks a key when the trust file that it has loaded is earlier than the first
 * that listed the key. Whoever has said nothing for a day is waited for no more.
 */
#ifndef STORE_READINESS_H
#define STORE_READINESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/id.h"
#include "keys/trust_place.h"
#include "store/kv.h"

enum {
    READINESS_DAY_S = 86400
};

struct readiness {
    struct id service;
    struct trust_place loaded;
    uint8_t hash[HASH_LEN]; /* of that file */
    bool is_strange;        /* we published no such file */
    int64_t since_s;        /* when it said so first */
    int64_t seen_s;         /* and last */
};

/* Does it hold up a key that this file was the first to list (0.0: none has yet)? */
MAUTH_MUST_USE bool readiness_lacks(
    const struct readiness *r, struct trust_place listed, int64_t now_s);

/* MAUTH_NOT_FOUND: there is no such service (any more); nothing is put. */
MAUTH_MUST_USE enum mauth_rc readiness_put(
    struct kv_txn *txn, const struct readiness *r, struct mauth_err *err);

/* MAUTH_OK also when it has none. */
MAUTH_MUST_USE enum mauth_rc readiness_forget(
    struct kv_txn *txn, const struct id *service, struct mauth_err *err);

/* All of them, in the order of ids: the caller's to free(), never NULL on success. */
MAUTH_MUST_USE enum mauth_rc readiness_take(
    struct kv_txn *txn, struct readiness **out, size_t *count, struct mauth_err *err);

#endif
