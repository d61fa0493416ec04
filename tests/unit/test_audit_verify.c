#include "base/fail.h"
#include "store/audit_prove.h"
#include "store/audit_verify.h"
#include "store/key.h"
#include "tests/unit/store_dir.h"

enum {
    RECORDS = 700, /* more than two tiles of leaves */
    EARLIER = 300  /* at which somebody has seen it */
};

static const uint8_t salt[AUDIT_SALT] = {1, 2, 3};

struct batch {
    uint64_t from, to;
    const char *actor;
};

static enum mauth_rc
append(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct batch *b = arg;
    enum mauth_rc rc = MAUTH_OK;

    for (uint64_t i = b->from; i < b->to && rc == MAUTH_OK; i++) {
        char ticket[40];
        const struct audit_record r = {.time_us = (int64_t)i,
            .actor = b->actor,
            .action = "ticket.issue",
            .outcome = i % 7 ? "allow" : "deny",
            .ticket = ticket};

        snprintf(ticket, sizeof(ticket), "_%032x", (unsigned)i);
        rc = audit_append_record(txn, &r, salt, err);
    }
    return rc;
}

static enum mauth_rc
head(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct audit_seen *s = arg;
    struct audit_head h;
    enum mauth_rc rc = audit_head(txn, &h, err);

    s->at.size = h.size;
    memcpy(s->at.root, h.root, HASH_LEN);
    return rc;
}

/* A log, and what was seen of it on the way. */
static void
make(struct store_dir *s, struct audit_seen seen[2])
{
    struct batch first = {0, EARLIER, "usr_a"}, second = {EARLIER, RECORDS, "usr_a"};

    store_make(s, "");
    assert_int_equal(kv_write(s->kv, append, &first, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s->kv, head, &seen[0], NULL), MAUTH_OK);
    assert_int_equal(kv_write(s->kv, append, &second, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s->kv, head, &seen[1], NULL), MAUTH_OK);
    seen[0].by = "the earlier one";
    seen[1].by = "the later one";
}

