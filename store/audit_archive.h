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

#include "audit/archive.h"
#include "audit/index.h"
#include "store/audit.h"

/* The longest that records stay; 0: for ever. */
struct audit_keep {
    int64_t age_us;
    uint64_t bytes; /* of all records in the store, about */
};

/*
 * One step: a segment of the oldest records that are to leave, or a few of those deleted
 * that have. *more: there may be more to do at once. Records leave by age when there are
 * enough for a segment, or once a day. index (or NULL) lets go of them too. One thread at a
 * time, and none at audit_erase_step().
 *
 * MAUTH_UNAVAILABLE  the archive cannot be written, or a record is damaged: err says which
 */
MAUTH_MUST_USE enum mauth_rc audit_archive_step(struct kv *kv,
    struct audit_index *index, const struct audit_keep *keep, int64_t now_us,
    bool *more, struct mauth_err *err);

/* The archive's folder, to be freed; NULL: no memory. */
MAUTH_MUST_USE char *audit_archive_folder(const struct kv *kv);

/* What is asked of the archive. */
struct audit_archive_ask {
    uint64_t from, to; /* sequences; to is not included */
    int64_t since_us,
        until_us; /* segments that lie before or behind are not read; 0: any */
    enum kv_order order;
    /* Both borrow what they get. Only what wants says yes to is handed out. */
    bool (*wants)(const struct archive_record *r, void *arg);
    audit_each *each; /* until it returns false */
    void *arg;
};

/*
 * Asks it of each record that is in a segment, once. Each of them was held against its leaf
 * in the log's tree. Segments that are not there are passed over.
 *
 * MAUTH_MALFORMED  a segment is damaged, or not of this log: err says which, and where
 */
MAUTH_MUST_USE enum mauth_rc audit_archive_scan(
    struct kv *kv, const struct audit_archive_ask *ask, struct mauth_err *err);

#endif
