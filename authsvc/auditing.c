#include "authsvc/auditing.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "authsvc/log.h"
#include "base/fail.h"
#include "base/secret.h"
#include "store/audit_find.h"

enum {
    FOLLOWS = 64, /* that are remembered */
    HOUR_S = 3600,
    LOOK_MS = 200, /* between looks for new records */
    NICE = 10      /* a tenth of what others get, when all want more than there is */
};

struct auditing {
    struct kv *kv;
    struct audit_index *index;
    struct parking *parking;
    pthread_t indexer, desk;
    bool indexes, answers; /* those threads run */
    pthread_mutex_t lock;  /* of what follows */
    pthread_cond_t wake;   /* the indexer */
    pthread_cond_t work;   /* the desk */
    struct auditing_question *first, *last;
    bool stop;
    uint8_t key[SIPHASH_KEY];
    struct {
        uint64_t what;
        int64_t until_s;
    } follow[FOLLOWS];
};

static void
give_way(void)
{
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
}

/* False when it is to end. */
static bool
rest(struct auditing *a, long ms)
{
    struct timespec until;
    bool stop;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += ms * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&a->lock);
    if (!a->stop && ms)
        pthread_cond_timedwait(&a->wake, &a->lock, &until);
    stop = a->stop;
    pthread_mutex_unlock(&a->lock);
    return !stop;
}

/* One file at a time, so that it ends soon when it must; an error is told once. True when
 * there may be more. */
static bool
index_some(struct auditing *a, bool *failed)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    bool more = false;

    if (!a->index)
        return false;
    if (audit_index_step(a->kv, a->index, &more, &err) == MAUTH_OK)
        *failed = false;
    else if (!*failed)
        log_error("the audit log is not indexed: %s", err.text);
    *failed = *failed || err.rc;
    return more && !err.rc;
}

static void *
run_indexer(void *arg)
{
    struct auditing *a = arg;
    uint64_t seen = 0, generation;
    bool failed = false, more = true;

    give_way();
    do {
        generation = kv_generation(a->kv);
        if (generation == seen && !more)
            continue;
        if (generation != seen)
            parking_wake(a->parking);
        seen = generation;
        more = index_some(a, &failed);
    } while (rest(a, more ? 0 : LOOK_MS));
    return NULL;
}

static struct auditing_question *
take(struct auditing *a)
{
    struct auditing_question *q;

    pthread_mutex_lock(&a->lock);
    while (!a->first && !a->stop)
        pthread_cond_wait(&a->work, &a->lock);
    q = a->first;
    if (q)
        a->first = q->next;
    if (!a->first)
        a->last = NULL;
    pthread_mutex_unlock(&a->lock);
    return q;
}

static void *
run_desk(void *arg)
{
    struct auditing *a = arg;
    struct auditing_question *q;

    give_way();
    while ((q = take(a)))
        q->run(q);
    return NULL;
}

void
auditing_ask(struct auditing *a, struct auditing_question *q)
{
    q->next = NULL;
    pthread_mutex_lock(&a->lock);
    if (a->last)
        a->last->next = q;
    else
        a->first = q;
    a->last = q;
    pthread_cond_signal(&a->work);
    pthread_mutex_unlock(&a->lock);
}

bool
auditing_is_news(struct auditing *a, struct text what, int64_t now_s)
{
    uint64_t hash = siphash(a->key, what.p, what.len);
    size_t oldest = 0;
    bool news = true;

    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < FOLLOWS && news; i++) {
        news = a->follow[i].what != hash || a->follow[i].until_s <= now_s;
        if (a->follow[i].until_s < a->follow[oldest].until_s)
            oldest = i;
    }
    if (news) {
        a->follow[oldest].what = hash;
        a->follow[oldest].until_s = now_s + HOUR_S;
    }
    pthread_mutex_unlock(&a->lock);
    return news;
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

enum mauth_rc
auditing_start(struct kv *kv, size_t room, struct auditing **out, struct mauth_err *err)
{
    struct auditing *a = calloc(1, sizeof(*a));
    struct mauth_err why = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    *out = NULL;
    if (!a)
        return mauth_fail(err, MAUTH_NO_MEMORY, "auditing: no memory");
    a->kv = kv;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->wake, NULL);
    pthread_cond_init(&a->work, NULL);
    rc = mauth_random(a->key, sizeof(a->key), err);
    if (audit_find_open(kv, false, &a->index, &why) != MAUTH_OK)
        log_error("the audit log is not indexed: %s", why.text);
    if (rc == MAUTH_OK)
        rc = parking_new(room, AUDITING_WAIT_MS, &a->parking, err);
    if (rc == MAUTH_OK)
        a->indexes = pthread_create(&a->indexer, NULL, run_indexer, a) == 0;
    if (rc == MAUTH_OK)
        a->answers = pthread_create(&a->desk, NULL, run_desk, a) == 0;
    if (rc == MAUTH_OK && (!a->indexes || !a->answers))
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "auditing: no thread");
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
    pthread_cond_signal(&a->work);
    pthread_mutex_unlock(&a->lock);
    if (a->indexes)
        pthread_join(a->indexer, NULL);
    if (a->answers)
        pthread_join(a->desk, NULL);
    parking_free(a->parking);
    audit_index_close(a->index);
    pthread_cond_destroy(&a->wake);
    pthread_cond_destroy(&a->work);
    pthread_mutex_destroy(&a->lock);
    free(a);
}
