#include "audit/terms.h"
#include "base/str.h"
#include "store/audit_indexing.h"
#include "tests/unit/audit_world.h"

static size_t
find_all(struct world *w, struct audit_filter f)
{
    size_t n = 0;

    assert_int_equal(
        audit_find(w->s.kv, NULL, &f, count_found, &n, NULL, NULL), MAUTH_OK);
    return n;
}

static void
erase(struct world *w, struct audit_index *index, const char *user, uint64_t *erased)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct audit_erasure e;
    bool more = true;
    struct id id;

    assert_true(id_parse(ID_USER, user, strlen(user), &id));
    assert_int_equal(kv_write(w->s.kv, begin_erasure, &id, NULL), MAUTH_OK);
    assert_int_equal(kv_write(w->s.kv, begin_erasure, &id, NULL), MAUTH_CONFLICT);
    while (more) {
        if (audit_erase_step(w->s.kv, index, &e, &more, &err) != MAUTH_OK)
            fail_msg("%s", err.text);
        if (more)
            *erased = e.erased;
    }
}

struct grep {
    const char *needle;
    size_t count;
};

static bool
count_raw(struct text key, struct text value, void *arg)
{
    struct grep *g = arg;

    (void)key;
    g->count += memmem(value.p, value.len, g->needle, strlen(g->needle)) != NULL;
    return true;
}

static enum mauth_rc
grep_store(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return kv_scan(
        txn, (struct text){"\0", 1}, (struct text){"", 0}, KV_UP, count_raw, arg, err);
}

static bool
count_archived(const struct archive_record *r, void *arg)
{
    struct grep *g = arg;

    g->count += !r->erased &&
                memmem(r->json.p, r->json.len, g->needle, strlen(g->needle)) != NULL;
    return true;
}

/* One of the world's tickets, as a service tells of it. */
static struct issued_ticket
told(uint64_t i, uint8_t seed)
{
    struct issued_ticket t = {.digest = {(uint8_t)i, (uint8_t)(i >> 8), seed}};

    ticket_of(i, t.id);
    return t;
}

/* Ticket and digest of an erased one stayed; what has left the store is not denied. */
static void
expect_told(struct world *w, uint64_t erased)
{
    struct issued_ticket t[] = {
        told(erased, 0), told(erased, 1), told(9, 0), told(RECORDS + 7, 0)};

    assert_int_equal(issued_find(w->s.kv, NULL, t, COUNT(t), 0, NULL), MAUTH_OK);
    assert_int_equal(t[0].state, ISSUED_HERE);
    assert_int_equal(t[2].state, ISSUED_UNSURE);
    assert_int_equal(t[3].state, ISSUED_UNSURE);
    t[1].state = ISSUED_NOWHERE;
    assert_int_equal(issued_find(w->s.kv, NULL, &t[1], 1, 0, NULL), MAUTH_OK);
    assert_int_equal(t[1].state, ISSUED_OTHERWISE);
}

static void
erases_one_and_no_other(void **state)
{
    const struct audit_keep k = {.age_us = 10 * DAY_US};
    struct grep gone, stays;
    struct audit_segments before, after;
    struct audit_evidence e;
    struct audit_verdict v;
    uint64_t erased = 0;
    struct world w = {.seed = 0};
    char ticket[ISSUED_ID + 1];

    (void)state;
    make(&w);
    keep(&w, NULL, k, time_of(1000));
    before = segments(&w);
    erase(&w, NULL, w.user[2], &erased);
    assert_in_range(erased, RECORDS / USERS, RECORDS / USERS + 1);
    gone = (struct grep){w.user[2], 0};
    stays = (struct grep){w.user[3], 0};
    assert_int_equal(kv_read(w.s.kv, grep_store, &gone, NULL), MAUTH_OK);
    assert_int_equal(kv_read(w.s.kv, grep_store, &stays, NULL), MAUTH_OK);
    after = segments(&w);
    assert_int_equal(after.count, before.count);
    for (size_t i = 0; i < after.count; i++) {
        assert_string_equal(after.item[i].path, before.item[i].path);
        assert_int_equal(archive_read(after.item[i].path, &after.item[i].known,
                             count_archived, &gone, NULL, NULL),
            MAUTH_OK);
        assert_int_equal(archive_read(after.item[i].path, &after.item[i].known,
                             count_archived, &stays, NULL, NULL),
            MAUTH_OK);
    }
    assert_int_equal(gone.count, 1); /* that it was done */
    assert_in_range(stays.count, RECORDS / USERS, RECORDS / USERS + 1);
    v = verify(&w);
    if (v.fault)
        fail_msg("%s", v.where);
    assert_int_equal(v.archived, v.left);
    assert_true(v.erased > 0);
    /* That it was issued can be proven still, in the archive and in the store. */
    for (uint64_t i = 9; i < RECORDS; i += 1997 - 9) {
        ticket_of(i, ticket);
        assert_int_equal(audit_prove(w.s.kv, ticket, NULL, NULL, &e, NULL), MAUTH_OK);
        assert_true(e.found && e.erased);
        assert_int_equal(e.sequence, i);
        assert_int_equal(e.digest[0], (uint8_t)i);
        buf_clear(&e.json);
    }
    expect_told(&w, 1997);
    /* What was erased in the store leaves like all else. */
    keep(&w, NULL, k, time_of(RECORDS));
    v = verify(&w);
    if (v.fault)
        fail_msg("%s", v.where);
    assert_int_equal(v.archived, v.left);
    audit_segments_clear(&before);
    audit_segments_clear(&after);
    store_remove(&w.s);
}

