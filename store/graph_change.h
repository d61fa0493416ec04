/*
 * What changed in the graph, in order. A change has the number of the state that it
 * made; numbers may be missing (other things make states as well), none comes twice.
 * History is kept for a while only. Inside a transaction.
 *
 * A deleted folder takes its members and mappings along, and an ended claim all mappings
 * of its device: those have no line of their own. All else that ends has one, but for
 * an invitation that merely expires.
 */
#ifndef STORE_GRAPH_CHANGE_H
#define STORE_GRAPH_CHANGE_H

#include "store/graph.h"

enum {
    GRAPH_CHANGE_IDS = 3,
    GRAPH_CHANGES_KEPT = 1 << 20,
    GRAPH_CHANGES_KEPT_S = 7 * 24 * 3600
};

enum graph_change_op {
    GRAPH_CREATED,
    GRAPH_UPDATED,
    GRAPH_DELETED,
    GRAPH_OPS
};

enum graph_change_type {
    GRAPH_CHANGED_USER,
    GRAPH_CHANGED_DEVICE,
    GRAPH_CHANGED_FOLDER,
    GRAPH_CHANGED_CLAIM,      /* device, user */
    GRAPH_CHANGED_MEMBER,     /* folder, user */
    GRAPH_CHANGED_MAPPING,    /* device, folder */
    GRAPH_CHANGED_INVITATION, /* invitation, folder, inviter */
    GRAPH_CHANGED_SERVICE,
    GRAPH_CHANGED_USER_ROLE,    /* user */
    GRAPH_CHANGED_SERVICE_ROLE, /* service */
    GRAPH_CHANGE_TYPES
};

struct graph_change {
    uint64_t sequence;
    int64_t time_s;
    enum graph_change_op op;
    enum graph_change_type type;
    struct id id[GRAPH_CHANGE_IDS];
};

/* How a type is written, and of which kinds its ids are. */
struct graph_change_form {
    const char *name;
    size_t count;
    enum id_kind kind[GRAPH_CHANGE_IDS];
};

const struct graph_change_form *graph_change_form(enum graph_change_type type);
/* "created". */
const char *graph_change_op_name(enum graph_change_op op);

struct graph_changes {
    struct graph_change items[GRAPH_PAGE_MAX];
    size_t count;
    bool more; /* go on after items[count - 1].sequence */
};

/*
 * At most max (GRAPH_PAGE_MAX at most) changes behind the state `after`.
 *
 * MAUTH_NOT_FOUND  some of them are no longer kept, or the graph has never been in that
 *                  state: the reader begins anew, from the graph as it is and its
 *                  graph_state()
 */
MAUTH_MUST_USE enum mauth_rc graph_change_page(struct kv_txn *txn, uint64_t after,
    size_t max, struct graph_changes *out, struct mauth_err *err);

/* Forgets at most max that are older, or more, than is kept; *count is how many. Fewer
 * than max: that was all. */
MAUTH_MUST_USE enum mauth_rc graph_change_purge(struct kv_txn *txn, int64_t now_s,
    size_t max, size_t *count, struct mauth_err *err);

/* Whoever follows begins anew: no change up to the present state is told any more. */
MAUTH_MUST_USE enum mauth_rc graph_change_forget_all(
    struct kv_txn *txn, struct mauth_err *err);

/*
 * For the graph's own files: makes the next state, c->sequence, and puts the change
 * under it. Every change of the graph calls this once.
 */
MAUTH_MUST_USE enum mauth_rc graph_change_put(
    struct kv_txn *txn, struct graph_change *c, struct mauth_err *err);

#endif
