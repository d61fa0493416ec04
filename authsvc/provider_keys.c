#include "authsvc/provider_keys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/log.h"
#include "authsvc/provider.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "base/time.h"
#include "net/fetch.h"

#define WELL_KNOWN "/.well-known/openid-configuration"

enum {
    TIMEOUT_MS = 5000, /* of each of the two requests of a fetch */
    RETRY_S = 60,      /* after a fetch that failed, when nobody asks */
    URI_MAX = 2048
};

/* A set in use; freed by whoever holds it last. */
struct set {
    struct jwks *jwks;
    size_t holders; /* under the lock */
};

struct waiter {
    struct waiter *next;
    void (*done)(void *arg);
    void *arg;
};

struct provider_keys {
    const struct config_provider *config;
    struct fetch *fetch; /* NULL: the keys are from a file */
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct set *set;    /* NULL: none yet */
    int64_t not_before; /* no fetch on demand before, monotonic ms */
    int64_t due;        /* a fetch of our own accord */
    bool wanted;        /* somebody asked for a fetch */
    bool busy;          /* it is under way */
    bool stop;
    struct waiter *waiters;
};

static struct set *
hold(struct provider_keys *k)
{
    struct set *s;

    pthread_mutex_lock(&k->lock);
    s = k->set;
    if (s)
        s->holders++;
    pthread_mutex_unlock(&k->lock);
    return s;
}

static void
let_go(struct provider_keys *k, struct set *s)
{
    bool last;

    pthread_mutex_lock(&k->lock);
    last = --s->holders == 0;
    pthread_mutex_unlock(&k->lock);
    if (!last)
        return;
    jwks_free(s->jwks);
    free(s);
}

/* Takes jwks over, also when it fails. */
static enum mauth_rc
replace(struct provider_keys *k, struct jwks *jwks, struct mauth_err *err)
{
    struct set *s = calloc(1, sizeof(*s)), *old;

    if (!s) {
        jwks_free(jwks);
        return mauth_fail(err, MAUTH_NO_MEMORY, "provider: no memory");
    }
    s->jwks = jwks;
    s->holders = 1;
    pthread_mutex_lock(&k->lock);
    old = k->set;
    k->set = s;
    pthread_mutex_unlock(&k->lock);
    if (old)
        let_go(k, old);
    return MAUTH_OK;
}

static enum mauth_rc
get(struct provider_keys *k, const char *url, struct buf *body, struct mauth_err *err)
{
    struct fetch_request r = {.url = url};
    enum mauth_rc rc;
    long status;

    rc = fetch_do(k->fetch, &r, &status, body, err);
    if (rc == MAUTH_OK && status != 200)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "provider: answered %ld", status);
    return rc;
}

/* OpenID Connect Discovery 4.3: the issuer inside must be the one we asked for. */
static enum mauth_rc
read_metadata(const struct provider_keys *k, const struct buf *body, struct buf *uri,
    struct mauth_err *err)
{
    json_t *json =
        json_loadb((const char *)body->data, body->len, JSON_REJECT_DUPLICATES, NULL);
    const char *issuer = json_string_value(json_object_get(json, "issuer"));
    const char *jwks_uri = json_string_value(json_object_get(json, "jwks_uri"));
    enum mauth_rc rc = MAUTH_OK;

    if (!issuer || !jwks_uri)
        rc = mauth_fail(err, MAUTH_MALFORMED,
            "provider: its metadata do not name \"issuer\" and \"jwks_uri\"");
    else if (strcmp(issuer, k->config->issuer) != 0)
        rc = mauth_fail(
            err, MAUTH_UNTRUSTED, "provider: its metadata are another issuer's");
    else if (!text_starts(text_of(jwks_uri), "https://") || strlen(jwks_uri) > URI_MAX)
        rc = mauth_fail(err, MAUTH_UNTRUSTED, "provider: \"jwks_uri\" is not https");
    else
        buf_str(uri, jwks_uri);
    json_decref(json);
    return rc;
}

static enum mauth_rc
discover(struct provider_keys *k, struct jwks **out, struct mauth_err *err)
{
    const char *issuer = k->config->issuer;
    size_t len = strlen(issuer);
    struct buf url, body;
    enum mauth_rc rc;

    *out = NULL;
    buf_init(&url);
    buf_init(&body);
    /* "/" at the end goes before the path is put there (Discovery 4). */
    buf_put(&url, issuer, len && issuer[len - 1] == '/' ? len - 1 : len);
    buf_str(&url, WELL_KNOWN);
    if (!buf_cstr(&url)) {
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "provider: no memory");
        goto out;
    }
    rc = get(k, (const char *)url.data, &body, err);
    buf_rewind(&url);
    if (rc == MAUTH_OK)
        rc = read_metadata(k, &body, &url, err);
    buf_rewind(&body);
    if (rc == MAUTH_OK && !buf_cstr(&url))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "provider: no memory");
    if (rc == MAUTH_OK)
        rc = get(k, (const char *)url.data, &body, err);
    if (rc == MAUTH_OK)
        rc = jwks_parse((struct text){(const char *)body.data, body.len}, out, err);
out:
    buf_clear(&url);
    buf_clear(&body);
    return rc;
}

/* Until somebody asks or it is time; false: it is over. */
static bool
wait_for_turn(struct provider_keys *k)
{
    struct timespec until;
    bool go_on;

    pthread_mutex_lock(&k->lock);
    until.tv_sec = (time_t)(k->due / 1000);
    until.tv_nsec = (long)(k->due % 1000) * 1000000;
    while (!k->wanted && !k->stop)
        if (pthread_cond_timedwait(&k->wake, &k->lock, &until) != 0)
            break;
    go_on = !k->stop;
    k->wanted = false;
    k->busy = go_on;
    pthread_mutex_unlock(&k->lock);
    return go_on;
}