static enum mauth_rc
put_records(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t salt[AUDIT_SALT] = {9};
    const struct audit_record *r = arg;
    enum mauth_rc rc = MAUTH_OK;

    for (; r->action && rc == MAUTH_OK; r++)
        rc = audit_append_record(txn, r, salt, err);
    return rc;
}

/* Nobody hides his own deeds behind a person who has gone, or makes a ticket ours. */
static void
erases_no_deeds_of_others(void **state)
{
    static const uint8_t digest[HASH_LEN] = {5};
    struct audit_evidence e;
    struct audit_filter f = {.limit = UINT64_MAX};
    uint64_t erased = 0;
    struct world w = {.seed = 0};
    char url[128];

    (void)state;
    make(&w);
    snprintf(url, sizeof(url), "https://a.example/v1/mesh/users/%s", w.user[1]);
    {
        struct audit_record r[] = {
            {.actor = w.user[2],
                .action = "folder.create",
                .outcome = "deny",
                .reason = "forbidden",
                .resources = {url},
                .resource_count = 1},
            {.actor = w.user[2],
                .action = "user.revoke",
                .outcome = "done",
                .note = url},
            {.actor = "svc_0123456789abcdefghjkmnpqrs",
                .action = "ticket.introspect",
                .outcome = "deny",
                .resources = {w.user[1]},
                .resource_count = 1,
                .ticket = "_ffffffffffffffffffffffffffffffff",
                .digest = digest},
            {.actor = w.user[1],
                .action = "ticket.issue",
                .outcome = "deny",
                .ticket = "_fffffffffffffffffffffffffffffffe",
                .digest = digest},
            {.actor = "svc_0123456789abcdefghjkmnpqrs",
                .action = "decision",
                .outcome = "deny",
                .resources = {"read", "https://storage.example/a", w.user[1]},
                .resource_count = 3},
            {.actor = NULL},
        };

        assert_int_equal(kv_write(w.s.kv, put_records, r, NULL), MAUTH_OK);
    }
    erase(&w, NULL, w.user[1], &erased);
    f.value[AUDIT_ACTION] = "folder.create";
    f.value[AUDIT_OUTCOME] = "deny";
    f.value[AUDIT_ACTOR] = w.user[2];
    assert_int_equal(find_all(&w, f), 1);
    f.value[AUDIT_ACTION] = "user.revoke";
    f.value[AUDIT_OUTCOME] = NULL;
    assert_int_equal(find_all(&w, f), 1);
    f = (struct audit_filter){.limit = UINT64_MAX};
    f.value[AUDIT_ACTOR] = w.user[1];
    assert_int_equal(find_all(&w, f), 0);
    /* Who asked about him, and was refused, is known still; what he was denied is not. */
    f = (struct audit_filter){.limit = UINT64_MAX};
    f.value[AUDIT_USER] = w.user[1];
    f.value[AUDIT_ACTION] = "ticket.introspect";
    assert_int_equal(find_all(&w, f), 1);
    f.value[AUDIT_ACTION] = "decision";
    assert_int_equal(find_all(&w, f), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(audit_prove(w.s.kv,
                             i ? "_ffffffffffffffffffffffffffffffff"
                               : "_fffffffffffffffffffffffffffffffe",
                             NULL, NULL, &e, NULL),
            MAUTH_OK);
        assert_false(e.found);
        buf_clear(&e.json);
    }
    store_remove(&w.s);
}

