#include "authsvc/auditing.h"

#include <pthread.h>
#include <stdlib.h>

#include "authsvc/log.h"
#include "authsvc/upkeep.h"
#include "base/fail.h"
#include "base/secret.h"
#include "base/time.h"
#include "base/wake.h"
#include "store/audit_indexing.h"

enum {
    FOLLOWS = 64, /* that are remembered */
    HOUR_S = 3600,
    LOOK_MS = 200 /* between looks for new records */
};

/* One thread, and what waits for it. */
struct desk {
    struct auditing *auditing;
    pthread_t thread;
    bool runs;
    pthread_cond_t work;
    struct auditing_question *first, *last;
};

struct auditing {
    struct kv *kv;
    struct audit_index *index;
    struct upkeep *upkeep;
    struct parking *parking;
    pthread_t watch;
    bool watches;
    pthread_mutex_t lock; /* of what follows, and of the desks */
    pthread_cond_t wake;  /* the watch */
    struct desk desk[AUDITING_DESKS];
    bool stop;
    atomic_bool ends;
    uint8_t key[SIPHASH_KEY];
    struct {
        uint64_t what;
        uint64_t after; /* the record that it began behind */
        int64_t until_s;
    } follow[FOLLOWS];
};

/* False when it is to end. */
static bool
rest(struct auditing *a)
{
    int64_t end_ms = time_monotonic_ms() + LOOK_MS;
    bool stop;

    pthread_mutex_lock(&a->lock);
    if (!a->stop)
        (void)wake_wait(&a->wake, &a->lock, end_ms);
    stop = a->stop;
    pthread_mutex_unlock(&a->lock);
    return !stop;
}

/* Wakes who waits for records. */
static void *
run_watch(void *arg)
{
    struct auditing *a = arg;
    uint64_t seen = 0;

    do {
        uint64_t generation = kv_generation(a->kv);

        if (generation != seen)
            parking_wake(a->parking);
        seen = generation;
    } while (rest(a));
    return NULL;
}

static struct auditing_question *
take(struct desk *d)
{
    struct auditing *a = d->auditing;
    struct auditing_question *q;

    pthread_mutex_lock(&a->lock);
    while (!d->first && !a->stop)
        pthread_cond_wait(&d->work, &a->lock);
    q = d->first;
    if (q)
        d->first = q->next;
    if (!d->first)
        d->last = NULL;
    pthread_mutex_unlock(&a->lock);
    return q;
}

static void *
run_desk(void *arg)
{
    struct desk *d = arg;
    struct auditing_question *q;

    upkeep_give_way();
    while ((q = take(d))) {
        upkeep_hold(d->auditing->upkeep);
        q->run(q);
        upkeep_release(d->auditing->upkeep);
    }
    return NULL;
}

void
auditing_ask(struct auditing *a, enum auditing_desk desk, struct auditing_question *q)
{
    struct desk *d = &a->desk[desk];

    q->next = NULL;
    pthread_mutex_lock(&a->lock);
    if (d->last)
        d->last->next = q;
    else
        d->first = q;
    d->last = q;
    pthread_cond_signal(&d->work);
    pthread_mutex_unlock(&a->lock);
}

/* Of a question, if there is one; else the place of the oldest. With the lock held. */
static bool
find_follow(const struct auditing *a, uint64_t what, int64_t now_s, size_t *at)
{
    *at = 0;
    for (size_t i = 0; i < FOLLOWS; i++) {
        if (a->follow[i].what == what && a->follow[i].until_s > now_s) {
            *at = i;
            return true;
        }
        if (a->follow[i].until_s < a->follow[*at].until_s)
            *at = i;
    }
    return false;
}

bool
auditing_is_followed(
    struct auditing *a, struct text what, uint64_t after, int64_t now_s)
{
    uint64_t hash = siphash(a->key, what.p, what.len);
    bool is_followed;
    size_t at;

