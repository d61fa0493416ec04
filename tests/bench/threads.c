#include "tests/bench/threads.h"

#include <pthread.h>
#include <string.h>

#include "base/fail.h"
#include "tests/bench/bench.h"
#include "tests/bench/decide.h"
#include "tests/bench/raw.h"

enum {
    CALLS = 1500, /* of each thread in a turn */
    ROUNDS = 9
};

struct worker {
    pthread_t thread;
    struct bench_decider decider; /* its own request; the verifier is shared */
    const struct bench_ticket *tickets;
    size_t count;
    bool raw;
    bool good;
};

static void *
work(void *arg)
{
    struct worker *w = arg;

    w->good = true;
    for (size_t i = 0; i < CALLS && w->good; i++) {
        const struct bench_ticket *t = &w->tickets[i % w->count];

        w->good = w->raw ? bench_raw_verify(t)
                         : bench_decide(&w->decider, t->plain_header, t->resource);
    }
    return NULL;
}

/* Calls a microsecond of so many threads, each with tickets of its own. */
static double
speed(const struct bench_decider *decider, const struct bench_ticket *tickets,
    size_t count, size_t threads, bool raw)
{
    struct worker w[2];
    int64_t start_ns = bench_now_ns();
    bool good = true;

    for (size_t i = 0; i < threads; i++) {
        w[i] = (struct worker){.decider = *decider,
            .tickets = tickets + i * count / 2,
            .count = count / 2,
            .raw = raw};
        if (pthread_create(&w[i].thread, NULL, work, &w[i]) != 0)
            return 0;
    }
    for (size_t i = 0; i < threads; i++) {
        pthread_join(w[i].thread, NULL);
        good = good && w[i].good;
    }
    return good ? (double)(threads * CALLS) * 1000 / (double)(bench_now_ns() - start_ns)
                : 0;
}

static double
gain(const struct bench_decider *d, const struct bench_ticket *tickets, size_t count,
    bool raw)
{
    double one = speed(d, tickets, count, 1, raw);
    double two = speed(d, tickets, count, 2, raw);

    return one > 0 ? two / one : 0;
}

enum mauth_rc
bench_threads(const struct bench_host *host, const struct bench_ticket *tickets,
    size_t count, struct mauth_err *err)
{
    struct bench_decider decider;
    double ratio[ROUNDS], gains[ROUNDS];
    enum mauth_rc rc = bench_decider_open(&decider, host, 1, err);

    bench_progress("two threads");
    bench_unpin();
    for (size_t i = 0; i < ROUNDS && rc == MAUTH_OK; i++) {
        double raw = gain(&decider, tickets, count, true);

        gains[i] = gain(&decider, tickets, count, false);
        if (raw <= 0 || gains[i] <= 0)
            rc = mauth_fail(err, MAUTH_INTERNAL, "bench: a ticket was not accepted");
        ratio[i] = gains[i] / raw;
    }
    bench_pin();
    if (rc == MAUTH_OK) {
        bench_line(
            "verify.threads2", "ratio", 3, bench_quantile(ratio, ROUNDS, 0.5), "x");
        bench_line(
            "verify.threads2", "gain", 3, bench_quantile(gains, ROUNDS, 0.5), "x");
    }
    bench_decider_close(&decider);
    return rc;
}
