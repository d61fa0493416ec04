/* An auditor who asks a running service one large question after the other. */
#ifndef TESTS_BENCH_AUDIT_DESK_H
#define TESTS_BENCH_AUDIT_DESK_H

#include <pthread.h>
#include <stdatomic.h>

#include "tests/bench/audit_fill.h"
#include "tests/bench/service.h"

struct audit_desk {
    const struct audit_fill *fill;
    int fd;
    char *answer;
    atomic_bool asks; /* or rests */
    atomic_bool stop;
    atomic_ulong answers;
    pthread_t thread;
    bool runs;
    enum mauth_rc rc;
    struct mauth_err err;
};

/* Through its admin socket; he rests at first. End it in any case. */
MAUTH_MUST_USE enum mauth_rc audit_desk_start(struct audit_desk *d,
    const struct bench_service *s, const struct audit_fill *f, struct mauth_err *err);
/* MAUTH_UNAVAILABLE when an answer was none. */
MAUTH_MUST_USE enum mauth_rc audit_desk_end(
    struct audit_desk *d, struct mauth_err *err);

#endif