    pthread_mutex_lock(&a->lock);
    is_followed = find_follow(a, hash, now_s, &at) && after >= a->follow[at].after;
    pthread_mutex_unlock(&a->lock);
    return is_followed;
}

void
auditing_follow(struct auditing *a, struct text what, uint64_t after, int64_t now_s)
{
    uint64_t hash = siphash(a->key, what.p, what.len);
    size_t at;

    pthread_mutex_lock(&a->lock);
    (void)find_follow(a, hash, now_s, &at);
    a->follow[at].what = hash;
    a->follow[at].after = after;
    a->follow[at].until_s = now_s + HOUR_S;
    pthread_mutex_unlock(&a->lock);
}

struct audit_index *
auditing_index(const struct auditing *a)
{
    return a->index;
}

struct parking *
auditing_parking(const struct auditing *a)
{
    return a->parking;
}

void
auditing_end(struct auditing *a)
{
    atomic_store(&a->ends, true);
}

const atomic_bool *
auditing_is_ending(const struct auditing *a)
{
    return &a->ends;
}

void
auditing_complain(const struct auditing *a, struct buf *lines)
{
    upkeep_complain(a->upkeep, lines);
}

static enum mauth_rc
start_threads(struct auditing *a, const struct audit_keep *keep, struct mauth_err *err)
{
    enum mauth_rc rc = upkeep_start(a->kv, a->index, keep, &a->upkeep, err);
    bool all;

    if (rc)
        return rc;
    a->watches = pthread_create(&a->watch, NULL, run_watch, a) == 0;
    all = a->watches;
    for (size_t i = 0; i < AUDITING_DESKS; i++) {
        struct desk *d = &a->desk[i];

        d->auditing = a;
        d->runs = pthread_create(&d->thread, NULL, run_desk, d) == 0;
        all = all && d->runs;
    }
    return all ? MAUTH_OK : mauth_fail(err, MAUTH_UNAVAILABLE, "auditing: no thread");
}

enum mauth_rc
auditing_start(struct kv *kv, size_t room, const struct audit_keep *keep,
    struct auditing **out, struct mauth_err *err)
{
    struct auditing *a = calloc(1, sizeof(*a));
    struct mauth_err why = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    *out = NULL;
    if (!a)
        return mauth_fail(err, MAUTH_NO_MEMORY, "auditing: no memory");
    a->kv = kv;
    pthread_mutex_init(&a->lock, NULL);
    wake_init(&a->wake);
    for (size_t i = 0; i < AUDITING_DESKS; i++)
        pthread_cond_init(&a->desk[i].work, NULL);
    rc = mauth_random(a->key, sizeof(a->key), err);
    if (audit_indexing_open(kv, false, &a->index, &why) != MAUTH_OK)
        log_error("the audit log is not indexed: %s", why.text);
    if (rc == MAUTH_OK)
        rc = parking_new(room, AUDITING_WAIT_MS, &a->parking, err);
    if (rc == MAUTH_OK)
        rc = start_threads(a, keep, err);
    if (rc) {
        auditing_stop(a);
        return rc;
    }
    *out = a;
    return MAUTH_OK;
}

void
auditing_stop(struct auditing *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->stop = true;
    pthread_cond_signal(&a->wake);
    for (size_t i = 0; i < AUDITING_DESKS; i++)
        pthread_cond_signal(&a->desk[i].work);
    pthread_mutex_unlock(&a->lock);
    if (a->watches)
        pthread_join(a->watch, NULL);
    for (size_t i = 0; i < AUDITING_DESKS; i++) {
        if (a->desk[i].runs)
            pthread_join(a->desk[i].thread, NULL);
        pthread_cond_destroy(&a->desk[i].work);
    }
    upkeep_stop(a->upkeep);
    parking_free(a->parking);
    audit_index_close(a->index);
    pthread_cond_destroy(&a->wake);
    pthread_mutex_destroy(&a->lock);
    free(a);
}
