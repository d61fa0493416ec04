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

/*
 * A member's role in a folder is a name; what each may do is for the rules to say. The
 * graph itself knows two: a folder has one owner, who becomes a contributor by passing it
 * on.
 */
#define GRAPH_NO_ROLE     "" /* of claims and mappings */
#define GRAPH_READER      "reader"
#define GRAPH_CONTRIBUTOR "contributor"
#define GRAPH_OWNER       "owner"

MAUTH_MUST_USE bool graph_role_is(const char *role, const char *other);
/* A name, and not the owner's: that is passed on, never given. */
MAUTH_MUST_USE bool graph_role_can_be_given(const char *role);

struct graph_link {
    struct id to;
    char role[GRAPH_NAME_MAX + 1];
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