static struct audit_verdict
verify(struct store_dir *s, const struct audit_seen *seen, size_t count, uint64_t from)
{
    struct audit_verify_options o = {.seen = seen, .seen_count = count};
    struct audit_verdict v;
    struct mauth_err err = MAUTH_ERR_INIT;

    if (from)
        o.from = seen[0].at;
    if (audit_verify(s->kv, &o, &v, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
    return v;
}

static void
expect(struct store_dir *s, const struct audit_seen *seen, size_t count,
    enum audit_fault fault, uint64_t at)
{
    struct audit_verdict v = verify(s, seen, count, 0);

    if (v.fault != fault || v.at != at)
        fail_msg("fault %d at %d: %s", (int)v.fault, (int)v.at, v.where);
    assert_int_equal(strchr(v.where, 0x2e) != NULL, fault != AUDIT_WHOLE);
}

static void
finds_it_whole(void **state)
{
    struct audit_seen seen[2];
    struct audit_verdict v;
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    v = verify(&s, NULL, 0, 0);
    assert_int_equal(v.fault, AUDIT_WHOLE); /* of nothing */
    store_remove(&s);
    make(&s, seen);
    v = verify(&s, seen, 2, 0);
    assert_int_equal(v.fault, AUDIT_WHOLE);
    assert_int_equal(v.records, RECORDS);
    assert_int_equal(v.head.size, RECORDS);
    assert_memory_equal(v.head.root, seen[1].at.root, HASH_LEN);
    v = verify(&s, seen, 2, EARLIER);
    assert_int_equal(v.fault, AUDIT_WHOLE);
    assert_int_equal(v.records, RECORDS - EARLIER);
    store_remove(&s);
}

/* Hands of somebody who can write to the store. */
struct deed {
    enum store_space space;
    uint64_t at, other;
    void (*change)(struct buf *value);
    bool remove, swap;
};

static struct text
key_of(struct store_key *k, const struct deed *d, uint64_t at)
{
    store_key(k, d->space, NULL, 0);
    if (d->space == SPACE_AUDIT_NODES)
        buf_u8(&k->b, 0);
    if (d->space != SPACE_AUDIT_HEAD)
        buf_u64(&k->b, at);
    return store_key_text(k);
}

static enum mauth_rc
tamper(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct deed *d = arg;
    struct store_key key, other_key;
    struct buf value, other;
    struct text v;
    enum mauth_rc rc = kv_get(txn, key_of(&key, d, d->at), &v, err);

    assert_int_equal(rc, MAUTH_OK);
    buf_init(&value);
    buf_init(&other);
    buf_text(&value, v);
    if (d->swap) {
        assert_int_equal(
            kv_get(txn, key_of(&other_key, d, d->other), &v, err), MAUTH_OK);
        buf_text(&other, v);
        rc = kv_put(txn, store_key_text(&key), buf_slice(&other), err);
        if (rc == MAUTH_OK)
            rc = kv_put(txn, store_key_text(&other_key), buf_slice(&value), err);
    } else if (d->remove) {
        rc = kv_delete(txn, store_key_text(&key), err);
    } else {
        d->change(&value);
        rc = kv_put(txn, store_key_text(&key), buf_slice(&value), err);
    }
    buf_clear(&value);
    buf_clear(&other);
    return rc;
}

static void
change_last(struct buf *value)
{
    value->data[value->len - 3] ^= 1;
}

static void
change_actor(struct buf *value)
{
    char *at = memmem(value->data, value->len, "usr_a", 5);

    assert_non_null(at);
    at[4] = 'b';
}

static void
change_salt(struct buf *value)
{
    value->data[5] ^= 1;
}

static void
cut(struct buf *value)
{
    value->len = 10;
}

static void
change_version(struct buf *value)
{
    value->data[0] = 9;
}

static void
finds_each_change(void **state)
{
    static const struct {
        const char *name;
        struct deed deed;
        enum audit_fault fault;
        uint64_t at;
    } cases[] = {
        {"a byte", {.space = SPACE_AUDIT_RECORD, .at = 5, .change = change_actor},
            AUDIT_ALTERED, 5},
        {"the time", {.space = SPACE_AUDIT_RECORD, .at = 0, .change = change_last},
            AUDIT_ALTERED, 0},
        {"the salt", {.space = SPACE_AUDIT_RECORD, .at = 699, .change = change_salt},
            AUDIT_ALTERED, 699},
        {"cut", {.space = SPACE_AUDIT_RECORD, .at = 256, .change = cut}, AUDIT_ALTERED,
            256},
        {"another version",
            {.space = SPACE_AUDIT_RECORD, .at = 255, .change = change_version},
            AUDIT_ALTERED, 255},
        {"removed", {.space = SPACE_AUDIT_RECORD, .at = 400, .remove = true},
            AUDIT_MISSING, 400},
        {"the last removed", {.space = SPACE_AUDIT_RECORD, .at = 699, .remove = true},
            AUDIT_MISSING, 699},
        {"swapped", {.space = SPACE_AUDIT_RECORD, .at = 17, .other = 18, .swap = true},
            AUDIT_ALTERED, 17},
        {"a leaf", {.space = SPACE_AUDIT_NODES, .at = 2, .change = change_last},
            AUDIT_ALTERED, 47},
        {"the frontier", {.space = SPACE_AUDIT_HEAD, .change = change_last}, AUDIT_TREE,
            700},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct deed d = cases[i].deed;
        struct audit_seen seen[2];
        struct audit_verdict v;
        struct store_dir s;

        make(&s, seen);
        assert_int_equal(kv_write(s.kv, tamper, &d, NULL), MAUTH_OK);
        v = verify(&s, seen, 1, 0);
        if (v.fault != cases[i].fault || v.at != cases[i].at)
            fail_msg("%s: fault %d at %d: %s", cases[i].name, (int)v.fault, (int)v.at,
                v.where);
        store_remove(&s);
    }
}

/* Another log under the same name: shorter, or told otherwise from a record on. Its own
 * tree is good; only who has seen the first one knows. */
static void
knows_another_log(void **state)
{
    struct batch same = {0, EARLIER + 50, "usr_a"},
                 other = {EARLIER + 50, RECORDS, "usr_x"}, few = {0, 100, "usr_a"},
                 all = {0, RECORDS, "usr_x"};
    struct audit_seen seen[2];
    struct store_dir first, s;

    (void)state;
    make(&first, seen);
    store_remove(&first);

    store_make(&s, ""); /* the tail cut off */
    assert_int_equal(kv_write(s.kv, append, &few, NULL), MAUTH_OK);
    expect(&s, NULL, 0, AUDIT_WHOLE, 0);
    expect(&s, seen, 1, AUDIT_TRUNCATED, EARLIER);
    assert_int_equal(verify(&s, seen, 0, EARLIER).fault, AUDIT_TRUNCATED);
    store_remove(&s);

    store_make(&s, ""); /* the same at first */
    assert_int_equal(kv_write(s.kv, append, &same, NULL), MAUTH_OK);
    assert_int_equal(kv_write(s.kv, append, &other, NULL), MAUTH_OK);
    expect(&s, seen, 1, AUDIT_WHOLE, 0);
    expect(&s, seen, 2, AUDIT_FORKED, RECORDS);
    store_remove(&s);

    store_make(&s, ""); /* never the same */
    assert_int_equal(kv_write(s.kv, append, &all, NULL), MAUTH_OK);
    expect(&s, seen, 2, AUDIT_FORKED, EARLIER);
    assert_int_equal(verify(&s, seen, 0, EARLIER).fault, AUDIT_FORKED);
    store_remove(&s);
}

static void
proves_tickets(void **state)
{
    static const char *const there[] = {
        "_00000000000000000000000000000001", "_000000000000000000000000000002bb"};
    static const char *const not_there[] = {"_00000000000000000000000000000000",
        "_000000000000000000000000000002bc", "_0000000000000000000000000000000"};
    struct deed d = {.space = SPACE_AUDIT_RECORD, .at = 1, .change = change_actor};
    struct audit_seen seen[2];
    struct audit_evidence e;
    struct store_dir s;

    (void)state;
    make(&s, seen);
    for (size_t i = 0; i < COUNT(there); i++) {
        assert_int_equal(audit_prove(s.kv, there[i], NULL, NULL, &e, NULL), MAUTH_OK);
        assert_true(e.found);
        assert_int_equal(e.sequence, i ? 699 : 1);
        assert_non_null(strstr(buf_cstr(&e.json), there[i]));
        assert_int_equal(e.head.size, RECORDS);
        buf_clear(&e.json);
    }
    for (size_t i = 0; i < COUNT(not_there); i++) { /* the first one was refused */
        assert_int_equal(
            audit_prove(s.kv, not_there[i], NULL, NULL, &e, NULL), MAUTH_OK);
        assert_false(e.found);
        buf_clear(&e.json);
    }
    assert_int_equal(kv_write(s.kv, tamper, &d, NULL), MAUTH_OK);
    assert_int_equal(audit_prove(s.kv, there[0], NULL, NULL, &e, NULL), MAUTH_DENIED);
    buf_clear(&e.json);
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_it_whole),
        cmocka_unit_test(finds_each_change),
        cmocka_unit_test(knows_another_log),
        cmocka_unit_test(proves_tickets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
