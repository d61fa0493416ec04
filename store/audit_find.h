/*
 * Questions to the audit log. All functions open transactions of their own, each short; a
 * record that comes or goes meanwhile may be seen or not.
 */
#ifndef STORE_AUDIT_FIND_H
#define STORE_AUDIT_FIND_H

#include "audit/index.h"
#include "store/audit.h"

/* What was looked at, for who must know what was not. */
struct audit_looked {
    struct audit_range in_store;
    uint64_t missing; /* records that are in neither, where the archive was asked */
};

/*
 * Hands out the records that fit, in the filter's order, as many as it wants. index may be
 * NULL, or lack any records: those are looked through one by one, as is the archive. looked
 * may be NULL.
 *
 * MAUTH_UNAVAILABLE    a record on the way is damaged, or the store cannot be read
 * MAUTH_MALFORMED      a segment of the archive is, or is not of this log
 */
MAUTH_MUST_USE enum mauth_rc audit_find(struct kv *kv, struct audit_index *index,
    const struct audit_filter *f, audit_each *each, void *arg,
    struct audit_looked *looked, struct mauth_err *err);

/* Counts the records that fit (limit and after are not looked at) into t, and sorts it. */
MAUTH_MUST_USE enum mauth_rc audit_count(struct kv *kv, struct audit_index *index,
    const struct audit_filter *f, struct audit_tally *t, struct mauth_err *err);

/* What a row counts, appended to out as the record has it (escaped as in JSON); a time
 * where spans are counted. */
MAUTH_MUST_USE enum mauth_rc audit_count_label(struct kv *kv,
    const struct audit_tally *t, const struct tally_row *row, struct buf *out,
    struct mauth_err *err);

#endif