/* Everybody who waits is told, outside the lock: they come back with questions. */
static void
call_back(struct provider_keys *k, bool fetched)
{
    int64_t now = time_monotonic_ms();
    struct waiter *w;

    pthread_mutex_lock(&k->lock);
    k->busy = false;
    k->not_before = now + INT64_C(1000) * PROVIDER_FLOOR_S;
    k->due = now + INT64_C(1000) * (fetched ? PROVIDER_FRESH_S : RETRY_S);
    w = k->waiters;
    k->waiters = NULL;
    pthread_mutex_unlock(&k->lock);
    while (w) {
        struct waiter *next = w->next;

        w->done(w->arg);
        free(w);
        w = next;
    }
}

static void *
keep_fresh(void *arg)
{
    struct provider_keys *k = arg;

    while (wait_for_turn(k)) {
        struct mauth_err err = MAUTH_ERR_INIT;
        struct jwks *fresh = NULL;
        enum mauth_rc rc = discover(k, &fresh, &err);

        if (rc == MAUTH_OK)
            rc = replace(k, fresh, &err);
        if (rc)
            log_error("the keys of the identity provider \"%s\" cannot be fetched: %s",
                k->config->name, err.text);
        call_back(k, rc == MAUTH_OK);
    }
    call_back(k, false);
    return NULL;
}

static enum mauth_rc
read_keys(struct provider_keys *k, struct mauth_err *err)
{
    struct jwks *jwks = NULL;
    struct buf body;
    enum mauth_rc rc;

    buf_init(&body);
    rc = file_read(k->config->jwks_file, JWKS_MAX, &body, err);
    if (rc == MAUTH_OK)
        rc = jwks_parse((struct text){(const char *)body.data, body.len}, &jwks, err);
    buf_clear(&body);
    if (rc)
        return rc;
    if (jwks_count(jwks) == 0) {
        jwks_free(jwks);
        return mauth_fail(err, MAUTH_MALFORMED,
            "provider: no key for RS256 or ES256 in %s", k->config->jwks_file);
    }
    return replace(k, jwks, err);
}

static enum mauth_rc
start_fetching(struct provider_keys *k, struct mauth_err *err)
{
    const struct fetch_options o = {
        .ca_file = k->config->ca_file,
        .max_bytes = JWKS_MAX,
        .timeout_ms = TIMEOUT_MS,
    };
    enum mauth_rc rc = fetch_open(&o, &k->fetch, err);

    if (rc)
        return rc;
    k->wanted = true;
    if (pthread_create(&k->thread, NULL, keep_fresh, k) == 0)
        return MAUTH_OK;
    fetch_close(k->fetch);
    k->fetch = NULL; /* there is no thread to wait for */
    return mauth_fail(err, MAUTH_UNAVAILABLE, "provider: no thread");
}

enum mauth_rc
provider_keys_open(const struct config_provider *config, struct provider_keys **out,
    struct mauth_err *err)
{
    struct provider_keys *k = calloc(1, sizeof(*k));
    pthread_condattr_t attr;
    enum mauth_rc rc;

    *out = NULL;
    if (!k)
        return mauth_fail(err, MAUTH_NO_MEMORY, "provider: no memory");
    k->config = config;
    pthread_mutex_init(&k->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&k->wake, &attr);
    pthread_condattr_destroy(&attr);
    rc = config->jwks_file ? read_keys(k, err) : start_fetching(k, err);
    if (rc) {
        provider_keys_close(k);
        return rc;
    }
    *out = k;
    return MAUTH_OK;
}

void
provider_keys_stop(struct provider_keys *k)
{
    if (!k || !k->fetch)
        return;
    pthread_mutex_lock(&k->lock);
    k->stop = true;
    pthread_cond_signal(&k->wake);
    pthread_mutex_unlock(&k->lock);
    fetch_cancel(k->fetch);
}

void
provider_keys_close(struct provider_keys *k)
{
    if (!k)
        return;
    provider_keys_stop(k);
    if (k->fetch)
        pthread_join(k->thread, NULL);
    fetch_close(k->fetch);
    if (k->set)
        let_go(k, k->set);
    pthread_cond_destroy(&k->wake);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

enum mauth_rc
provider_keys_verify(struct provider_keys *k, struct jws *j, const json_t **claims,
    enum jws_refusal *why, struct mauth_err *err)
{
    struct set *s = hold(k);
    enum mauth_rc rc;

    *claims = NULL;
    *why = JWS_FINE;
    if (!s)
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "provider: its keys were not fetched yet");
    rc = jws_verify(j, s->jwks, claims, why, err);
    let_go(k, s);
    return rc;
}

/* Under the lock. */
static bool
may_fetch(const struct provider_keys *k)
{
    if (!k->fetch || k->stop)
        return false;
    return k->busy || k->wanted || time_monotonic_ms() >= k->not_before;
}

bool
provider_keys_may_fetch(struct provider_keys *k)
{
    bool may;

    pthread_mutex_lock(&k->lock);
    may = may_fetch(k);
    pthread_mutex_unlock(&k->lock);
    return may;
}

void
provider_keys_fetch(struct provider_keys *k, void (*done)(void *arg), void *arg)
{
    struct waiter *w = malloc(sizeof(*w));
    bool joined;

    pthread_mutex_lock(&k->lock);
    joined = w && may_fetch(k);
    if (joined) {
        *w = (struct waiter){k->waiters, done, arg};
        k->waiters = w;
        w = NULL; /* now the thread's */
        if (!k->busy)
            k->wanted = true;
        pthread_cond_signal(&k->wake);
    }
    pthread_mutex_unlock(&k->lock);
    free(w);
    if (!joined)
        done(arg);
}
