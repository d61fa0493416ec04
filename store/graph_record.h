/*
 * How the files of the graph keep their records: a version byte, then fields.
 * Private to store/graph*.c and what hangs on the graph.
 */
#ifndef STORE_GRAPH_RECORD_H
#define STORE_GRAPH_RECORD_H

#include "base/buf.h"
#include "base/id.h"
#include "store/graph_change.h"
#include "store/graph_user.h"
#include "store/key.h"

enum {
    RECORD_MAX = 2560 /* a service with all that it may have */
};

/* Behind each id of a key: what its end is made of. */
extern const uint8_t record_last[ID_BYTES + 1];

MAUTH_MUST_USE enum mauth_rc record_damaged(const char *what, struct mauth_err *err);
/* A record of this space, from behind its version byte. */
MAUTH_MUST_USE enum mauth_rc record_load(struct kv_txn *txn, enum store_space space,
    const void *name, size_t len, struct reader *r, struct mauth_err *err);
/* The same of a value at hand; false when it has another version. */
MAUTH_MUST_USE bool record_begin(struct text value, struct reader *r);
void record_open(struct buf *b, uint8_t raw[RECORD_MAX]);
void record_id(struct buf *b, const struct id *id);
MAUTH_MUST_USE enum mauth_rc record_save(struct kv_txn *txn, enum store_space space,
    const void *name, size_t len, const struct buf *record, struct mauth_err *err);

/* An address and its issuer, or none: two fields. */
void record_put_email(struct buf *b, const struct graph_email *e);
MAUTH_MUST_USE bool record_email(struct reader *r, struct graph_email *out);

/* The ids that follow this prefix as the last part of keys, behind after (or NULL). */
MAUTH_MUST_USE enum mauth_rc record_page(struct kv_txn *txn,
    const struct store_key *prefix, const struct id *after, struct graph_ids *out,
    struct mauth_err *err);

/* Of the store's graph_service files: the id that a name, a key or a prefix leads to. */
MAUTH_MUST_USE enum mauth_rc record_way_to_service(struct kv_txn *txn,
    enum store_space space, struct text by, struct id *out, struct mauth_err *err);
MAUTH_MUST_USE bool record_is_prefix(struct text url);

/* The next state; *out is its number. A change of the graph calls graph_change_put(). */
MAUTH_MUST_USE enum mauth_rc graph_advance(
    struct kv_txn *txn, uint64_t *out, struct mauth_err *err);

/* Revokes what the first `ids` ids of a change held together, as of its state. */
MAUTH_MUST_USE enum mauth_rc graph_revoke(struct kv_txn *txn,
    const struct graph_change *c, size_t ids, struct mauth_err *err);

/* For graph_purge(): each looks whether the tombstone's time is up, and takes it away
 * with all that leads to it. What is not there any more is fine. */
MAUTH_MUST_USE enum mauth_rc graph_user_purge(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc graph_device_purge(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc graph_folder_purge(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc graph_invitation_purge(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc graph_session_purge(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err);
/* The node's record goes; its id stays taken. */
MAUTH_MUST_USE enum mauth_rc record_purge(
    struct kv_txn *txn, enum id_kind kind, const struct id *id, struct mauth_err *err);

#endif
