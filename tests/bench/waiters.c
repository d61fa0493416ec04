#include "tests/bench/waiters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "keys/trust_delta.h"

enum {
    HOURS_S = 36000 /* longer than any run */
};

bool
waiters_place(const char *answer, char out[48])
{
    static const char name[] = "\r\nETag: \"";
    const char *at = strcasestr(answer, name);
    size_t len = at ? strcspn(at + sizeof(name) - 1, "\"") : 0;

    if (!at || len >= 48)
        return false;
    memcpy(out, at + sizeof(name) - 1, len);
    out[len] = '\0';
    return true;
}

size_t
waiters_ask(int port, const char *ticket, const char *after, char *out, size_t max)
{
    return (size_t)snprintf(out, max,
        "GET /v1/trust%s%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
        "Authorization: Bearer %s\r\nAccept: " TRUST_DELTA_TYPE "\r\n\r\n",
        *after ? "?after=" : "", after, port, ticket);
}

static size_t
write_request(void *arg, size_t connection, char *out, size_t max)
{
    struct waiters *w = arg;

    if (atomic_load(&w->stop))
        return 0;
    return waiters_ask(w->exchange->port, w->exchange->ticket[connection],
        w->after[connection], out, max);
}

static void
take_answer(void *arg, size_t connection, const char *answer)
{
    struct waiters *w = arg;

    if (!waiters_place(answer, w->after[connection]))
        w->after[connection][0] = '\0'; /* the whole file then */
}

static void *
wait_on(void *arg)
{
    struct waiters *w = arg;
    const struct bench_asker asker = {.write = write_request,
        .arg = w,
        .want = "meshauth-trust",
        .took = take_answer};

    w->rc = bench_load_turn(w->load, &asker, HOURS_S, &w->result, &w->err);
    return NULL;
}

enum mauth_rc
waiters_start(struct waiters *w, struct bench_load *load, struct exchange *exchange,
    size_t count, const char *after, struct mauth_err *err)
{
    memset(w, 0, sizeof(*w));
    w->load = load;
    w->exchange = exchange;
    w->after = calloc(count, sizeof(*w->after));
    if (!w->after)
        return mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    for (size_t i = 0; i < count; i++)
        snprintf(w->after[i], sizeof(w->after[i]), "%s", after);
    w->runs = pthread_create(&w->thread, NULL, wait_on, w) == 0;
    return w->runs ? MAUTH_OK : mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no thread");
}

void
waiters_stop(struct waiters *w)
{
    atomic_store(&w->stop, true);
}

enum mauth_rc
waiters_end(struct waiters *w, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    if (w->runs) {
        pthread_join(w->thread, NULL);
        rc = w->rc;
        if (rc != MAUTH_OK)
            rc = mauth_fail(err, rc, "%s", w->err.text);
        else if (w->result.errors)
            rc = mauth_fail(err, MAUTH_UNAVAILABLE, "bench: %zu updaters failed: %s",
                w->result.errors, w->result.complaint);
    }
    w->runs = false;
    free(w->result.latency_ms);
    free(w->after);
    w->result.latency_ms = NULL;
    w->after = NULL;
    return rc;
}
