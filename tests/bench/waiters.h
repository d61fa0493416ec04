/* Updaters of other services, who all wait for the next trust file. */
#ifndef TESTS_BENCH_WAITERS_H
#define TESTS_BENCH_WAITERS_H

#include <pthread.h>
#include <stdatomic.h>

#include "tests/bench/exchange.h"
#include "tests/bench/load.h"

struct waiters {
    struct bench_load *load;
    struct exchange *exchange; /* they have logged in with it */
    char (*after)[48];         /* the place of the file that each has */
    atomic_bool stop;
    pthread_t thread;
    bool runs;
    struct bench_load_result result;
    enum mauth_rc rc;
    struct mauth_err err;
};

/* In a thread of its own, from this place on. End it in any case. */
MAUTH_MUST_USE enum mauth_rc waiters_start(struct waiters *w, struct bench_load *load,
    struct exchange *exchange, size_t count, const char *after, struct mauth_err *err);
/* They ask no more: each gets one answer yet, with the next file. */
void waiters_stop(struct waiters *w);
/* Once it has come. */
MAUTH_MUST_USE enum mauth_rc waiters_end(struct waiters *w, struct mauth_err *err);

/* The place in an answer's ETag; false when there is none. */
MAUTH_MUST_USE bool waiters_place(const char *answer, char out[48]);
/* The request for what comes behind a place ("": for the file); its length. */
size_t waiters_ask(
    int port, const char *ticket, const char *after, char *out, size_t max);

#endif
