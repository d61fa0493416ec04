/*
 * The index of the audit log, which makes answers quick: made of its records, beside the
 * store. Functions open transactions of their own, each short.
 */
#ifndef STORE_AUDIT_INDEXING_H
#define STORE_AUDIT_INDEXING_H

#include "audit/index.h"
#include "store/kv.h"

/* Opens the index that lies beside the store, if it is of this log; read_only as of
 * audit_index_open(). */
MAUTH_MUST_USE enum mauth_rc audit_indexing_open(
    struct kv *kv, bool read_only, struct audit_index **out, struct mauth_err *err);

/*
 * Makes one more file of the index, if there are records enough for one; *more: there was
 * one. One thread at a time.
 */
MAUTH_MUST_USE enum mauth_rc audit_indexing_step(
    struct kv *kv, struct audit_index *index, bool *more, struct mauth_err *err);

#endif
