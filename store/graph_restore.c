#include "store/graph_restore.h"

#include "base/fail.h"
#include "store/graph_record.h"
#include "store/graph_session.h"
#include "store/revocations.h"

static enum mauth_rc
leap(struct kv_txn *txn, uint64_t *state, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    enum mauth_rc rc = graph_state(txn, state, err);
    struct buf b;

    if (rc != MAUTH_OK)
        return rc;
    *state += GRAPH_LEAP;
    record_open(&b, raw);
    buf_u64(&b, *state);
    return record_save(txn, SPACE_GRAPH_STATE, NULL, 0, &b, err);
}

enum mauth_rc
graph_restore(struct kv_txn *txn, bool keep_sessions, uint64_t *state, size_t *sessions,
    struct mauth_err *err)
{
    struct revoked all = {.count = 0};
    enum mauth_rc rc = leap(txn, state, err);

    *sessions = 0;
    all.state = *state;
    if (rc == MAUTH_OK)
        rc = revocations_add(txn, &all, err);
    if (rc == MAUTH_OK)
        rc = graph_change_forget_all(txn, err);
    if (rc == MAUTH_OK && !keep_sessions)
        rc = graph_session_close_everybody(txn, sessions, err);
    return rc;
}
