/* Folders: one owner each, a user. Inside a transaction. */
#ifndef STORE_GRAPH_FOLDER_H
#define STORE_GRAPH_FOLDER_H

#include "store/graph.h"
#include "store/graph_label.h"

struct graph_folder {
    struct id id;
    uint64_t version;
    int64_t created_s;
    int64_t updated_s;
    bool live; /* false: deleted, a tombstone */
    bool contributors_invite;
    char name[GRAPH_LABEL_MAX + 1];
};

/* Tombstones are found. */
MAUTH_MUST_USE enum mauth_rc graph_folder_by_id(struct kv_txn *txn, const struct id *id,
    struct graph_folder *out, struct mauth_err *err);

/*
 * Makes want->id, name and contributors_invite at want->created_s, and the owner its
 * first member.
 *
 * MAUTH_CONFLICT   the id was ever taken
 * MAUTH_INVALID    the name
 * MAUTH_NOT_FOUND  no such user, or a closed one
 */
MAUTH_MUST_USE enum mauth_rc graph_folder_create(struct kv_txn *txn,
    const struct graph_folder *want, const struct id *owner, struct mauth_err *err);

/* MAUTH_OK, and no new version, when nothing differs. MAUTH_NOT_FOUND also for a
 * tombstone, as below. */
MAUTH_MUST_USE enum mauth_rc graph_folder_update(struct kv_txn *txn,
    const struct id *id, const char *name, bool contributors_invite, int64_t now_s,
    struct mauth_err *err);

/* Takes members, mappings and pending invitations along and revokes. */
MAUTH_MUST_USE enum mauth_rc graph_folder_delete(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err);

#endif
