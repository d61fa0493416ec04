/* A decision over a ticket that was seen before, among many others. */
#ifndef TESTS_BENCH_CACHED_H
#define TESTS_BENCH_CACHED_H

#include "tests/bench/ticket.h"
#include <meshauth/err.h>

/* Prints what a hit costs, plain and deflated. */
MAUTH_MUST_USE enum mauth_rc bench_cached(
    const struct bench_host *host, struct mauth_err *err);

#endif
