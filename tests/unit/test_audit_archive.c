#include "base/file.h"
#include "store/key.h"
#include "tests/unit/audit_world.h"

static void
leaves_by_age(void **state)
{
    const struct audit_keep year = {.age_us = 365 * DAY_US},
                            ten = {.age_us = 10 * DAY_US};
    struct audit_verdict v;
    struct audit_segments l;
    struct world w = {.seed = 0};

    (void)state;
    make(&w);
    assert_int_equal(keep(&w, NULL, year, time_of(RECORDS)), 0);
    assert_int_equal(range(&w).first, 0);
    /* The oldest may be a day older than it should: then they leave together. */
    assert_int_equal(keep(&w, NULL, ten, time_of(240 + 24) - 1), 0);
    assert_true(keep(&w, NULL, ten, time_of(240 + 24) + 1) > 1);
    assert_int_equal(range(&w).first, 25);
    assert_int_equal(keep(&w, NULL, ten, time_of(240 + 24) + 1), 0);
    keep(&w, NULL, ten, time_of(RECORDS));
    assert_int_equal(range(&w).first, RECORDS - 240);
    assert_int_equal(range(&w).next, RECORDS + 2); /* that they left is on record */
    l = segments(&w);
    assert_int_equal(l.count, 2);
    assert_int_equal(l.item[0].head.count, 25);
    audit_segments_clear(&l);
    v = verify(&w);
    assert_int_equal(v.fault, AUDIT_WHOLE);
    assert_int_equal(v.left, RECORDS - 240);
    assert_int_equal(v.archived, RECORDS - 240);
    assert_int_equal(v.records, 242);
    store_remove(&w.s);
}

static void
leaves_by_size(void **state)
{
    struct audit_keep k = {.bytes = 500000};
    struct world w = {.seed = 0};
    uint64_t there;

    (void)state;
    make(&w);
    assert_true(keep(&w, NULL, k, time_of(0)) > 1);
    there = range(&w).next - range(&w).first;
    assert_in_range(there, 1024, 1999);
    assert_int_equal(keep(&w, NULL, k, time_of(0)), 0);
    k.bytes = 1;
    keep(&w, NULL, k, time_of(0));
    assert_true(range(&w).first + 900 <= range(&w).next); /* those stay */
    assert_int_equal(verify(&w).fault, AUDIT_WHOLE);
    store_remove(&w.s);
}

/* Whatever has left: asked with the archive, the answers are the same. */
static void
is_found_in_the_archive(void **state)
{
    const struct audit_keep k = {.age_us = 10 * DAY_US};
    static struct found before;
    struct world w = {.seed = 0};
    struct audit_filter f[] = {
        {.limit = 9999},
        {.limit = 9999, .oldest_first = true},
        {.limit = 300, .value[AUDIT_USER] = NULL},
        {.limit = 9999, .oldest_first = true, .since_us = time_of(100)},
        {.limit = 9999, .since_us = time_of(1700), .until_us = time_of(1850)},
        {.limit = 50, .has_after = true, .after = 1780},
        {.limit = 500, .has_after = true, .after = 1700, .oldest_first = true},
        {.limit = 9999, .value[AUDIT_TICKET] = "_00000000000000000000000000000007"},
        {.limit = 2, .has_after = true, .after = 3},
    };

    (void)state;
    make(&w);
    f[2].value[AUDIT_USER] = w.user[3];
    for (size_t i = 0; i < COUNT(f); i++)
        f[i].until_us = f[i].until_us ? f[i].until_us : time_of(RECORDS);
    for (size_t i = 0; i < COUNT(f); i++) {
        struct world kept = {.seed = 0};
        struct found *after;

        make(&kept);
        before = *find(&kept, NULL, f[i]);
        for (uint64_t at = 600; at <= RECORDS; at += 700)
            keep(&kept, NULL, k, time_of(at));
        f[i].archive = true;
        after = find(&kept, NULL, f[i]);
        assert_int_equal(after->count, before.count);
        assert_memory_equal(
            after->sequence, before.sequence, before.count * sizeof(uint64_t));
        f[i].archive = false;
        assert_true(find(&kept, NULL, f[i])->count < before.count || i == 5);
        store_remove(&kept.s);
    }
    store_remove(&w.s);
}

