/*
 * Which segments the archive has: each by its name, with the SHA-256 of its file. A file of
 * another hash is none of them, whatever it says of itself; while one is rewritten there
 * are two, and either is good.
 */
#ifndef STORE_AUDIT_SEGMENTS_H
#define STORE_AUDIT_SEGMENTS_H

#include "audit/archive.h"
#include "store/kv.h"

struct audit_segment {
    char name[ARCHIVE_NAME_MAX];
    struct archive_head head; /* as of archive_name_parse() */
    struct archive_known known;
    char *path; /* where its file belongs */
};

/* Ascending, without gaps, from the log's beginning to the first record in the store. */
struct audit_segments {
    struct audit_segment *item;
    size_t count;
};

/* The archive's folder, to be freed; NULL: no memory. */
MAUTH_MUST_USE char *audit_segments_folder(const struct kv *kv);

MAUTH_MUST_USE enum mauth_rc audit_segments_read(
    struct kv *kv, struct audit_segments *out, struct mauth_err *err);
void audit_segments_clear(struct audit_segments *s);

/* Inside a transaction. */
MAUTH_MUST_USE enum mauth_rc audit_segments_put(struct kv_txn *txn, const char *name,
    const struct archive_known *known, struct mauth_err *err);

#endif
