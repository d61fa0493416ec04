/* Since which state number a set of ids is revoked; 0: it is not. */
#ifndef TESTS_REVOKED_H
#define TESTS_REVOKED_H

#include "base/id.h"
#include "store/revocations.h"
#include "tests/unit/store_dir.h"

/* b may be NULL. */
static inline uint64_t
revoked_in(struct kv_txn *txn, enum id_kind ak, const struct id *a, enum id_kind bk,
    const struct id *b)
{
    struct revoked set = {.count = b ? 2 : 1};
    uint64_t state;
    enum mauth_rc rc;

    id_format(ak, a, set.id[0]);
    if (b)
        id_format(bk, b, set.id[1]);
    rc = revocations_find(txn, &set, &state, NULL);
    if (rc != MAUTH_NOT_FOUND)
        assert_int_equal(rc, MAUTH_OK);
    return state;
}

struct revoked_question {
    enum id_kind kind;
    const struct id *id;
    uint64_t state;
};

static inline enum mauth_rc
revoked_ask(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct revoked_question *q = arg;

    (void)err;
    q->state = revoked_in(txn, q->kind, q->id, ID_KINDS, NULL);
    return MAUTH_OK;
}

static inline uint64_t
revoked_since(struct kv *kv, enum id_kind kind, const struct id *id)
{
    struct revoked_question q = {kind, id, 0};

    assert_int_equal(kv_read(kv, revoked_ask, &q, NULL), MAUTH_OK);
    return q.state;
}

#endif
