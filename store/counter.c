#include "store/counter.h"

#include "base/fail.h"

enum mauth_rc
counter_read(
    struct kv_txn *txn, enum store_space space, uint64_t *out, struct mauth_err *err)
{
    struct store_key name;
    struct text value;
    struct reader r;
    enum mauth_rc rc;

    *out = 0;
    store_key(&name, space, NULL, 0);
    rc = kv_get(txn, store_key_text(&name), &value, err);
    if (rc != MAUTH_OK)
        return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
    reader_init(&r, value.p, value.len);
    *out = reader_u64(&r);
    if (!reader_done(&r))
        return mauth_fail(err, MAUTH_UNAVAILABLE, "store: a damaged counter");
    return MAUTH_OK;
}

enum mauth_rc
counter_set(
    struct kv_txn *txn, enum store_space space, uint64_t to, struct mauth_err *err)
{
    struct store_key name;
    uint8_t raw[8];
    struct buf b;

    buf_init_fixed(&b, raw, sizeof(raw));
    buf_u64(&b, to);
    store_key(&name, space, NULL, 0);
    return kv_put(txn, store_key_text(&name), buf_slice(&b), err);
}

enum mauth_rc
counter_next(
    struct kv_txn *txn, enum store_space space, uint64_t *out, struct mauth_err *err)
{
    enum mauth_rc rc = counter_read(txn, space, out, err);

    return rc ? rc : counter_set(txn, space, ++*out, err);
}
