#include "store/rules_mark.h"

#include "store/graph_record.h"
#include "store/mark.h"
#include "store/revocations.h"

enum mauth_rc
rules_mark_check(
    struct kv_txn *txn, const uint8_t hash[HASH_LEN], struct mauth_err *err)
{
    return mark_check(txn, SPACE_RULES, hash, err);
}

enum mauth_rc
rules_mark_first(
    struct kv_txn *txn, const uint8_t hash[HASH_LEN], struct mauth_err *err)
{
    return mark_put(txn, SPACE_RULES, hash, err);
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
