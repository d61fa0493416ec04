#include "store/kv.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "store/kv_engine.h"

enum {
    BATCH = 256, /* jobs in one transaction at most */
};

static const char SCHEMA_KEY[] = ".schema";

static const struct kv_engine *const engines[] = {&kv_lmdb};

struct kv {
    const struct kv_engine *engine;
    void *state;
    bool twice; /* for tests: every write function runs twice */
    atomic_uint_fast64_t generation;
    atomic_uint_fast64_t reserve;
    pthread_t committer;
    bool running;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t work;
    struct kv_job *first, *last;
    bool stop;
    struct mauth_err trouble; /* of the last commit */
};

/* One batch: the jobs that still take part, in their order. */
struct batch {
    struct kv_job *job[BATCH];
    size_t count;
    size_t at; /* the one that ran last */
};

static enum mauth_rc
begin(struct kv *kv, bool write, struct kv_txn *txn, struct mauth_err *err)
{
    *txn = (struct kv_txn){.engine = kv->engine, .state = kv->state, .write = write};
    return kv->engine->begin(txn, err);
}

/*
 * Also those that had left: they were refused, or had nothing to put, for what
 * they saw of the others, and that never came to be.
 */
static void
fail_all(const struct batch *b, enum mauth_rc rc, const struct mauth_err *err)
{
    for (size_t i = 0; i < b->count; i++) {
        b->job[i]->rc = rc;
        b->job[i]->err = *err;
    }
}

static void
leave_out(struct batch *b, size_t i)
{
    b->count--;
    memmove(&b->job[i], &b->job[i + 1], (b->count - i) * sizeof(*b->job));
}

/* The job that ran last met a full store which cannot be made larger. */
static void
refuse_full(struct batch *b)
{
    struct kv_job *job = b->job[b->at];

    if (job->rc == MAUTH_OK) /* it did not care, but is not done either */
        job->rc = mauth_fail(&job->err, MAUTH_UNAVAILABLE, "store: it is full");
    leave_out(b, b->at);
}

enum outcome {
    CLEAN, /* what is left of the batch has run */
    REPLAY /* abort, and run what is left once more */
};

/*
 * Runs every job of the batch. One that fails leaves it; if it had put something
 * by then, everything must run again without it.
 */
static enum outcome
run_jobs(struct batch *b, struct kv_txn *txn)
{
    for (size_t i = 0; i < b->count;) {
        struct kv_job *job = b->job[i];
        size_t before = txn->changes;

        b->at = i;
        mauth_err_reset(&job->err);
        job->rc = job->fn(txn, job->arg, &job->err);
        if (txn->again)
            return REPLAY;
        if (job->rc == MAUTH_OK) {
            i++;
            continue;
        }
        leave_out(b, i);
        if (txn->changes != before)
            return REPLAY;
    }
    return CLEAN;
}

/* What the last commit came to. */
static void
note_commit(struct kv *kv, const struct mauth_err *err)
{
    pthread_mutex_lock(&kv->lock);
    kv->trouble = *err;
    pthread_mutex_unlock(&kv->lock);
}

/* False when it is to be run again: b is what is left of all by then. */
static bool
try_batch(struct kv *kv, const struct batch *all, struct batch *b, bool rehearsal)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct kv_txn txn;
    enum mauth_rc rc;

    rc = begin(kv, true, &txn, &err);
    if (rc) {
        note_commit(kv, &err);
        fail_all(all, rc, &err);
        return true;
    }
    if (run_jobs(b, &txn) == REPLAY || rehearsal) {
        bool full = txn.again;

        kv->engine->abort(&txn);
        if (full && !txn.again)
            refuse_full(b);
        return false;
    }
    if (!txn.changes) {
        kv->engine->abort(&txn);
        return true;
    }
    rc = kv->engine->commit(&txn, &err);
    if (rc && txn.again)
        return false;
    /* A commit that failed may be on the disk all the same: readers must look. */
    atomic_fetch_add(&kv->generation, 1);
    note_commit(kv, &err);
    if (rc)
        fail_all(all, rc, &err);
    return true;
}

/* MAUTH_UNAVAILABLE while less than the reserve is free on the disk. */
static enum mauth_rc
check_room(struct kv *kv, struct mauth_err *err)
{
    uint64_t reserve = atomic_load(&kv->reserve);

    if (!reserve || kv->engine->room(kv->state) >= reserve)
        return MAUTH_OK;
    return mauth_fail(err, MAUTH_UNAVAILABLE,
        "store: less than %" PRIu64 " MiB are free on its disk, which are kept for "
        "admins and for whatever ends a right",
        reserve >> 20);
}

