#include "store/graph.h"

#include "store/graph_record.h"

enum mauth_rc
graph_state(struct kv_txn *txn, uint64_t *out, struct mauth_err *err)
{
    struct reader r;
    enum mauth_rc rc;

    *out = 1;
    rc = record_load(txn, SPACE_GRAPH_STATE, NULL, 0, &r, err);
    if (rc == MAUTH_NOT_FOUND)
        return MAUTH_OK;
    if (rc)
        return rc;
    *out = reader_u64(&r);
    return reader_done(&r) ? MAUTH_OK : record_damaged("state", err);
}

enum mauth_rc
graph_advance(struct kv_txn *txn, uint64_t *out, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    enum mauth_rc rc;
    struct buf b;

    rc = graph_state(txn, out, err);
    if (rc)
        return rc;
    record_open(&b, raw);
    buf_u64(&b, ++*out);
    return record_save(txn, SPACE_GRAPH_STATE, NULL, 0, &b, err);
}
