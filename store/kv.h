/*
 * The store: ordered keys, byte values, transactions, range scans. An engine
 * behind it is chosen by URL: "lmdb:DIR".
 *
 * A transaction is a function. A write function may run more than once, so it
 * touches nothing outside its own result; what it needs (ids, salts, times,
 * signatures) comes in with arg. It decides before its first put; then it puts
 * the change and its record, or the record of the refusal, and returns MAUTH_OK
 * (a refusal is said in its result). Any other code undoes all that it put. It
 * begins no other transaction.
 *
 * A write that fails with MAUTH_UNAVAILABLE has most likely left nothing behind;
 * when it was the disk that failed, nobody can say.
 *
 * Reads last at most a second; what they find is copied out. All functions are
 * safe from any thread; a transaction is used only by the thread it runs in.
 */
#ifndef STORE_KV_H
#define STORE_KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include <meshauth/err.h>

struct kv;
struct kv_txn;

enum {
    KV_KEY_MAX = 511,
    KV_SCHEMA = 1 /* how this version lays a store out */
};

enum kv_mode {
    KV_OPEN,   /* there must be a store; takes the writers' lock */
    KV_CREATE, /* there must be none; takes the writers' lock */
    KV_READ, /* there must be one; beside whoever writes, and nothing can be written */
};

/*
 * MAUTH_CONFLICT     one is there already (KV_CREATE), or another process has
 *                    it open for writing ("meshauthd is running")
 * MAUTH_UNAVAILABLE  no store there, a newer schema version, or the disk
 */
MAUTH_MUST_USE enum mauth_rc kv_open(
    const char *url, enum kv_mode mode, struct kv **out, struct mauth_err *err);

/* Waits until all submitted jobs are done. NULL is fine. */
void kv_close(struct kv *kv);

typedef enum mauth_rc kv_fn(struct kv_txn *txn, void *arg, struct mauth_err *err);

/* Runs fn in a read transaction and returns what it returns. */
MAUTH_MUST_USE enum mauth_rc kv_read(
    struct kv *kv, kv_fn *fn, void *arg, struct mauth_err *err);

/* Runs fn in a write transaction and waits until it is durable. */
MAUTH_MUST_USE enum mauth_rc kv_write(
    struct kv *kv, kv_fn *fn, void *arg, struct mauth_err *err);

/*
 * The same without waiting: the committer runs whatever is queued in one
 * transaction and calls done, in its own thread, when the commit is durable or
 * the job has failed (job->rc, job->err). The job belongs to the store until
 * then. done must not block.
 */
struct kv_job {
    kv_fn *fn;
    void *arg;
    void (*done)(struct kv_job *job);
    bool needed; /* written also while the disk is nearly full: see kv_set_reserve() */
    enum mauth_rc rc;
    struct mauth_err err;
    struct kv_job *next; /* the store's */
};

void kv_submit(struct kv *kv, struct kv_job *job);

/* The folder that it lies in: also for what is derived from it, under names of its own. */
const char *kv_folder(const struct kv *kv);

/*
 * While less than this many bytes are free on the store's disk, only what is needed is
 * written: kv_write(), and jobs that say so (an admin's changes, whatever ends a right).
 * All other jobs fail with MAUTH_UNAVAILABLE, before they run. 0, as at first: no reserve.
 */
void kv_set_reserve(struct kv *kv, uint64_t bytes);

/*
 * Can it be written? MAUTH_UNAVAILABLE, and why: the disk is nearly full, or the last
 * commit failed. Looks at the disk; quick.
 */
MAUTH_MUST_USE enum mauth_rc kv_check(struct kv *kv, struct mauth_err *err);

/* Grows with every commit that changed something; cheap, for "has it changed?". */
uint64_t kv_generation(const struct kv *kv);

/*
 * Inside a transaction. Slices are borrowed until the next put or delete, or
 * the end of the transaction.
 */
/* MAUTH_NOT_FOUND (not noted in err) when the key is not there. */
MAUTH_MUST_USE enum mauth_rc kv_get(
    struct kv_txn *txn, struct text key, struct text *value, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc kv_put(
    struct kv_txn *txn, struct text key, struct text value, struct mauth_err *err);
/* MAUTH_OK also when it was not there. */
MAUTH_MUST_USE enum mauth_rc kv_delete(
    struct kv_txn *txn, struct text key, struct mauth_err *err);

enum kv_order {
    KV_UP,
    KV_DOWN
};

/*
 * Calls each for every key with first <= key < end (end.len 0: no end), in
 * order, until it returns false. Nothing may be put or deleted meanwhile.
 */
typedef bool kv_each(struct text key, struct text value, void *arg);
MAUTH_MUST_USE enum mauth_rc kv_scan(struct kv_txn *txn, struct text first,
    struct text end, enum kv_order order, kv_each *each, void *arg,
    struct mauth_err *err);

#endif
