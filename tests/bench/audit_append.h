/* How fast records come into the log, each answered once its commit is durable. */
#ifndef TESTS_BENCH_AUDIT_APPEND_H
#define TESTS_BENCH_AUDIT_APPEND_H

#include "tests/bench/audit_fill.h"

/* Prints the rate at the full store, at an empty one, and that of both over each other. */
MAUTH_MUST_USE enum mauth_rc audit_append_race(const struct audit_fill *f,
    struct kv *full, struct kv *empty, double seconds, struct mauth_err *err);

#endif
