/* Tokens to log in with, and those who wait for a provider's keys. */
#ifndef TESTS_PROVIDERS_H
#define TESTS_PROVIDERS_H

#include <pthread.h>
#include <time.h>

#include "authsvc/log.h"
#include "authsvc/provider.h"
#include "base/time.h"
#include "jose/jws.h"
#include "tests/unit/token.h"

/* What provider.c logs comes here; the library's own log.o is then not linked. */
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static struct buf logged;

void
log_error(const char *format, ...)
{
    char line[512];
    va_list ap;

    va_start(ap, format);
    vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    pthread_mutex_lock(&log_lock);
    buf_str(&logged, line);
    buf_str(&logged, "\n");
    pthread_mutex_unlock(&log_lock);
}

/* The key pairs of this test: P-256 is called "old", RSA "new". */
static inline char *
old_or_new(const char *kid, const char *suffix)
{
    bool old = strcmp(kid, "old") == 0;

    return golden_file(old ? "signing-p256" : "signing-rsa2048", suffix, NULL);
}

/* The set of one of them. */
static inline char *
set_named(const char *kid)
{
    char *pem = old_or_new(kid, ".pub.pem"), *set = NULL;

    assert_int_equal(jwks_from_pem(pem, kid, &set, NULL), MAUTH_OK);
    free(pem);
    return set;
}

/* A good token of a provider, by the old or the new key. */
static inline char *
token_of(const char *issuer, const char *kid)
{
    int64_t now_s = time_now_s();
    json_t *claims =
        json_pack("{s:s, s:s, s:s, s:I, s:I}", "iss", issuer, "sub", "alice", "aud",
            "meshauth", "iat", (json_int_t)now_s, "exp", (json_int_t)now_s + 300);
    char *pem = old_or_new(kid, ".pem"), *token = NULL;

    assert_int_equal(jws_sign(claims, pem, kid, &token, NULL), MAUTH_OK);
    free(pem);
    json_decref(claims);
    return token;
}

/* The reason, "" when taken; what is handed out must agree with that. */
static inline const char *
check(struct providers *p, const char *token, bool *wait)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    static const uint8_t zero[32];
    struct provider_identity who;
    const char *reason = "untouched";
    enum mauth_rc rc;

    rc = providers_check(p, text_of(token), time_now_s(), &who, &reason, wait, &err);
    assert_int_equal(rc, err.rc);
    if (rc == MAUTH_OK) {
        assert_null(reason);
        assert_string_equal(who.subject, "alice");
        assert_memory_not_equal(who.token_hash, zero, 32);
        assert_false(*wait);
        return "";
    }
    assert_non_null(reason);
    assert_null(who.provider);
    assert_string_equal(who.subject, "");
    return reason;
}

/* Somebody who waits for a fetch. */
struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t called;
    int calls;
};

static inline struct waiter *
waiter_new(void)
{
    struct waiter *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->called, NULL);
    return w;
}

static inline void
call(void *arg)
{
    struct waiter *w = arg;

    pthread_mutex_lock(&w->lock);
    w->calls++;
    pthread_cond_signal(&w->called);
    pthread_mutex_unlock(&w->lock);
}

static inline int
calls(struct waiter *w)
{
    int n;

    pthread_mutex_lock(&w->lock);
    n = w->calls;
    pthread_mutex_unlock(&w->lock);
    return n;
}

/* Until it was called so often, 15 seconds at most. */
static inline void
await(struct waiter *w, int n)
{
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 15;
    pthread_mutex_lock(&w->lock);
    while (w->calls < n && rc == 0)
        rc = pthread_cond_timedwait(&w->called, &w->lock, &until);
    assert_int_equal(w->calls, n);
    pthread_mutex_unlock(&w->lock);
}

static inline void
waiter_free(struct waiter *w)
{
    pthread_cond_destroy(&w->called);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

/* As the service does it: check, fetch once if that is worth it, check again. */
static inline const char *
login(struct providers *p, const char *token)
{
    const char *reason;
    bool wait;

    reason = check(p, token, &wait);
    if (wait) {
        struct waiter *w = waiter_new();

        providers_fetch(p, text_of(token), call, w);
        await(w, 1);
        waiter_free(w);
        reason = check(p, token, &wait);
    }
    return reason;
}

#endif
