/* What the graph's functions take inside this process, without a service around them. */
#ifndef TESTS_BENCH_INSIDE_H
#define TESTS_BENCH_INSIDE_H

#include "tests/bench/mesh.h"

struct inside {
    struct kv *kv;
    const struct bench_mesh *mesh;
    uint64_t random;
};

/* Microseconds to find one folder and its owner's membership, of folders at random. */
MAUTH_MUST_USE enum mauth_rc inside_read(
    struct inside *i, size_t count, double *us, struct mauth_err *err);
/* Microseconds to change one member's role, in a transaction that is undone. */
MAUTH_MUST_USE enum mauth_rc inside_change(
    struct inside *i, size_t count, double *us, struct mauth_err *err);

#endif
