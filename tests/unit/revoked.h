/* Since which state number a set of ids is revoked, as it lies in the store. */
#ifndef TESTS_REVOKED_H
#define TESTS_REVOKED_H

#include "base/id.h"
#include "store/key.h"
#include "tests/unit/store_dir.h"

struct revoked {
    enum id_kind kind;
    const struct id *id;
    uint64_t state; /* 0: it is not */
};

static inline enum mauth_rc
revoked_look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct revoked *r = arg;
    char text[ID_LEN + 1];
    struct store_key key;
    struct reader in;
    struct text value;
    enum mauth_rc rc;

    store_key(&key, SPACE_REVOKED, NULL, 0);
    buf_u8(&key.b, 1);
    id_format(r->kind, r->id, text);
    buf_field(&key.b, text, ID_LEN);
    rc = kv_get(txn, store_key_text(&key), &value, err);
    if (rc != MAUTH_OK)
        return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
    reader_init(&in, value.p, value.len);
    (void)reader_u8(&in);
    r->state = reader_u64(&in);
    return MAUTH_OK;
}

static inline uint64_t
revoked_since(struct kv *kv, enum id_kind kind, const struct id *id)
{
    struct revoked r = {kind, id, 0};

    assert_int_equal(kv_read(kv, revoked_look, &r, NULL), MAUTH_OK);
    return r.state;
}

#endif
