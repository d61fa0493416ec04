/* Folders: one owner each, a user. Inside a transaction. */
#ifndef STORE_GRAPH_FOLDER_H
#define STORE_GRAPH_FOLDER_H

#include "store/graph_device.h"

struct graph_folder {
    struct id id;
    uint64_t version;
    int64_t created_s;
    int64_t updated_s;
    bool live; /* false: deleted; the id stays taken */
    char name[GRAPH_LABEL_MAX + 1];
};

MAUTH_MUST_USE enum mauth_rc graph_folder_by_id(struct kv_txn *txn, const struct id *id,
    struct graph_folder *out, struct mauth_err *err);

/* MAUTH_CONFLICT: the id is taken, be it by a tombstone. MAUTH_INVALID: the name. */
MAUTH_MUST_USE enum mauth_rc graph_folder_create(struct kv_txn *txn,
    const struct id *id, const struct id *owner, const char *name, int64_t now_s,
    struct mauth_err *err);

/* MAUTH_NOT_FOUND also for a tombstone, as below. */
MAUTH_MUST_USE enum mauth_rc graph_folder_rename(struct kv_txn *txn,
    const struct id *id, const char *name, int64_t now_s, struct mauth_err *err);

/* Takes members and mappings along and revokes. */
MAUTH_MUST_USE enum mauth_rc graph_folder_delete(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err);

#endif
