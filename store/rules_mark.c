#include "store/rules_mark.h"

#include <string.h>

#include "store/graph_record.h"
#include "store/revocations.h"

enum mauth_rc
rules_mark_check(
    struct kv_txn *txn, const uint8_t hash[HASH_LEN], struct mauth_err *err)
{
    const uint8_t *there;
    struct reader r;
    enum mauth_rc rc;

    rc = record_load(txn, SPACE_RULES, NULL, 0, &r, err);
    if (rc == MAUTH_NOT_FOUND)
        return MAUTH_CONFLICT;
    if (rc)
        return rc;
    there = reader_bytes(&r, HASH_LEN);
    if (!reader_done(&r))
        return record_damaged("hash of the rules", err);
    return memcmp(there, hash, HASH_LEN) == 0 ? MAUTH_OK : MAUTH_CONFLICT;
}

enum mauth_rc
rules_mark_first(
    struct kv_txn *txn, const uint8_t hash[HASH_LEN], struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    record_open(&b, raw);
    buf_put(&b, hash, HASH_LEN);
    return record_save(txn, SPACE_RULES, NULL, 0, &b, err);
}

enum mauth_rc
rules_mark_set(struct kv_txn *txn, const uint8_t hash[HASH_LEN], bool *changed,
    struct mauth_err *err)
{
    struct revoked all = {.count = 0};
    enum mauth_rc rc;

    rc = rules_mark_check(txn, hash, err);
    *changed = rc == MAUTH_CONFLICT;
    if (!*changed)
        return rc;
    rc = graph_advance(txn, &all.state, err);
    if (rc == MAUTH_OK)
        rc = revocations_add(txn, &all, err);
    if (rc == MAUTH_OK)
        rc = rules_mark_first(txn, hash, err);
    return rc;
}
