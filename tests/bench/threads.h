/* What a second thread gains. */
#ifndef TESTS_BENCH_THREADS_H
#define TESTS_BENCH_THREADS_H

#include "tests/bench/ticket.h"
#include <meshauth/err.h>

/*
 * Prints verify.threads2.ratio: first decisions of two threads that share a
 * verifier, over those of one, divided by the same gain of raw OpenSSL. tickets are
 * all different; count is even.
 */
MAUTH_MUST_USE enum mauth_rc bench_threads(const struct bench_host *host,
    const struct bench_ticket *tickets, size_t count, struct mauth_err *err);

#endif
