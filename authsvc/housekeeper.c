#include "authsvc/housekeeper.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "authsvc/log.h"
#include "authsvc/own_trust.h"
#include "authsvc/refusals.h"
#include "base/fail.h"
#include "base/time.h"
#include "store/publish.h"

struct housekeeper {
    const struct service *service;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool now;
    bool stop;
};

static enum mauth_rc
sign_trust(const struct service *s, struct mauth_err *err)
{
    const struct publish_options options = {
        .issuer = s->config->issuer.url,
        .path = s->config->issuer.trust_file,
        .life_s = s->config->tickets.trust_s,
        .now_s = time_now_s(),
    };

    enum mauth_rc rc = publish_trust(s->kv, s->keys, &options, err);

    return rc ? rc
              : own_trust_load(s->trust, options.path,
                    &keystore_authority(s->keys)->verifier, err);
}

static void
work(const struct service *s)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (sign_trust(s, &err) != MAUTH_OK)
        log_error("the trust file was not replaced: %s", err.text);
    mauth_err_reset(&err);
    if (refusals_flush(s->refusals, s->kv, &err) != MAUTH_OK)
        log_error("refusals are not on record yet: %s", err.text);
}

/* Waits for the next turn; false: it is the last. */
static bool
wait_for_turn(struct housekeeper *h)
{
    struct timespec until;
    bool go_on;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += HOUSEKEEPER_PERIOD_S;
    pthread_mutex_lock(&h->lock);
    while (!h->now && !h->stop)
        if (pthread_cond_timedwait(&h->wake, &h->lock, &until) != 0)
            break;
    h->now = false;
    go_on = !h->stop;
    pthread_mutex_unlock(&h->lock);
    return go_on;
}

static void *
keep_house(void *arg)
{
    struct housekeeper *h = arg;

    while (wait_for_turn(h))
        work(h->service);
    work(h->service);
    return NULL;
}

enum mauth_rc
housekeeper_start(
    const struct service *service, struct housekeeper **out, struct mauth_err *err)
{
    struct housekeeper *h;
    pthread_condattr_t attr;
    enum mauth_rc rc;

    *out = NULL;
    rc = sign_trust(service, err);
    if (rc != MAUTH_OK)
        return rc;
    h = calloc(1, sizeof(*h));
    if (!h)
        return mauth_fail(err, MAUTH_NO_MEMORY, "housekeeper: no memory");
    h->service = service;
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&h->thread, NULL, keep_house, h) != 0) {
        free(h);
        return mauth_fail(err, MAUTH_UNAVAILABLE, "housekeeper: no thread");
    }
    *out = h;
    return MAUTH_OK;
}

static void
tell(struct housekeeper *h, bool *what)
{
    pthread_mutex_lock(&h->lock);
    *what = true;
    pthread_cond_signal(&h->wake);
    pthread_mutex_unlock(&h->lock);
}

void
housekeeper_wake(struct housekeeper *h)
{
    tell(h, &h->now);
}

void
housekeeper_stop(struct housekeeper *h)
{
    if (!h)
        return;
    tell(h, &h->stop);
    pthread_join(h->thread, NULL);
    pthread_cond_destroy(&h->wake);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
