/* Questions to a log of which nothing is in memory. */
#ifndef TESTS_BENCH_AUDIT_COLD_H
#define TESTS_BENCH_AUDIT_COLD_H

#include "tests/bench/audit_fill.h"

/*
 * Prints what questions take at a store that lies in folder dir, indexed, which nobody
 * has open: it is opened for each question, with none of its files' pages in memory.
 * MAUTH_INTERNAL when an answer is not what it must be.
 */
MAUTH_MUST_USE enum mauth_rc audit_cold(
    const struct audit_fill *f, const char *dir, size_t rounds, struct mauth_err *err);

#endif
