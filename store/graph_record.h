/*
 * How the files of the graph keep their records: a version byte, then fields.
 * Private to store/graph*.c.
 */
#ifndef STORE_GRAPH_RECORD_H
#define STORE_GRAPH_RECORD_H

#include "base/buf.h"
#include "base/id.h"
#include "store/key.h"

enum {
    RECORD_MAX = 2560 /* a service with all that it may have */
};

MAUTH_MUST_USE enum mauth_rc record_damaged(const char *what, struct mauth_err *err);
/* A record of this space, from behind its version byte. */
MAUTH_MUST_USE enum mauth_rc record_load(struct kv_txn *txn, enum store_space space,
    const void *name, size_t len, struct reader *r, struct mauth_err *err);
void record_open(struct buf *b, uint8_t raw[RECORD_MAX]);
void record_id(struct buf *b, const struct id *id);
MAUTH_MUST_USE enum mauth_rc record_save(struct kv_txn *txn, enum store_space space,
    const void *name, size_t len, const struct buf *record, struct mauth_err *err);

/* Every change of the graph calls this once; *out is the number of the new state. */
MAUTH_MUST_USE enum mauth_rc graph_advance(
    struct kv_txn *txn, uint64_t *out, struct mauth_err *err);

#endif
