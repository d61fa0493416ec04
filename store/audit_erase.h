/*
 * Letting go of what the audit log says of one person, on request: every record of what the
 * user did, and of what others did to him, is erased, in the store, in its index and in the
 * archive. Of each its time stays, of a ticket's issue its ID and digest; the leaf stays in
 * the tree, which is as whole as before. That it was asked for, and done, is itself on
 * record, and stays.
 *
 * The request is put into the store together with that record, and is worked off in steps:
 * whatever interrupts them, they go on where they were.
 */
#ifndef STORE_AUDIT_ERASE_H
#define STORE_AUDIT_ERASE_H

#include "audit/index.h"
#include "base/id.h"
#include "store/kv.h"

/* The actions of that record, and of the one that it was done. */
#define AUDIT_ERASE_ACTION  "audit.erase"
#define AUDIT_ERASED_ACTION "audit.erased"

struct audit_erasure {
    struct id user;
    uint64_t end; /* records before this one are looked at: those that were there */
    uint64_t segments; /* of the archive that have been looked at, and then ... */
    uint64_t at;       /* ... records of the store before this one */
    uint64_t erased;   /* how many so far */
    uint64_t missing;  /* segments that were not in the archive, and are as they were */
};

/* MAUTH_CONFLICT: it is asked for already. */
MAUTH_MUST_USE enum mauth_rc audit_erase_begin(
    struct kv_txn *txn, const struct id *user, struct mauth_err *err);

/* The first that is not done, behind after (or NULL). MAUTH_NOT_FOUND: there is none. */
MAUTH_MUST_USE enum mauth_rc audit_erase_next(struct kv_txn *txn,
    const struct id *after, struct audit_erasure *out, struct mauth_err *err);

/*
 * One step, of seconds at most, of the first that is not done; *out says how far it has
 * come, *more is false when there is none. It waits, doing nothing, until
 * audit_archive_step() has deleted what has left before. One thread at a time, and none at
 * audit_archive_step() or audit_indexing_step() with this index, which may be NULL.
 *
 * MAUTH_MALFORMED, MAUTH_UNAVAILABLE  a segment cannot be read or written, a record is
 *                                     damaged: err says which; what is before is erased
 */
MAUTH_MUST_USE enum mauth_rc audit_erase_step(struct kv *kv, struct audit_index *index,
    struct audit_erasure *out, bool *more, struct mauth_err *err);

#endif
