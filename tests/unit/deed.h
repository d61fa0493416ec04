/* Small things to do in a store, alone and in a crowd. */
#ifndef TESTS_DEED_H
#define TESTS_DEED_H

#include <pthread.h>

#include "base/fail.h"
#include "tests/unit/store_dir.h"

/* Keys and values as C strings; what a write function is told to do. */
struct deed {
    const char *key, *value;
    enum mauth_rc then; /* what it returns after its put */
    int runs;
};

static inline enum mauth_rc
put(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct deed *d = arg;
    enum mauth_rc rc;

    d->runs++;
    rc = kv_put(txn, text_of(d->key), text_of(d->value), err);
    if (rc == MAUTH_OK && d->then)
        return mauth_fail(err, d->then, "as told");
    return rc;
}

struct look {
    const char *key;
    char value[64];
};

static inline enum mauth_rc
get(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct look *l = arg;
    struct text v;
    enum mauth_rc rc = kv_get(txn, text_of(l->key), &v, err);

    snprintf(l->value, sizeof(l->value), "%.*s", (int)v.len, v.p);
    return rc;
}

static inline void
expect(struct store_dir *s, const char *key, const char *value)
{
    struct look l = {.key = key};
    enum mauth_rc rc = kv_read(s->kv, get, &l, NULL);

    assert_int_equal(rc, value ? MAUTH_OK : MAUTH_NOT_FOUND);
    if (value)
        assert_string_equal(l.value, value);
}

/* Many jobs at once, some of which fail after their put: the others stand. */
struct crowd {
    pthread_mutex_t lock;
    pthread_cond_t all_done;
    size_t left;
};

struct member {
    struct kv_job job;
    struct deed deed;
    char key[16];
    struct crowd *crowd;
};

static inline void
one_done(struct kv_job *job)
{
    struct member *m = (struct member *)job;

    pthread_mutex_lock(&m->crowd->lock);
    if (--m->crowd->left == 0)
        pthread_cond_signal(&m->crowd->all_done);
    pthread_mutex_unlock(&m->crowd->lock);
}

static inline void
wait_for(struct crowd *crowd)
{
    pthread_mutex_lock(&crowd->lock);
    while (crowd->left)
        pthread_cond_wait(&crowd->all_done, &crowd->lock);
    pthread_mutex_unlock(&crowd->lock);
}

#endif
