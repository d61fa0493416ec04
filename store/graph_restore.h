/* The graph of a store that was restored from a backup. Inside a transaction. */
#ifndef STORE_GRAPH_RESTORE_H
#define STORE_GRAPH_RESTORE_H

#include <stdbool.h>

#include "store/graph.h"

#define GRAPH_LEAP \
    (UINT64_C(1) << 32) /* states, more than were made since the backup */

/*
 * Its state leaps behind every one that there has been since, in which every ticket is
 * dead and no change is told; and all sessions are closed, unless they are kept: then
 * those count that were closed since the backup was made.
 */
MAUTH_MUST_USE enum mauth_rc graph_restore(struct kv_txn *txn, bool keep_sessions,
    uint64_t *state, size_t *sessions, struct mauth_err *err);

#endif
