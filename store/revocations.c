#include "store/revocations.h"

#include <string.h>

#include "base/fail.h"
#include "store/graph_record.h"

/* The set's name in the store: how many, then each with its length. */
static bool
name_of(const struct revocation *r, struct buf *b)
{
    if (r->count > 3)
        return false;
    buf_u8(b, (uint8_t)r->count);
    for (size_t i = 0; i < r->count; i++) {
        size_t len = strnlen(r->id[i], sizeof(r->id[i]));

        if (!len || len == sizeof(r->id[i]) ||
            (i && strcmp(r->id[i - 1], r->id[i]) >= 0))
            return false;
        buf_field(b, r->id[i], len);
    }
    return buf_ok(b);
}

enum mauth_rc
revocations_add(struct kv_txn *txn, const struct revocation *r, struct mauth_err *err)
{
    uint8_t name[128], raw[RECORD_MAX];
    struct reader old;
    struct buf n, b;
    enum mauth_rc rc;

    buf_init_fixed(&n, name, sizeof(name));
    if (!name_of(r, &n))
        return mauth_fail(err, MAUTH_INVALID, "revocation: not 0 to 3 sorted ids");
    rc = record_load(txn, SPACE_REVOKED, n.data, n.len, &old, err);
    if (rc == MAUTH_OK && reader_u64(&old) >= r->state)
        return reader_done(&old) ? MAUTH_OK : record_damaged("revocation", err);
    if (rc && rc != MAUTH_NOT_FOUND)
        return rc;
    record_open(&b, raw);
    buf_u64(&b, r->state);
    return record_save(txn, SPACE_REVOKED, n.data, n.len, &b, err);
}
