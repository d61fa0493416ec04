#include "store/mark.h"

#include <string.h>

#include "store/graph_record.h"

enum mauth_rc
mark_check(struct kv_txn *txn, enum store_space space, const uint8_t hash[HASH_LEN],
    struct mauth_err *err)
{
    const uint8_t *there;
    struct reader r;
    enum mauth_rc rc;

    rc = record_load(txn, space, NULL, 0, &r, err);
    if (rc == MAUTH_NOT_FOUND)
        return MAUTH_CONFLICT;
    if (rc)
        return rc;
    there = reader_bytes(&r, HASH_LEN);
    if (!reader_done(&r))
        return record_damaged("hash of what is in force", err);
    return memcmp(there, hash, HASH_LEN) == 0 ? MAUTH_OK : MAUTH_CONFLICT;
}

enum mauth_rc
mark_put(struct kv_txn *txn, enum store_space space, const uint8_t hash[HASH_LEN],
    struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    record_open(&b, raw);
    buf_put(&b, hash, HASH_LEN);
    return record_save(txn, space, NULL, 0, &b, err);
}
