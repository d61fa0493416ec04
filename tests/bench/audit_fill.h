/*
 * A log of many records, as meshauthd writes them. What record i says follows from i, so
 * that nothing need be remembered. A million records make a day; each user has 200 of them,
 * spread over all of the log.
 */
#ifndef TESTS_BENCH_AUDIT_FILL_H
#define TESTS_BENCH_AUDIT_FILL_H

#include "audit/filter.h"
#include "tests/bench/mesh.h"

enum {
    AUDIT_FILL_EACH = 200,  /* records of a user */
    AUDIT_FILL_SHARED = 100 /* folders that a quarter of all tickets are for */
};

#define AUDIT_FILL_STEP_US INT64_C(86400) /* between two records */

struct audit_fill {
    const struct bench_mesh *mesh;
    uint64_t records;
    int64_t first_us; /* time of record 0 */
};

/* Users of a log of so many records. */
size_t audit_fill_users(uint64_t records);

/* Record i, ready to be appended; also for i behind the last one. */
MAUTH_MUST_USE enum mauth_rc audit_fill_entry(const struct audit_fill *f, uint64_t i,
    struct audit_entry **out, struct mauth_err *err);

/* Puts them into a store, many to a transaction. */
MAUTH_MUST_USE enum mauth_rc audit_fill_store(
    const struct audit_fill *f, struct kv *kv, struct mauth_err *err);

/* What some of them can be found by: of the user of record i, of its ticket, of shared
 * folder n. */
enum {
    AUDIT_FILL_NAME = 64
};
void audit_fill_user(const struct audit_fill *f, uint64_t i, char out[AUDIT_FILL_NAME]);
void audit_fill_ticket(uint64_t i, char out[AUDIT_FILL_NAME]);
void audit_fill_folder(const struct audit_fill *f, size_t n, char out[AUDIT_FILL_NAME]);
/* Is it of a kind that has a ticket? */
bool audit_fill_has_ticket(uint64_t i);

#endif
