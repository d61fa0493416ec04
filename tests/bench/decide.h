/* A service that decides: libmeshauth with the golden trust file and one rule. */
#ifndef TESTS_BENCH_DECIDE_H
#define TESTS_BENCH_DECIDE_H

#include "base/buf.h"
#include "tests/bench/ticket.h"
#include <meshauth/verifier.h>

struct bench_decider {
    char dir[64];
    struct mauth_verifier *verifier;
    struct mauth_request request;
    struct mauth_decision decision;
    const char *args[1];
};

/* Remembers so many tickets. Close it also when this fails. */
MAUTH_MUST_USE enum mauth_rc bench_decider_open(struct bench_decider *d,
    const struct bench_host *host, size_t entries, struct mauth_err *err);
void bench_decider_close(struct bench_decider *d);

/* May the holder of this header read the resource? False: no, or it failed. */
MAUTH_MUST_USE bool bench_decide(
    struct bench_decider *d, struct text header, const char *resource);

#endif
