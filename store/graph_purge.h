/*
 * Tombstones and their end. A closed user, a deleted folder, a device that nobody claims
 * and an invitation that has expired stay for GRAPH_KEPT_S; then nothing is left of them
 * but that their id was taken, and of an invitation not even that: the server alone
 * makes those, at random. A session goes when its time is over. Inside a transaction.
 */
#ifndef STORE_GRAPH_PURGE_H
#define STORE_GRAPH_PURGE_H

#include "store/graph.h"

enum {
    GRAPH_KEPT_S = 30 * 24 * 3600
};

/*
 * Looks at no more than max that are due, oldest first; *count is how many it looked at.
 * Fewer than max: that was all. Each costs a few puts.
 */
MAUTH_MUST_USE enum mauth_rc graph_purge(struct kv_txn *txn, int64_t now_s, size_t max,
    size_t *count, struct mauth_err *err);

/* For the graph's own files. */

/* To be looked at once at_s has come. */
MAUTH_MUST_USE enum mauth_rc graph_purge_at(struct kv_txn *txn, enum id_kind kind,
    const struct id *id, int64_t at_s, struct mauth_err *err);
/* Is there, or was there once, a node with this id? MAUTH_NOT_FOUND (not noted in err)
 * when it is free. */
MAUTH_MUST_USE enum mauth_rc graph_purge_taken(
    struct kv_txn *txn, enum id_kind kind, const struct id *id, struct mauth_err *err);

#endif