/* What would leave meanwhile would be in no place that is still looked at. */
static void
nothing_leaves_while_it_erases(void **state)
{
    const struct audit_keep k = {.age_us = 10 * DAY_US};
    struct world w = {.seed = 0};
    struct audit_erasure e;
    bool more = true;
    struct id id;

    (void)state;
    make(&w);
    assert_true(id_parse(ID_USER, w.user[1], ID_LEN, &id));
    assert_int_equal(kv_write(w.s.kv, begin_erasure, &id, NULL), MAUTH_OK);
    assert_int_equal(keep(&w, NULL, k, time_of(RECORDS)), 0);
    while (more)
        assert_int_equal(audit_erase_step(w.s.kv, NULL, &e, &more, NULL), MAUTH_OK);
    assert_true(keep(&w, NULL, k, time_of(RECORDS)) > 0);
    store_remove(&w.s);
}

/* A segment that is elsewhere keeps what it says: that is told. */
static void
tells_what_it_could_not_reach(void **state)
{
    const struct audit_keep k = {.age_us = 10 * DAY_US};
    struct grep there = {NULL, 0};
    struct world w = {.seed = 0};
    struct audit_segments l;
    uint64_t erased = 0;
    char aside[256];

    (void)state;
    make(&w);
    keep(&w, NULL, k, time_of(RECORDS));
    l = segments(&w);
    snprintf(aside, sizeof(aside), "%s/aside", w.s.dir);
    assert_int_equal(rename(l.item[0].path, aside), 0);
    erase(&w, NULL, w.user[1], &erased);
    there.needle = "1 segments were not in the archive";
    assert_int_equal(kv_read(w.s.kv, grep_store, &there, NULL), MAUTH_OK);
    assert_int_equal(there.count, 1);
    assert_int_equal(rename(aside, l.item[0].path), 0);
    there.needle = w.user[1];
    there.count = 0;
    erase(&w, NULL, w.user[1], &erased);
    audit_segments_clear(&l);
    l = segments(&w);
    assert_int_equal(l.item[0].known.count, 1);
    assert_int_equal(archive_read(l.item[0].path, &l.item[0].known, count_archived,
                         &there, NULL, NULL),
        MAUTH_OK);
    assert_int_equal(there.count, 0);
    assert_int_equal(verify(&w).fault, AUDIT_WHOLE);
    audit_segments_clear(&l);
    store_remove(&w.s);
}

/* More records than a file of the index has. */
static void
erases_in_the_index_too(void **state)
{
    struct audit_index *index = NULL;
    struct audit_filter f = {.limit = UINT64_MAX};
    struct audit_tally t;
    uint64_t erased = 0;
    bool more = true;
    struct world w = {.seed = 0};

    (void)state;
    make(&w);
    for (w.from = RECORDS; w.from < 2 * INDEX_STEP + 100; w.from = w.to) {
        w.to = w.from + RECORDS;
        assert_int_equal(kv_write(w.s.kv, append, &w, NULL), MAUTH_OK);
    }
    assert_int_equal(audit_indexing_open(w.s.kv, false, &index, NULL), MAUTH_OK);
    while (more)
        assert_int_equal(audit_indexing_step(w.s.kv, index, &more, NULL), MAUTH_OK);
    f.value[AUDIT_USER] = w.user[1];
    assert_in_range(find(&w, index, f)->count, RECORDS / USERS, RECORDS / USERS + 1);
    erase(&w, index, w.user[1], &erased);
    assert_in_range(erased, 2 * INDEX_STEP / USERS, UINT32_MAX);
    f.value[AUDIT_ACTION] = "ticket.issue";
    assert_int_equal(find(&w, index, f)->count, 0);
    audit_tally_init(&t, (enum audit_by)AUDIT_USER, audit_index_key(index));
    f.value[AUDIT_USER] = NULL; /* that it was done names him, and is no issue */
    assert_int_equal(audit_count(w.s.kv, index, &f, &t, NULL), MAUTH_OK);
    assert_int_equal(t.rows, USERS - 1);
    audit_tally_clear(&t);
    assert_int_equal(verify(&w).fault, AUDIT_WHOLE);
    keep(&w, index, (struct audit_keep){.age_us = DAY_US}, time_of(3 * INDEX_STEP));
    {
        uint64_t first, next;

        audit_index_range(index, &first, &next);
        assert_int_equal(first, next); /* it has let go of all */
    }
    audit_index_close(index);
    store_remove(&w.s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(erases_one_and_no_other),
        cmocka_unit_test(erases_in_the_index_too),
        cmocka_unit_test(erases_no_deeds_of_others),
        cmocka_unit_test(nothing_leaves_while_it_erases),
        cmocka_unit_test(tells_what_it_could_not_reach),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
