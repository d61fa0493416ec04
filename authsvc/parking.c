#include "authsvc/parking.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/time.h"
#include "base/wake.h"

struct parking {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t look;
    struct parked *first;
    size_t taken, room;
    int64_t for_ms;
    uint64_t count; /* of wakes */
    bool closed;
};

static void
link_spot(struct parking *p, struct parked *s)
{
    s->prev = NULL;
    s->next = p->first;
    if (s->next)
        s->next->prev = s;
    p->first = s;
    p->taken++;
}

static void
unlink_spot(struct parking *p, struct parked *s)
{
    if (s->prev)
        s->prev->next = s->next;
    else
        p->first = s->next;
    if (s->next)
        s->next->prev = s->prev;
    p->taken--;
}

/* Those whose time is over, as a list of its own; *next_ms: when the others' is. */
static struct parked *
take_late(struct parking *p, int64_t at_ms, int64_t *next_ms)
{
    struct parked *late = NULL, *s, *then;

    *next_ms = INT64_MAX;
    for (s = p->first; s; s = then) {
        then = s->next;
        if (s->ends_ms > at_ms) {
            *next_ms = s->ends_ms < *next_ms ? s->ends_ms : *next_ms;
            continue;
        }
        unlink_spot(p, s);
        s->next = late;
        late = s;
    }
    return late;
}

/* A spot is gone, with its exchange, as soon as that is resumed. */
static void
resume(struct parked *s)
{
    struct parked *then;

    for (; s; s = then) {
        then = s->next;
        http_resume(s->x);
    }
}

static void *
watch(void *arg)
{
    struct parking *p = arg;
    struct parked *late;
    int64_t next_ms;

    pthread_mutex_lock(&p->lock);
    while (!p->closed) {
        late = take_late(p, time_monotonic_ms(), &next_ms);
        if (!late) {
            (void)wake_wait(&p->look, &p->lock, next_ms);
            continue;
        }
        pthread_mutex_unlock(&p->lock);
        resume(late);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

enum mauth_rc
parking_new(size_t room, int64_t for_ms, struct parking **out, struct mauth_err *err)
{
    struct parking *p = calloc(1, sizeof(*p));

    *out = NULL;
    if (!p)
        return mauth_fail(err, MAUTH_NO_MEMORY, "parking: no memory");
    p->room = room;
    p->for_ms = for_ms;
    pthread_mutex_init(&p->lock, NULL);
    wake_init(&p->look);
    if (pthread_create(&p->thread, NULL, watch, p) != 0) {
        free(p);
        return mauth_fail(err, MAUTH_UNAVAILABLE, "parking: no thread");
    }
    *out = p;
    return MAUTH_OK;
}

uint64_t
parking_count(struct parking *p)
{
    uint64_t count;

    pthread_mutex_lock(&p->lock);
    count = p->count;
    pthread_mutex_unlock(&p->lock);
    return count;
}

bool
parking_wait(struct parking *p, struct parked *spot, uint64_t count,
    struct http_exchange *x, http_step *next)
{
    int64_t at_ms = time_monotonic_ms();
    bool parks, waits;

    pthread_mutex_lock(&p->lock);
    if (!spot->ends_ms)
        spot->ends_ms = at_ms + p->for_ms;
    parks = !p->closed && p->taken < p->room && spot->ends_ms > at_ms;
    waits = p->count == count;
    if (parks) {
        spot->x = x;
        http_suspend(x, next);
    }
    if (parks && waits) {
        link_spot(p, spot);
        pthread_cond_signal(&p->look);
    }
    pthread_mutex_unlock(&p->lock);
    if (parks && !waits)
        http_resume(x);
    return parks;
}

static struct parked *
take_all(struct parking *p)
{
    struct parked *all = p->first;

    p->first = NULL;
    p->taken = 0;
    p->count++;
    return all;
}

void
parking_wake(struct parking *p)
{
    struct parked *all;

    pthread_mutex_lock(&p->lock);
    all = take_all(p);
    pthread_mutex_unlock(&p->lock);
    resume(all);
}

void
parking_close(struct parking *p)
{
    struct parked *all;
    bool first;

    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    first = !p->closed;
    p->closed = true;
    all = take_all(p);
    pthread_cond_signal(&p->look);
    pthread_mutex_unlock(&p->lock);
    resume(all);
    if (first)
        pthread_join(p->thread, NULL);
}

void
parking_free(struct parking *p)
{
    if (!p)
        return;
    parking_close(p);
    pthread_cond_destroy(&p->look);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