static enum mauth_rc
append_late(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t salt[AUDIT_SALT] = {9};
    const struct audit_record r = {.time_us = time_of(100) + 1,
        .action = "refused",
        .outcome = "deny",
        .reason = "late",
        .count = 5};

    (void)arg;
    return audit_append_record(txn, &r, salt, err);
}

/* Refusals are put on record with the time at which their minute began, however late. */
static void
finds_what_came_late(void **state)
{
    const struct audit_keep k = {.age_us = 10 * DAY_US};
    struct audit_filter f = {.limit = 9999, .archive = true, .until_us = time_of(200)};
    struct world w = {.seed = 0};

    (void)state;
    make(&w);
    assert_int_equal(kv_write(w.s.kv, append_late, NULL, NULL), MAUTH_OK);
    w.from = RECORDS;
    w.to = RECORDS + 500;
    assert_int_equal(kv_write(w.s.kv, append, &w, NULL), MAUTH_OK);
    for (uint64_t at = 600; at <= RECORDS + 500; at += 700)
        keep(&w, NULL, k, time_of(at));
    keep(&w, NULL, k, time_of(RECORDS + 500));
    f.value[AUDIT_REASON] = "late";
    for (int oldest = 0; oldest < 2; oldest++) {
        size_t n = 0;

        f.oldest_first = oldest;
        assert_int_equal(
            audit_find(w.s.kv, NULL, &f, count_found, &n, NULL, NULL), MAUTH_OK);
        assert_int_equal(n, 1);
    }
    store_remove(&w.s);
}

static void
proves_what_has_left(void **state)
{
    const struct audit_keep k = {.age_us = 10 * DAY_US};
    struct audit_segments l;
    struct audit_evidence e;
    struct world w = {.seed = 0};
    char ticket[ISSUED_ID + 1];

    (void)state;
    make(&w);
    keep(&w, NULL, k, time_of(RECORDS));
    ticket_of(8, ticket);
    assert_int_equal(audit_prove(w.s.kv, ticket, NULL, NULL, &e, NULL), MAUTH_OK);
    assert_true(e.found);
    assert_int_equal(e.sequence, 8);
    buf_clear(&e.json);
    ticket_of(RECORDS - 1, ticket);
    assert_int_equal(audit_prove(w.s.kv, ticket, NULL, NULL, &e, NULL), MAUTH_OK);
    assert_int_equal(e.sequence, RECORDS - 1);
    buf_clear(&e.json);
    ticket_of(123456, ticket);
    assert_int_equal(audit_prove(w.s.kv, ticket, NULL, NULL, &e, NULL), MAUTH_OK);
    assert_false(e.found);
    assert_int_equal(e.unseen, 0);
    l = segments(&w);
    unlink(l.item[0].path);
    audit_segments_clear(&l);
    assert_int_equal(audit_prove(w.s.kv, ticket, NULL, NULL, &e, NULL), MAUTH_OK);
    assert_int_equal(e.unseen, RECORDS - 240);
    assert_int_equal(verify(&w).fault, AUDIT_WHOLE);
    assert_int_equal(verify(&w).archived, 0);
    store_remove(&w.s);
}

/* Hands of somebody who can write to the store. */
static void
change_record(struct world *w, uint64_t sequence)
{
    struct store_record r = {.len = 0};
    struct store_key key;

    store_key(&key, SPACE_AUDIT_RECORD, NULL, 0);
    buf_u64(&key.b, sequence);
    r.key = store_key_text(&key);
    assert_int_equal(kv_read(w->s.kv, store_record_get, &r, NULL), MAUTH_OK);
    r.value[r.len - 3] ^= 1;
    assert_int_equal(kv_write(w->s.kv, store_record_put, &r, NULL), MAUTH_OK);
}

