/*
 * Questions to the audit log, and the index that makes their answers quick. All
 * functions open transactions of their own, each short; a record that comes or goes
 * meanwhile may be seen or not.
 */
#ifndef STORE_AUDIT_FIND_H
#define STORE_AUDIT_FIND_H

#include "audit/index.h"
#include "store/audit.h"

/*
 * Hands out the records that fit, in the filter's order, as many as it wants; json is
 * borrowed for the call, which returns false to stop. index may be NULL, or lack any
 * records: those are looked through one by one.
 *
 * MAUTH_UNAVAILABLE    a record on the way is damaged, or the store cannot be read
 */
typedef bool audit_each(uint64_t sequence, struct text json, void *arg);
MAUTH_MUST_USE enum mauth_rc audit_find(struct kv *kv, struct audit_index *index,
    const struct audit_filter *f, audit_each *each, void *arg, struct mauth_err *err);

/* Counts the records that fit (limit and after are not looked at) into t, and sorts it. */
MAUTH_MUST_USE enum mauth_rc audit_count(struct kv *kv, struct audit_index *index,
    const struct audit_filter *f, struct audit_tally *t, struct mauth_err *err);

/* What a row counts, appended to out as the record has it (escaped as in JSON); a time
 * where spans are counted. */
MAUTH_MUST_USE enum mauth_rc audit_count_label(struct kv *kv,
    const struct audit_tally *t, const struct tally_row *row, struct buf *out,
    struct mauth_err *err);

/* Opens the index that lies beside the store, if it is of this log; read_only as of
 * audit_index_open(). */
MAUTH_MUST_USE enum mauth_rc audit_find_open(
    struct kv *kv, bool read_only, struct audit_index **out, struct mauth_err *err);

/*
 * Makes one more file of the index, if there are records enough for one; *more: there was
 * one. One thread at a time.
 */
MAUTH_MUST_USE enum mauth_rc audit_index_step(
    struct kv *kv, struct audit_index *index, bool *more, struct mauth_err *err);

#endif