/* Refuses what is not needed while the disk is nearly full. */
static void
keep_reserve(struct kv *kv, struct batch *b)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (check_room(kv, &err) == MAUTH_OK)
        return;
    for (size_t i = 0; i < b->count;) {
        struct kv_job *job = b->job[i];

        if (job->needed) {
            i++;
            continue;
        }
        job->rc = err.rc;
        job->err = err;
        leave_out(b, i);
    }
}

static void
commit_batch(struct kv *kv, const struct batch *all)
{
    struct batch b = *all;

    keep_reserve(kv, &b);
    if (kv->twice)
        (void)try_batch(kv, all, &b, true);
    while (b.count && !try_batch(kv, all, &b, false))
        ;
    for (size_t i = 0; i < all->count; i++)
        all->job[i]->done(all->job[i]);
}

/* Waits for jobs; false when there are none and there will be none. */
static bool
take_jobs(struct kv *kv, struct batch *b)
{
    b->count = 0;
    pthread_mutex_lock(&kv->lock);
    while (!kv->first && !kv->stop)
        pthread_cond_wait(&kv->work, &kv->lock);
    while (kv->first && b->count < BATCH) {
        b->job[b->count++] = kv->first;
        kv->first = kv->first->next;
    }
    if (!kv->first)
        kv->last = NULL;
    pthread_mutex_unlock(&kv->lock);
    return b->count > 0;
}

static void *
run_committer(void *arg)
{
    static const struct sched_param none;
    struct kv *kv = arg;
    struct batch b;

    /* It never takes the processor from those who bring jobs: where all are busy, more
     * of them share a commit. (Nothing depends on it.) */
    (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
    while (take_jobs(kv, &b))
        commit_batch(kv, &b);
    return NULL;
}

void
kv_submit(struct kv *kv, struct kv_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&kv->lock);
    if (kv->last)
        kv->last->next = job;
    else
        kv->first = job;
    kv->last = job;
    pthread_cond_signal(&kv->work);
    pthread_mutex_unlock(&kv->lock);
}

struct waiter {
    struct kv_job job;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool is_done;
};

static void
wake(struct kv_job *job)
{
    struct waiter *w = (struct waiter *)job; /* the job is its first member */

    pthread_mutex_lock(&w->lock);
    w->is_done = true;
    pthread_cond_signal(&w->done);
    pthread_mutex_unlock(&w->lock);
}

enum mauth_rc
kv_write(struct kv *kv, kv_fn *fn, void *arg, struct mauth_err *err)
{
    struct waiter w = {.job = {.fn = fn, .arg = arg, .done = wake, .needed = true}};

    if (!kv->running)
        return mauth_fail(err, MAUTH_INVALID, "store: open for reading only");
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.done, NULL);
    kv_submit(kv, &w.job);
    pthread_mutex_lock(&w.lock);
    while (!w.is_done)
        pthread_cond_wait(&w.done, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.done);
    pthread_mutex_destroy(&w.lock);
    if (w.job.rc && err && !err->rc)
        *err = w.job.err;
    return w.job.rc;
}

enum mauth_rc
kv_read(struct kv *kv, kv_fn *fn, void *arg, struct mauth_err *err)
{
    struct kv_txn txn;
    enum mauth_rc rc;

    rc = begin(kv, false, &txn, err);
    if (rc)
        return rc;
    rc = fn(&txn, arg, err);
    kv->engine->abort(&txn);
    return rc;
}

static enum mauth_rc
put_schema(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    uint8_t raw[4];
    struct buf b;

    (void)arg;
    buf_init_fixed(&b, raw, sizeof(raw));
    buf_u32(&b, KV_SCHEMA);
    return kv_put(
        txn, text_of(SCHEMA_KEY), (struct text){(const char *)raw, b.len}, err);
}

static enum mauth_rc
check_schema(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct text value;
    struct reader r;
    enum mauth_rc rc;
    uint32_t version;

    (void)arg;
    rc = kv_get(txn, text_of(SCHEMA_KEY), &value, err);
    if (rc)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "store: not a store of meshauth");
    reader_init(&r, value.p, value.len);
    version = reader_u32(&r);
    if (!reader_done(&r) || version != KV_SCHEMA)
        return mauth_fail(err, MAUTH_UNAVAILABLE,
            "store: schema version %u, this meshauth knows %d: use the newer one",
            version, KV_SCHEMA);
    return MAUTH_OK;
}

