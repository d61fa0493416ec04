#include "store/graph_record.h"

#include "base/fail.h"

enum {
    RECORD_VERSION = 1
};

enum mauth_rc
record_damaged(const char *what, struct mauth_err *err)
{
    return mauth_fail(err, MAUTH_UNAVAILABLE, "graph: a damaged record (%s)", what);
}

/* A record of this space, from behind its version byte. */
enum mauth_rc
record_load(struct kv_txn *txn, enum store_space space, const void *name, size_t len,
    struct reader *r, struct mauth_err *err)
{
    struct store_key key;
    struct text value;
    enum mauth_rc rc;

    store_key(&key, space, name, len);
    rc = kv_get(txn, store_key_text(&key), &value, err);
    if (rc)
        return rc;
    reader_init(r, value.p, value.len);
    if (reader_u8(r) != RECORD_VERSION)
        return record_damaged("version", err);
    return MAUTH_OK;
}

enum mauth_rc
record_save(struct kv_txn *txn, enum store_space space, const void *name, size_t len,
    const struct buf *record, struct mauth_err *err)
{
    struct store_key key;

    if (!buf_ok(record))
        return mauth_fail(err, MAUTH_INVALID, "graph: a record that is too long");
    store_key(&key, space, name, len);
    return kv_put(txn, store_key_text(&key), buf_slice(record), err);
}

void
record_open(struct buf *b, uint8_t raw[RECORD_MAX])
{
    buf_init_fixed(b, raw, RECORD_MAX);
    buf_u8(b, RECORD_VERSION);
}

void
record_id(struct buf *b, const struct id *id)
{
    buf_put(b, id->b, ID_BYTES);
}
