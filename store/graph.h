/*
 * The resource graph: the number of its state, which tickets carry as asof. Its nodes and
 * links have headers of their own. All functions run inside a transaction of store/kv.
 */
#ifndef STORE_GRAPH_H
#define STORE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "store/kv.h"
#include <meshauth/err.h>
#include <meshauth/key.h>

/* The number of the graph's present state: starts at 1, grows with each change of it. */
MAUTH_MUST_USE enum mauth_rc graph_state(
    struct kv_txn *txn, uint64_t *out, struct mauth_err *err);

enum {
    GRAPH_NAME_MAX = 64
};

enum {
    GRAPH_KEY_HASH = 32 /* SHA-256 of an SPKI */
};

enum {
    GRAPH_PAGE_MAX = 64
};

/* A page of a list of nodes. */
struct graph_ids {
    struct id ids[GRAPH_PAGE_MAX];
    size_t count;
    bool more; /* go on after ids[count - 1] */
};

#endif