/* "SCHEME:WHERE[?twice=1]": options are for tests; an engine may know others. */
static enum mauth_rc
open_engine(struct kv *kv, const char *url, enum kv_mode mode, struct mauth_err *err)
{
    struct text where = text_of(url), scheme;

    if (text_cut(&where, ':', &scheme)) {
        for (size_t i = 0; i < sizeof(engines) / sizeof(*engines); i++) {
            if (!text_is(scheme, engines[i]->scheme))
                continue;
            kv->engine = engines[i];
            kv->twice = strstr(url, "?twice=1") || strstr(url, "&twice=1");
            return kv->engine->open(where, mode, &kv->state, err);
        }
    }
    return mauth_fail(err, MAUTH_INVALID, "store: the URL must begin with lmdb:");
}

static enum mauth_rc
start(struct kv *kv, enum kv_mode mode, struct mauth_err *err)
{
    if (mode == KV_READ)
        return kv_read(kv, check_schema, NULL, err);
    if (pthread_create(&kv->committer, NULL, run_committer, kv) != 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "store: no thread");
    kv->running = true;
    if (mode == KV_CREATE)
        return kv_write(kv, put_schema, NULL, err);
    return kv_read(kv, check_schema, NULL, err);
}

enum mauth_rc
kv_open(const char *url, enum kv_mode mode, struct kv **out, struct mauth_err *err)
{
    struct kv *kv = calloc(1, sizeof(*kv));
    enum mauth_rc rc;

    *out = NULL;
    if (!kv)
        return mauth_fail(err, MAUTH_NO_MEMORY, "store: no memory");
    pthread_mutex_init(&kv->lock, NULL);
    pthread_cond_init(&kv->work, NULL);
    rc = open_engine(kv, url, mode, err);
    if (rc == MAUTH_OK)
        rc = start(kv, mode, err);
    if (rc) {
        kv_close(kv);
        return rc;
    }
    *out = kv;
    return MAUTH_OK;
}

void
kv_close(struct kv *kv)
{
    if (!kv)
        return;
    if (kv->running) {
        pthread_mutex_lock(&kv->lock);
        kv->stop = true;
        pthread_cond_signal(&kv->work);
        pthread_mutex_unlock(&kv->lock);
        pthread_join(kv->committer, NULL);
    }
    if (kv->state)
        kv->engine->close(kv->state);
    pthread_cond_destroy(&kv->work);
    pthread_mutex_destroy(&kv->lock);
    free(kv);
}

const char *
kv_folder(const struct kv *kv)
{
    return kv->engine->folder(kv->state);
}

void
kv_set_reserve(struct kv *kv, uint64_t bytes)
{
    atomic_store(&kv->reserve, bytes);
}

enum mauth_rc
kv_check(struct kv *kv, struct mauth_err *err)
{
    enum mauth_rc rc = check_room(kv, err);

    if (rc)
        return rc;
    pthread_mutex_lock(&kv->lock);
    if (kv->trouble.rc)
        rc = mauth_fail(err, kv->trouble.rc, "%s", kv->trouble.text);
    pthread_mutex_unlock(&kv->lock);
    return rc;
}

uint64_t
kv_generation(const struct kv *kv)
{
    return atomic_load(&kv->generation);
}

static enum mauth_rc
check_key(struct text key, struct mauth_err *err)
{
    if (key.len < 1 || key.len > KV_KEY_MAX)
        return mauth_fail(err, MAUTH_INVALID, "store: a key of %zu bytes", key.len);
    return MAUTH_OK;
}

static enum mauth_rc
check_write(const struct kv_txn *txn, struct text key, struct mauth_err *err)
{
    if (!txn->write)
        return mauth_fail(err, MAUTH_INVALID, "store: a write in a read transaction");
    return check_key(key, err);
}

enum mauth_rc
kv_get(struct kv_txn *txn, struct text key, struct text *value, struct mauth_err *err)
{
    enum mauth_rc rc = check_key(key, err);

    *value = (struct text){"", 0};
    return rc ? rc : txn->engine->get(txn, key, value, err);
}

enum mauth_rc
kv_put(struct kv_txn *txn, struct text key, struct text value, struct mauth_err *err)
{
    enum mauth_rc rc = check_write(txn, key, err);

    if (rc)
        return rc;
    txn->changes++;
    return txn->engine->put(txn, key, value, err);
}

enum mauth_rc
kv_delete(struct kv_txn *txn, struct text key, struct mauth_err *err)
{
    enum mauth_rc rc = check_write(txn, key, err);

    if (rc)
        return rc;
    txn->changes++;
    return txn->engine->remove(txn, key, err);
}

enum mauth_rc
kv_scan(struct kv_txn *txn, struct text first, struct text end, enum kv_order order,
    kv_each *each, void *arg, struct mauth_err *err)
{
    return txn->engine->scan(txn, first, end, order, each, arg, err);
}
