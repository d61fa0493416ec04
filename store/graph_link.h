/*
 * The links of the graph. Each lies in the store twice, once from either end, and
 * can be paged through from both. All functions run inside a transaction.
 */
#ifndef STORE_GRAPH_LINK_H
#define STORE_GRAPH_LINK_H

#include "base/buf.h"
#include "store/graph.h"

/* What a page lists: the far ends of one node's links. */
enum graph_way {
    GRAPH_CLAIMED_BY_DEVICE, /* users of a device */
    GRAPH_CLAIMED_BY_USER,   /* devices of a user */
    GRAPH_MEMBER_BY_FOLDER,  /* users of a folder */
    GRAPH_MEMBER_BY_USER,    /* folders of a user */
    GRAPH_MAPPED_BY_DEVICE,  /* folders on a device */
    GRAPH_MAPPED_BY_FOLDER,  /* devices of a folder */
    GRAPH_WAYS
};

/* Ordered: who has more has all of less. GRAPH_NO_ROLE on claims and mappings. */
enum graph_role {
    GRAPH_NO_ROLE,
    GRAPH_READER,
    GRAPH_CONTRIBUTOR,
    GRAPH_OWNER
};

/* "reader"; "" for GRAPH_NO_ROLE. */
const char *graph_role_name(enum graph_role role);
/* GRAPH_NO_ROLE when it is none. */
enum graph_role graph_role_named(struct text name);

struct graph_link {
    struct id to;
    enum graph_role role;
    uint64_t version;
    int64_t created_s;
    int64_t updated_s;
};

struct graph_page {
    struct graph_link links[GRAPH_PAGE_MAX];
    size_t count;
    bool more; /* go on after links[count - 1].to */
};

/* At most GRAPH_PAGE_MAX links of from, by the far end's id, behind after (or NULL). */
MAUTH_MUST_USE enum mauth_rc graph_link_page(struct kv_txn *txn, enum graph_way way,
    const struct id *from, const struct id *after, struct graph_page *out,
    struct mauth_err *err);

/* The first link of from behind after (or NULL), or MAUTH_NOT_FOUND (not noted in err). */
MAUTH_MUST_USE enum mauth_rc graph_link_next(struct kv_txn *txn, enum graph_way way,
    const struct id *from, const struct id *after, struct graph_link *out,
    struct mauth_err *err);

/* MAUTH_NOT_FOUND (not noted in err) when there is no such link. */
MAUTH_MUST_USE enum mauth_rc graph_link_find(struct kv_txn *txn, enum graph_way way,
    const struct id *from, const struct id *to, struct graph_link *out,
    struct mauth_err *err);

/* For the graph's own files: both directions at once, no invariant looked at. */
MAUTH_MUST_USE enum mauth_rc graph_link_put(struct kv_txn *txn, enum graph_way way,
    const struct id *from, const struct graph_link *l, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc graph_link_delete(struct kv_txn *txn, enum graph_way way,
    const struct id *from, const struct id *to, struct mauth_err *err);
/* All links of from; *count is how many there were. */
MAUTH_MUST_USE enum mauth_rc graph_link_delete_all(struct kv_txn *txn,
    enum graph_way way, const struct id *from, size_t *count, struct mauth_err *err);

#endif
