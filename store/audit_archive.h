/*
 * How long records stay in the store, and where they go: the oldest leave for segments of
 * the archive, a folder beside the store (audit/archive). Their leaves stay in the tree, so
 * that a segment can be held against the log for ever.
 *
 * Nothing leaves before its segment is durable and has been read back; whatever is damaged
 * stays, and is told of. All functions open transactions of their own, each short.
 */
#ifndef STORE_AUDIT_ARCHIVE_H
#define STORE_AUDIT_ARCHIVE_H

#include <stdatomic.h>

#include "audit/archive.h"
#include "audit/index.h"
#include "store/audit.h"
#include "store/audit_segments.h"

/* The longest that records stay; 0: for ever. */
struct audit_keep {
    int64_t age_us;
    uint64_t bytes; /* of all records in the store, about */
    /* Called before and after records are deleted that have left; may be NULL. */
    void (*dropping)(bool begins, void *arg);
    void *arg;
};

/*
 * One step: a segment of the oldest records that are to leave, or a few of those deleted
 * that have. *more: there may be more to do at once. Records leave by age when there are
 * enough for a segment, or once a day; none does while an erasure is not done. index (or
 * NULL) lets go of them too. One thread at a time, and none at audit_erase_step(). Whoever
 * looks through records meanwhile may miss those that are deleted: see dropping.
 *
 * MAUTH_UNAVAILABLE  the archive cannot be written, or a record is damaged: err says which
 */
MAUTH_MUST_USE enum mauth_rc audit_archive_step(struct kv *kv,
    struct audit_index *index, const struct audit_keep *keep, int64_t now_us,
    bool *more, struct mauth_err *err);

/* What is asked of the archive. */
struct audit_archive_ask {
    uint64_t from, to; /* sequences; to is not included */
    int64_t since_us;  /* going down, segments that lie before are not read; 0: any */
    enum kv_order order;
    /* Both borrow what they get. Only what wants says yes to is handed out. */
    bool (*wants)(const struct archive_record *r, void *arg);
    audit_each *each; /* until it returns false */
    void *arg;
    const atomic_bool *stop; /* it ends when this is true, MAUTH_UNAVAILABLE; or NULL */
};

/*
 * Asks it of each record that is in a segment. Each of them was held against its leaf in
 * the log's tree, and its segment against the hash that it was written with. Segments that
 * are not there are passed over: *missing is how many of their records were asked for.
 *
 * MAUTH_MALFORMED  a segment is not the one that was written: err says which, and where
 */
MAUTH_MUST_USE enum mauth_rc audit_archive_scan(struct kv *kv,
    const struct audit_archive_ask *ask, uint64_t *missing, struct mauth_err *err);

#endif
