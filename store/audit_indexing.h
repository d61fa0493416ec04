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
 * Tells the index of a few more records, and writes a file of it when one is due; *more:
 * there are more records. One thread at a time.
 */
MAUTH_MUST_USE enum mauth_rc audit_indexing_step(
    struct kv *kv, struct audit_index *index, bool *more, struct mauth_err *err);

#endif
