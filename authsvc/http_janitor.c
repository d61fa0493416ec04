#include "authsvc/http_janitor.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/fail.h"
#include "base/time.h"
#include "base/wake.h"

struct janitor {
    pthread_t thread;
    int64_t tick_ms;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t end;
    bool ending;
    struct lease *first;
};

void
lease_extend(struct lease *l, int64_t for_ms)
{
    atomic_store(&l->ends_ms, time_monotonic_ms() + for_ms);
}

void
lease_hold(struct lease *l)
{
    atomic_store(&l->ends_ms, INT64_MAX);
}

void
janitor_watch(struct janitor *j, struct lease *l, int fd, int64_t for_ms)
{
    l->fd = fd;
    lease_extend(l, for_ms);
    pthread_mutex_lock(&j->lock);
    l->prev = NULL;
    l->next = j->first;
    if (l->next)
        l->next->prev = l;
    j->first = l;
    pthread_mutex_unlock(&j->lock);
}

void
janitor_leave(struct janitor *j, struct lease *l)
{
    pthread_mutex_lock(&j->lock);
    if (l->prev)
        l->prev->next = l->next;
    else
        j->first = l->next;
    if (l->next)
        l->next->prev = l->prev;
    pthread_mutex_unlock(&j->lock);
}

/* Under the lock, so that no fd is closed, and its number used anew, meanwhile. */
static void
sweep(const struct janitor *j)
{
    int64_t now_ms = time_monotonic_ms();

    for (struct lease *l = j->first; l; l = l->next) {
        if (now_ms >= atomic_load(&l->ends_ms))
            shutdown(l->fd, SHUT_RDWR);
    }
}

static void *
run(void *arg)
{
    struct janitor *j = arg;

    pthread_mutex_lock(&j->lock);
    while (!j->ending) {
        (void)wake_wait(&j->end, &j->lock, time_monotonic_ms() + j->tick_ms);
        sweep(j);
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

static void
prepare(struct janitor *j)
{
    pthread_mutex_init(&j->lock, NULL);
    wake_init(&j->end);
}

static void
discard(struct janitor *j)
{
    pthread_cond_destroy(&j->end);
    pthread_mutex_destroy(&j->lock);
    free(j);
}

enum mauth_rc
janitor_new(int64_t tick_ms, struct janitor **out, struct mauth_err *err)
{
    struct janitor *j = calloc(1, sizeof(*j));

    *out = NULL;
    if (!j)
        return mauth_fail(err, MAUTH_NO_MEMORY, "http: no memory");
    j->tick_ms = tick_ms;
    prepare(j);
    if (pthread_create(&j->thread, NULL, run, j) != 0) {
        discard(j);
        return mauth_fail(err, MAUTH_UNAVAILABLE, "http: cannot start a thread");
    }
    *out = j;
    return MAUTH_OK;
}

void
janitor_free(struct janitor *j)
{
    if (!j)
        return;
    pthread_mutex_lock(&j->lock);
    j->ending = true;
    pthread_cond_signal(&j->end);
    pthread_mutex_unlock(&j->lock);
    pthread_join(j->thread, NULL);
    discard(j);
}
