/* How many records there are of each kind: by a field, or by a span of time. */
#ifndef AUDIT_TALLY_H
#define AUDIT_TALLY_H

#include <stdint.h>

#include "audit/terms.h"
#include "base/siphash.h"
#include <meshauth/err.h>

/* An audit_field, or one of: */
enum audit_by {
    AUDIT_BY_MINUTE = AUDIT_FIELDS,
    AUDIT_BY_HOUR,
    AUDIT_BY_DAY,
    AUDIT_BYS
};

/* "minute", ... or a field's name; AUDIT_BYS: there is none of that name. */
enum audit_by audit_by_of(const char *name);
/* Microseconds of its span; 0 of a field. */
int64_t audit_by_span(enum audit_by by);

struct tally_row {
    uint64_t kind; /* the term's run_hash(), or when the span begins, microseconds */
    uint64_t count;
    uint64_t sample; /* sequence of a record of this kind */
};

struct audit_tally {
    enum audit_by by;
    uint8_t key[SIPHASH_KEY]; /* of run_hash() */
    uint64_t total;           /* records, each counted once */
    uint64_t first; /* those before it have left the store, and are not counted */
    size_t rows;    /* in use, of those with a count */
    size_t cap;
    struct tally_row *row; /* a table, then (audit_tally_sort) a list */
};

void audit_tally_init(
    struct audit_tally *t, enum audit_by by, const uint8_t key[SIPHASH_KEY]);
void audit_tally_clear(struct audit_tally *t);

MAUTH_MUST_USE enum mauth_rc audit_tally_add(struct audit_tally *t, uint64_t kind,
    uint64_t count, uint64_t sample, struct mauth_err *err);

/* One record that fits. */
MAUTH_MUST_USE enum mauth_rc audit_tally_record(
    struct audit_tally *t, const struct audit_terms *terms, struct mauth_err *err);

/* Spans in their order, fields by how many, the most first: row[0] to row[rows - 1]. */
void audit_tally_sort(struct audit_tally *t);

/* Which term of a record it is that this row counts; empty: none, the record changed. */
struct text audit_tally_label(const struct audit_tally *t, const struct tally_row *row,
    const struct audit_terms *sample);

#endif
