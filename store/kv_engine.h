/*
 * What an engine does for store/kv: transactions, nothing of jobs and threads.
 * Write transactions come from one thread, one at a time; reads from any.
 */
#ifndef STORE_KV_ENGINE_H
#define STORE_KV_ENGINE_H

#include "store/kv.h"

struct kv_txn {
    const struct kv_engine *engine;
    void *state;  /* the engine's */
    void *handle; /* the engine's transaction */
    bool write;
    bool again;     /* it failed for a cause that a further run may not meet */
    size_t changes; /* puts and deletes */
};

struct kv_engine {
    const char *scheme; /* of the URL, without the colon */
    /* where is what follows the colon. */
    enum mauth_rc (*open)(
        struct text where, enum kv_mode mode, void **state, struct mauth_err *err);
    void (*close)(void *state);
    const char *(*folder)(const void *state);
    /* How many bytes are free where it lies; UINT64_MAX when nobody can say. */
    uint64_t (*room)(void *state);
    /* Sets txn->handle; the rest of txn is set already. */
    enum mauth_rc (*begin)(struct kv_txn *txn, struct mauth_err *err);
    /* Ends it either way; only a write is committed. txn->again: what made it fail is
     * mended. Any other failure may have been durable all the same. */
    enum mauth_rc (*commit)(struct kv_txn *txn, struct mauth_err *err);
    /* Ends it. Mends what made it fail, where put or remove has set txn->again; clears
     * it when that cannot be done. */
    void (*abort)(struct kv_txn *txn);
    enum mauth_rc (*get)(
        struct kv_txn *txn, struct text key, struct text *value, struct mauth_err *err);
    enum mauth_rc (*put)(
        struct kv_txn *txn, struct text key, struct text value, struct mauth_err *err);
    enum mauth_rc (*remove)(struct kv_txn *txn, struct text key, struct mauth_err *err);
    enum mauth_rc (*scan)(struct kv_txn *txn, struct text first, struct text end,
        enum kv_order order, kv_each *each, void *arg, struct mauth_err *err);
};

extern const struct kv_engine kv_lmdb;

#endif
