#include "pkcs11/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/time.h"
#include "base/wake.h"
#include "pkcs11/pool_parts.h"

enum {
    FREE_MS = 2000 /* for threads to end */
};

/* Signatures that are waited for. */

void
pool_push(struct pool *p, struct job *j)
{
    struct job **at = &p->queue;

    while (*at)
        at = &(*at)->next;
    j->next = NULL;
    j->taken = false;
    *at = j;
    pthread_cond_broadcast(&p->wake);
}

static void
pool_drop(struct pool *p, const struct job *j)
{
    struct job **at = &p->queue;

    while (*at && *at != j)
        at = &(*at)->next;
    if (*at)
        *at = j->next;
}

void
pool_job_free(struct job *j)
{
    pthread_cond_destroy(&j->done);
    free(j);
}

void
pool_finish(struct job *j, enum mauth_rc rc)
{
    j->rc = rc;
    j->finished = true;
    if (j->abandoned)
        pool_job_free(j);
    else
        pthread_cond_signal(&j->done);
}

/* The state. */

void
pool_go_down(struct pool *p, const struct mauth_err *why)
{
    p->state = POOL_DOWN;
    p->why = *why;
    p->next_try_ms = time_monotonic_ms() + POOL_RETRY_MS;
    while (p->queue) {
        struct job *j = p->queue;

        p->queue = j->next;
        j->err = *why;
        pool_finish(j, MAUTH_UNAVAILABLE);
    }
    pthread_cond_broadcast(&p->news);
}

void
pool_begin_again(struct pool *p)
{
    p->generation++;
    p->state = POOL_OPENING;
    p->since_ms = p->next_try_ms = time_monotonic_ms();
    pthread_cond_broadcast(&p->wake);
}

static void
destroy(struct pool *p)
{
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->wake);
    pthread_cond_destroy(&p->news);
    mauth_key_free(p->key);
    free(p);
}

void
pool_leave(struct pool *p)
{
    bool last = --p->threads == 0;

    pthread_cond_broadcast(&p->news);
    pthread_mutex_unlock(&p->lock);
    if (last)
        destroy(p);
}

/* With the lock held. Fewer than all are enough, the keeper is needed. */
static enum mauth_rc
start(struct pool *p, struct mauth_err *err)
{
    if (p->started)
        return MAUTH_OK;
    pool_begin_again(p);
    if (!pool_start_thread(p, true))
        return mauth_fail(err, MAUTH_UNAVAILABLE, "token: no thread");
    while (p->started < POOL_THREADS && pool_start_thread(p, false))
        ;
    return MAUTH_OK;
}

enum mauth_rc
pool_new(const struct pkcs11_uri *uri, const struct mauth_key *key, struct pool **out,
    struct mauth_err *err)
{
    struct pool *p = calloc(1, sizeof(*p));
    enum mauth_rc rc = MAUTH_OK;

    *out = NULL;
    if (!p)
        return mauth_fail(err, MAUTH_NO_MEMORY, "token: no memory");
    p->uri = *uri;
    p->threads = 1; /* its owner */
    pthread_mutex_init(&p->lock, NULL);
    wake_init(&p->wake);
    wake_init(&p->news);
    if (key)
        rc = key_copy(key, &p->key, err);
    if (rc != MAUTH_OK) {
        destroy(p);
        return rc;
    }
    *out = p;
    return MAUTH_OK;
}

/* With the lock held: those that have gone are waited for, until the last of what they
 * keep is freed; who is still in the module is let alone. */
static void
part_with_threads(struct pool *p)
{
    struct pool_thread thread[POOL_THREADS];
    size_t started = p->started;

    memcpy(thread, p->thread, sizeof(thread));
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < started; i++) {
        if (thread[i].is_gone)
            pthread_join(thread[i].id, NULL);
        else
            pthread_detach(thread[i].id);
    }
    pthread_mutex_lock(&p->lock);
}

void
pool_free(struct pool *p)
{
    int64_t end_ms = time_monotonic_ms() + FREE_MS;

    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->wake);
    while (p->threads > 1 && wake_wait(&p->news, &p->lock, end_ms))
        ;
    part_with_threads(p);
    pool_leave(p);
}

