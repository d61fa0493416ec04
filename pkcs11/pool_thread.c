#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/time.h"
#include "base/wake.h"
#include "pkcs11/pool_parts.h"
#include "pkcs11/session.h"

enum {
    PROBE_MS = 2000, /* between looks whether one that nobody uses is there */
    APART_MS = 200,  /* for all to close before it is opened again */
    TRIES = 2        /* of one signature */
};

struct worker {
    struct pool *pool;
    struct pkcs11_session session;
    uint64_t generation; /* of its session, or of the one that it could not open */
    int64_t next_probe_ms;
    struct pool_thread *self;
    bool is_keeper; /* the one that opens the token first */
    bool has_session;
};

/* What one of this generation has met. */
static void
lose(struct pool *p, uint64_t generation)
{
    if (generation == p->generation)
        pool_begin_again(p);
}

/* The threads. Each of these is called with the lock held, and lets it go while it is in
 * the module. */

static void
shut(struct worker *w)
{
    struct pool *p = w->pool;

    pthread_mutex_unlock(&p->lock);
    pkcs11_session_close(&w->session);
    pthread_mutex_lock(&p->lock);
    w->has_session = false;
    p->sessions--;
    pthread_cond_broadcast(&p->wake);
}

/* The key of this session is the one that it must be; the first of all, if none must. */
static enum mauth_rc
check_key(struct pool *p, const struct pkcs11_session *s, struct mauth_err *err)
{
    if (!p->key)
        return key_copy(s->key, &p->key, err);
    if (key_equal(p->key, s->key))
        return MAUTH_OK;
    return mauth_fail(err, MAUTH_UNAVAILABLE,
        "token: the key of this name is not %s, but another", mauth_key_id(p->key));
}

static void
open_session(struct worker *w)
{
    struct pool *p = w->pool;
    struct mauth_err err = MAUTH_ERR_INIT;
    uint64_t generation = p->generation;
    enum mauth_rc rc;

    p->sessions++;
    pthread_mutex_unlock(&p->lock);
    rc = pkcs11_session_open(&w->session, &p->uri, &err);
    pthread_mutex_lock(&p->lock);
    w->has_session = rc == MAUTH_OK;
    w->generation = generation;
    if (rc == MAUTH_OK)
        rc = check_key(p, &w->session, &err);
    if (rc != MAUTH_OK && w->has_session)
        shut(w);
    else if (rc != MAUTH_OK)
        p->sessions--;
    if (!w->is_keeper || generation != p->generation)
        return;
    if (rc != MAUTH_OK) {
        pool_go_down(p, &err);
        return;
    }
    p->state = POOL_UP;
    w->next_probe_ms = time_monotonic_ms() + PROBE_MS;
    pthread_cond_broadcast(&p->wake);
    pthread_cond_broadcast(&p->news);
}

static void
serve(struct worker *w)
{
    struct pool *p = w->pool;
    struct job *j = p->queue;
    struct mauth_err err = MAUTH_ERR_INIT;
    uint8_t out[KEY_SIGNATURE_MAX], hash[32];
    enum mauth_rc rc;
    size_t len;

    p->queue = j->next;
    j->taken = true;
    j->tries++;
    memcpy(hash, j->hash, sizeof(hash));
    pthread_mutex_unlock(&p->lock);
    rc = pkcs11_session_sign(&w->session, hash, out, &len, &err);
    pthread_mutex_lock(&p->lock);
    w->next_probe_ms = time_monotonic_ms() + PROBE_MS;
    memcpy(j->out, out, len);
    j->len = len;
    j->err = err;
    if (rc != MAUTH_OK)
        lose(p, w->generation);
    if (rc == MAUTH_OK || j->abandoned || j->tries == TRIES || p->state == POOL_DOWN)
        pool_finish(j, rc);
    else
        pool_push(p, j);
}

static void
probe(struct worker *w)
{
    struct pool *p = w->pool;
    enum mauth_rc rc;

    pthread_mutex_unlock(&p->lock);
    rc = pkcs11_session_check(&w->session, NULL);
    pthread_mutex_lock(&p->lock);
    w->next_probe_ms = time_monotonic_ms() + PROBE_MS;
    if (rc != MAUTH_OK)
        lose(p, w->generation);
}

/*
 * The keeper opens the token when it is time and the others have closed it, so that the
 * module starts afresh; the others after it, once: a token may be short of sessions.
 */
static bool
may_open(const struct worker *w, int64_t now_ms)
{
    const struct pool *p = w->pool;

    if (!w->is_keeper)
        return p->state == POOL_UP && w->generation != p->generation;
    return now_ms >= p->next_try_ms &&
           (p->sessions == 0 || now_ms >= p->next_try_ms + APART_MS);
}

static void
rest(struct worker *w, int64_t now_ms)
{
    struct pool *p = w->pool;
    int64_t end_ms = w->next_probe_ms;

    if (!w->is_keeper) {
        pthread_cond_wait(&p->wake, &p->lock);
        return;
    }
    if (!w->has_session)
        end_ms = now_ms < p->next_try_ms ? p->next_try_ms : p->next_try_ms + APART_MS;
    (void)wake_wait(&p->wake, &p->lock, end_ms);
}

static void
take_step(struct worker *w)
{
    struct pool *p = w->pool;
    int64_t now_ms = time_monotonic_ms();

    if (w->has_session && w->generation != p->generation)
        shut(w);
    else if (!w->has_session && may_open(w, now_ms))
        open_session(w);
    else if (w->has_session && p->queue)
        serve(w);
    else if (w->has_session && w->is_keeper && now_ms >= w->next_probe_ms)
        probe(w);
    else
        rest(w, now_ms);
}

static void *
work(void *arg)
{
    struct worker *w = arg;
    struct pool *p = w->pool;

    pthread_mutex_lock(&p->lock);
    while (!p->closing)
        take_step(w);
    if (w->has_session)
        shut(w);
    w->self->is_gone = true;
    free(w);
    pool_leave(p);
    return NULL;
}

bool
pool_start_thread(struct pool *p, bool is_keeper)
{
    struct worker *w = calloc(1, sizeof(*w));

    if (!w)
        return false;
    w->pool = p;
    w->self = &p->thread[p->started];
    w->is_keeper = is_keeper;
    if (pthread_create(&w->self->id, NULL, work, w) != 0) {
        free(w);
        return false;
    }
    p->started++;
    p->threads++;
    return true;
}
