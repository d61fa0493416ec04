/* Logins that nobody is known by, as fast as they are refused: what the log has of them. */
#ifndef TESTS_BENCH_AUDIT_FLOOD_H
#define TESTS_BENCH_AUDIT_FLOOD_H

#include "store/kv.h"
#include "tests/bench/load.h"
#include "tests/bench/tokens.h"

struct audit_flood {
    const struct bench_tokens *tokens;
    int port;
    size_t next;      /* token */
    int64_t since_us; /* when it began */
};

/* Prints how many a second there were. */
MAUTH_MUST_USE enum mauth_rc audit_flood(
    struct audit_flood *f, struct bench_load *l, double seconds, struct mauth_err *err);

/* Once the service has ended: prints the records that speak of them, and their bytes. */
MAUTH_MUST_USE enum mauth_rc audit_flood_left(
    const struct audit_flood *f, struct kv *kv, struct mauth_err *err);

#endif