/* For others. */

static enum mauth_rc
is_down(const struct pool *p, struct mauth_err *err)
{
    return mauth_fail(err, MAUTH_UNAVAILABLE, "%s", p->why.text);
}

/* Nobody waits for it any more. One that is in the module tells that the token hangs. */
static enum mauth_rc
give_up(struct pool *p, struct job *j, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    bool hangs = j->taken || p->state == POOL_OPENING;
    enum mauth_rc rc = mauth_fail(&why, MAUTH_UNAVAILABLE,
        "token: it does not answer within %d ms", POOL_WAIT_MS);

    if (j->taken) {
        j->abandoned = true;
    } else {
        pool_drop(p, j);
        pool_job_free(j);
    }
    if (hangs) {
        pool_begin_again(p);
        pool_go_down(p, &why);
    }
    return mauth_fail(err, rc, "%s", why.text);
}

static enum mauth_rc
take_result(
    struct job *j, uint8_t out[KEY_SIGNATURE_MAX], size_t *len, struct mauth_err *err)
{
    enum mauth_rc rc = j->rc;

    if (rc == MAUTH_OK) {
        memcpy(out, j->out, j->len);
        *len = j->len;
    } else {
        rc = mauth_fail(err, rc, "%s", j->err.text);
    }
    pool_job_free(j);
    return rc;
}

enum mauth_rc
pool_sign(struct pool *p, const uint8_t hash[32], uint8_t out[KEY_SIGNATURE_MAX],
    size_t *len, struct mauth_err *err)
{
    int64_t end_ms = time_monotonic_ms() + POOL_WAIT_MS;
    struct job *j = calloc(1, sizeof(*j));
    enum mauth_rc rc;

    *len = 0;
    if (!j)
        return mauth_fail(err, MAUTH_NO_MEMORY, "token: no memory");
    wake_init(&j->done);
    memcpy(j->hash, hash, sizeof(j->hash));
    pthread_mutex_lock(&p->lock);
    rc = start(p, err);
    if (rc == MAUTH_OK && p->state == POOL_DOWN)
        rc = is_down(p, err);
    if (rc != MAUTH_OK) {
        pool_job_free(j);
        goto out;
    }
    pool_push(p, j);
    while (!j->finished && wake_wait(&j->done, &p->lock, end_ms))
        ;
    if (j->finished)
        rc = take_result(j, out, len, err);
    else
        rc = give_up(p, j, err);
out:
    pthread_mutex_unlock(&p->lock);
    return rc;
}

enum mauth_rc
pool_ready(struct pool *p, struct mauth_err *err)
{
    enum mauth_rc rc;

    pthread_mutex_lock(&p->lock);
    rc = start(p, err);
    if (rc == MAUTH_OK && p->state == POOL_DOWN)
        rc = is_down(p, err);
    else if (rc == MAUTH_OK && p->state == POOL_OPENING &&
             time_monotonic_ms() >= p->since_ms + POOL_WAIT_MS)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "token: it does not answer");
    pthread_mutex_unlock(&p->lock);
    return rc;
}

enum mauth_rc
pool_key(struct pool *p, struct mauth_key **out, struct mauth_err *err)
{
    int64_t end_ms = time_monotonic_ms() + POOL_WAIT_MS;
    enum mauth_rc rc;

    *out = NULL;
    pthread_mutex_lock(&p->lock);
    rc = start(p, err);
    while (rc == MAUTH_OK && p->state == POOL_OPENING &&
           wake_wait(&p->news, &p->lock, end_ms))
        ;
    if (rc == MAUTH_OK && p->state == POOL_UP)
        rc = key_copy(p->key, out, err);
    else if (rc == MAUTH_OK && p->state == POOL_DOWN)
        rc = is_down(p, err);
    else if (rc == MAUTH_OK)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE,
            "token: it does not answer within %d ms", POOL_WAIT_MS);
    pthread_mutex_unlock(&p->lock);
    return rc;
}