static void
keeps_what_is_not_the_logs(void **state)
{
    const struct audit_keep k = {.age_us = 10 * DAY_US};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct audit_segments l;
    struct world w = {.seed = 0};
    bool more;

    (void)state;
    make(&w);
    change_record(&w, 11);
    assert_int_equal(
        audit_archive_step(w.s.kv, NULL, &k, time_of(RECORDS), &more, &err),
        MAUTH_UNAVAILABLE);
    assert_non_null(strstr(err.text, "record 11 "));
    assert_int_equal(range(&w).first, 0);
    assert_int_equal(range(&w).next, RECORDS);
    l = segments(&w);
    assert_int_equal(l.count, 0);
    audit_segments_clear(&l);
    change_record(&w, 11); /* back */
    assert_true(keep(&w, NULL, k, time_of(RECORDS)) > 1);
    store_remove(&w.s);
}

/* The archive of another log, or a segment that was damaged. */
static void
refuses_a_strange_segment(void **state)
{
    const struct audit_keep k = {.age_us = 10 * DAY_US};
    const struct audit_filter all = {.limit = 9999, .archive = true};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct found found = {.count = 0};
    struct world w = {.seed = 0}, other = {.seed = 1};
    struct audit_segments l, theirs;
    struct audit_verdict v;
    char path[256];
    struct buf b;

    (void)state;
    make(&w);
    keep(&w, NULL, k, time_of(RECORDS));
    make(&other);
    l = segments(&w);
    buf_init(&b);
    assert_int_equal(file_read(l.item[0].path, 1 << 26, &b, NULL), MAUTH_OK);
    b.data[b.len / 2] ^= 1;
    assert_int_equal(
        file_replace(l.item[0].path, b.data, b.len, FILE_PRIVATE, NULL), MAUTH_OK);
    v = verify(&w);
    assert_int_equal(v.fault, AUDIT_ARCHIVE);
    assert_non_null(strstr(v.where, l.item[0].name));
    assert_int_equal(
        audit_find(w.s.kv, NULL, &all, note, &found, NULL, &err), MAUTH_MALFORMED);
    b.data[b.len / 2] ^= 1;
    assert_int_equal(
        file_replace(l.item[0].path, b.data, b.len, FILE_PRIVATE, NULL), MAUTH_OK);
    assert_int_equal(verify(&w).fault, AUDIT_WHOLE);

    /* That of a log that differs in a salt alone, under the name of ours; and beside it,
     * where it is no segment of this log. */
    keep(&other, NULL, k, time_of(RECORDS));
    theirs = segments(&other);
    buf_rewind(&b);
    assert_int_equal(file_read(theirs.item[0].path, 1 << 26, &b, NULL), MAUTH_OK);
    snprintf(
        path, sizeof(path), "%s/store/audit-archive/%s", w.s.dir, theirs.item[0].name);
    assert_int_equal(file_replace(path, b.data, b.len, FILE_PRIVATE, NULL), MAUTH_OK);
    assert_int_equal(verify(&w).fault, AUDIT_WHOLE);
    assert_int_equal(
        file_replace(l.item[0].path, b.data, b.len, FILE_PRIVATE, NULL), MAUTH_OK);
    assert_int_equal(verify(&w).fault, AUDIT_ARCHIVE);
    unlink(l.item[0].path);
    assert_int_equal(verify(&w).fault, AUDIT_WHOLE);
    assert_int_equal(verify(&w).archived, 0);
    audit_segments_clear(&theirs);
    audit_segments_clear(&l);
    buf_clear(&b);
    store_remove(&other.s);
    store_remove(&w.s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_by_age),
        cmocka_unit_test(leaves_by_size),
        cmocka_unit_test(is_found_in_the_archive),
        cmocka_unit_test(finds_what_came_late),
        cmocka_unit_test(proves_what_has_left),
        cmocka_unit_test(keeps_what_is_not_the_logs),
        cmocka_unit_test(refuses_a_strange_segment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
