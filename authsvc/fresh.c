#include "authsvc/fresh.h"

#include <pthread.h>
#include <stdlib.h>

#include "authsvc/log.h"
#include "authsvc/provider.h"
#include "base/fail.h"
#include "base/time.h"
#include "base/wake.h"

enum {
    TIMEOUT_MS = 5000, /* of each request of a load */
    RETRY_S = 60       /* after a load that failed, when nobody asks */
};

struct waiter {
    struct waiter *next;
    void (*done)(void *arg);
    void *arg;
};

struct fresh {
    struct fresh_options o;
    struct shared *shared;
    struct fetch *fetch; /* NULL: it is loaded from a file */
    pthread_t thread;
    bool running; /* there is the thread */

    pthread_mutex_t lock;
    pthread_cond_t wake;
    int64_t not_before; /* no load on demand before, monotonic ms */
    int64_t due;        /* a load of our own accord */
    bool wanted;        /* somebody asked for one */
    bool busy;          /* it is under way */
    bool stop;
    struct waiter *waiters;
};

/* Until somebody asks or it is time; false: it is over. */
static bool
wait_for_turn(struct fresh *f)
{
    bool go_on;

    pthread_mutex_lock(&f->lock);
    while (!f->wanted && !f->stop && wake_wait(&f->wake, &f->lock, f->due))
        ;
    go_on = !f->stop;
    f->wanted = false;
    f->busy = go_on;
    pthread_mutex_unlock(&f->lock);
    return go_on;
}

/* Everybody who waits is told, outside the lock: they come back with questions. */
static void
call_back(struct fresh *f, bool fetched)
{
    int64_t now = time_monotonic_ms();
    struct waiter *w;

    pthread_mutex_lock(&f->lock);
    f->busy = false;
    f->not_before = now + INT64_C(1000) * PROVIDER_FLOOR_S;
    f->due = now + INT64_C(1000) * (fetched ? PROVIDER_FRESH_S : RETRY_S);
    w = f->waiters;
    f->waiters = NULL;
    pthread_mutex_unlock(&f->lock);
    while (w) {
        struct waiter *next = w->next;

        w->done(w->arg);
        free(w);
        w = next;
    }
}

static enum mauth_rc
load(struct fresh *f, struct mauth_err *err)
{
    void *object = NULL;
    enum mauth_rc rc = f->o.load(f->o.config, f->fetch, &object, err);

    if (rc == MAUTH_OK)
        rc = shared_set(f->shared, object, err);
    if (rc && object)
        f->o.free_object(object);
    return rc;
}

static void *
keep_fresh(void *arg)
{
    struct fresh *f = arg;

    while (wait_for_turn(f)) {
        struct mauth_err err = MAUTH_ERR_INIT;
        enum mauth_rc rc = load(f, &err);

        if (rc)
            log_error("the keys of the identity provider \"%s\" cannot be fetched: %s",
                f->o.config->name, err.text);
        call_back(f, rc == MAUTH_OK);
    }
    call_back(f, false);
    return NULL;
}

static enum mauth_rc
start_thread(struct fresh *f, struct mauth_err *err)
{
    const struct fetch_options o = {
        .ca_file = f->o.config->ca_file,
        .max_bytes = f->o.max_bytes,
        .timeout_ms = TIMEOUT_MS,
    };
    enum mauth_rc rc = f->o.from_file ? MAUTH_OK : fetch_open(&o, &f->fetch, err);

    if (rc)
        return rc;
    f->wanted = !f->o.from_file;
    f->due = time_monotonic_ms() + INT64_C(1000) * PROVIDER_FRESH_S;
    f->running = pthread_create(&f->thread, NULL, keep_fresh, f) == 0;
    return f->running ? MAUTH_OK
                      : mauth_fail(err, MAUTH_UNAVAILABLE, "provider: no thread");
}

enum mauth_rc
fresh_open(const struct fresh_options *o, struct fresh **out, struct mauth_err *err)
{
    struct fresh *f = calloc(1, sizeof(*f));
    enum mauth_rc rc;

    *out = NULL;
    if (!f)
        return mauth_fail(err, MAUTH_NO_MEMORY, "provider: no memory");
    f->o = *o;
    pthread_mutex_init(&f->lock, NULL);
    wake_init(&f->wake);
    rc = shared_new(o->free_object, &f->shared, err);
    if (rc == MAUTH_OK && o->from_file)
        rc = load(f, err);
    if (rc == MAUTH_OK && !(o->from_file && o->for_good))
        rc = start_thread(f, err);
    if (rc) {
        fresh_close(f);
        return rc;
    }
    *out = f;
    return MAUTH_OK;
}

enum mauth_rc
fresh_check(const struct fresh_options *o, struct mauth_err *err)
{
    void *object = NULL;
    enum mauth_rc rc;

    if (!o->from_file)
        return MAUTH_OK;
    rc = o->load(o->config, NULL, &object, err);
    if (object)
        o->free_object(object);
    return rc;
}

void
fresh_stop(struct fresh *f)
{
    if (!f || !f->running)
        return;
    pthread_mutex_lock(&f->lock);
    f->stop = true;
    pthread_cond_signal(&f->wake);
    pthread_mutex_unlock(&f->lock);
    if (f->fetch)
        fetch_cancel(f->fetch);
}

void
fresh_close(struct fresh *f)
{
    if (!f)
        return;
    fresh_stop(f);
    if (f->running)
        pthread_join(f->thread, NULL);
    fetch_close(f->fetch);
    shared_free(f->shared);
    pthread_cond_destroy(&f->wake);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

struct shared_ref *
fresh_take(struct fresh *f)
{
    return shared_take(f->shared);
}

/* Under the lock. */
static bool
may_fetch(const struct fresh *f)
{
    if (!f->running || f->stop)
        return false;
    return f->busy || f->wanted || time_monotonic_ms() >= f->not_before;
}

bool
fresh_may_fetch(struct fresh *f)
{
    bool may;

    pthread_mutex_lock(&f->lock);
    may = may_fetch(f);
    pthread_mutex_unlock(&f->lock);
    return may;
}

void
fresh_fetch(struct fresh *f, void (*done)(void *arg), void *arg)
{
    struct waiter *w = malloc(sizeof(*w));
    bool joined;

    pthread_mutex_lock(&f->lock);
    joined = w && may_fetch(f);
    if (joined) {
        *w = (struct waiter){f->waiters, done, arg};
        f->waiters = w;
        w = NULL; /* now the thread's */
        if (!f->busy)
            f->wanted = true;
        pthread_cond_signal(&f->wake);
    }
    pthread_mutex_unlock(&f->lock);
    free(w);
    if (!joined)
        done(arg);
}
