/* store/audit_gaps.h: what is gone, and what the log tells of it. */
#include <stdlib.h>
#include <unistd.h>

#include "store/audit_gaps.h"
#include "tests/unit/audit_world.h"

static const struct audit_keep ten = {.age_us = 10 * DAY_US};

/* What somebody can do who can write to the store. */

static enum mauth_rc
erase_it(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return audit_erase(txn, *(const uint64_t *)arg, err);
}

static enum mauth_rc
take_away(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    size_t count;
    enum mauth_rc rc = audit_leave(txn, *(const uint64_t *)arg, err);

    return rc ? rc : audit_drop(txn, 4096, &count, err);
}

static void
expect_gap(struct world *w, uint64_t at, const char *says)
{
    struct audit_verdict v = verify(w);

    assert_int_equal(v.fault, AUDIT_MISSING);
    assert_int_equal(v.at, at);
    if (!strstr(v.where, says))
        fail_msg("%s", v.where);
}

static void
finds_an_erasure_that_was_not_asked_for(void **state)
{
    struct world w = {.seed = 0};
    uint64_t at = 12;

    (void)state;
    make(&w);
    assert_int_equal(kv_write(w.s.kv, erase_it, &at, NULL), MAUTH_OK);
    expect_gap(&w, 0, "1 records are erased, and the log tells of no erasure.");
    store_remove(&w.s);
}

/* While it lasts, when it is done, and when what was erased leaves. */
static void
knows_one_that_was(void **state)
{
    struct world w = {.seed = 0};
    struct audit_erasure e;
    bool more = true;
    struct id id;

    (void)state;
    make(&w);
    keep(&w, NULL, ten, time_of(1000));
    assert_true(id_parse(ID_USER, w.user[1], ID_LEN, &id));
    assert_int_equal(kv_write(w.s.kv, begin_erasure, &id, NULL), MAUTH_OK);
    assert_int_equal(audit_erase_step(w.s.kv, NULL, &e, &more, NULL), MAUTH_OK);
    assert_true(more);
    assert_int_equal(verify(&w).fault, AUDIT_WHOLE);
    while (more)
        assert_int_equal(audit_erase_step(w.s.kv, NULL, &e, &more, NULL), MAUTH_OK);
    assert_int_equal(verify(&w).fault, AUDIT_WHOLE);
    keep(&w, NULL, ten, time_of(1500)); /* some leave that were erased in the store */
    assert_int_equal(verify(&w).fault, AUDIT_WHOLE);
    store_remove(&w.s);
}

static void
finds_what_has_not_left(void **state)
{
    struct world w = {.seed = 0};
    uint64_t first = 14;

    (void)state;
    make(&w);
    assert_int_equal(kv_write(w.s.kv, take_away, &first, NULL), MAUTH_OK);
    expect_gap(&w, 0, "Record 0 is gone, and no segment of the archive has it.");
    store_remove(&w.s);
}

/* A segment that nobody has written, on the list of those that are elsewhere. */
static enum mauth_rc
pretend(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct archive_known known = {.count = 1};

    return audit_segments_put(txn, arg, &known, err);
}

static void
finds_a_segment_of_which_nothing_tells(void **state)
{
    struct archive_head head = {.first = 0, .count = 14};
    struct world w = {.seed = 0};
    char name[ARCHIVE_NAME_MAX];
    uint64_t first = 14;

    (void)state;
    make(&w);
    archive_name(&head, name);
    assert_int_equal(kv_write(w.s.kv, pretend, name, NULL), MAUTH_OK);
    assert_int_equal(kv_write(w.s.kv, take_away, &first, NULL), MAUTH_OK);
    expect_gap(&w, 0, "Record 0 is gone, and no record tells that its segment audit-");
    store_remove(&w.s);
}

/* Segments that are elsewhere may hold the records of others' leaving. */
static void
believes_what_is_elsewhere(void **state)
{
    struct world w = {.seed = 0};
    struct audit_segments l;

    (void)state;
    make(&w);
    for (uint64_t at = 600; at <= RECORDS; at += 350)
        keep(&w, NULL, ten, time_of(at));
    l = segments(&w);
    assert_true(l.count > 3);
    for (size_t i = 0; i < l.count; i++) {
        assert_int_equal(unlink(l.item[i].path), 0);
        assert_int_equal(verify(&w).fault, AUDIT_WHOLE);
    }
    audit_segments_clear(&l);
    store_remove(&w.s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_an_erasure_that_was_not_asked_for),
        cmocka_unit_test(knows_one_that_was),
        cmocka_unit_test(finds_what_has_not_left),
        cmocka_unit_test(finds_a_segment_of_which_nothing_tells),
        cmocka_unit_test(believes_what_is_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
