/* Which tickets were issued here, by a log, with an index and without. */
#include "base/file.h"
#include "base/hash.h"
#include "store/audit.h"
#include "store/audit_indexing.h"
#include "store/issued.h"
#include "store/key.h"
#include "tests/unit/store_dir.h"

enum {
    START_S = 1795341900, /* of record 0; each comes a second later */
    TRANSACTION = 4096    /* records */
};

/* A ticket's ID and digest by a number. */
static void
ticket_of(unsigned n, struct issued_ticket *out)
{
    memset(out, 0, sizeof(*out));
    snprintf(out->id, sizeof(out->id), "_%032x", n);
    memset(out->digest, (int)n + 1, sizeof(out->digest));
}

static void
tickets_of(struct issued_ticket *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ticket_of((unsigned)i, &out[i]);
}

/* Records in the making; the same salt for all, which is nobody's secret here. */
struct log {
    struct store_dir store;
    uint64_t size;
    struct audit_record next;
    size_t more; /* records of nothing, behind it */
};

static enum mauth_rc
append_all(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t salt[AUDIT_SALT];
    static const struct audit_record nothing = {.action = "x", .outcome = "done"};
    struct log *l = arg;
    struct audit_record r = l->next;
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < l->more + (l->next.action != NULL) && rc == MAUTH_OK; i++) {
        if (i || !l->next.action)
            r = nothing;
        r.time_us = (START_S + (int64_t)(l->size + i)) * 1000000;
        rc = audit_append_record(txn, &r, salt, err);
    }
    return rc;
}

static void
append(struct log *l, const struct audit_record *r, size_t more)
{
    l->next = r ? *r : (struct audit_record){0};
    l->more = more;
    assert_int_equal(kv_write(l->store.kv, append_all, l, NULL), MAUTH_OK);
    l->size += more + (r != NULL);
}

static void
pass(struct log *l, uint64_t until)
{
    while (l->size < until)
        append(l, NULL, until - l->size < TRANSACTION ? until - l->size : TRANSACTION);
}

static void
log_make(struct log *l)
{
    memset(l, 0, sizeof(*l));
    store_make(&l->store, "");
}

static void
name(struct log *l, const char *action, const char *outcome, unsigned n)
{
    struct issued_ticket t;
    struct audit_record r = {.action = action, .outcome = outcome};

    ticket_of(n, &t);
    r.ticket = t.id;
    r.digest = t.digest;
    append(l, &r, 0);
}

static void
issue(struct log *l, unsigned n)
{
    name(l, "ticket.issue", "allow", n);
}

/* A record of that number says nothing any more that can be understood. */
static void
damage(struct log *l, uint64_t sequence)
{
    struct store_record record;
    struct store_key key;

    store_key(&key, SPACE_AUDIT_RECORD, NULL, 0);
    buf_u64(&key.b, sequence);
    record.key = store_key_text(&key);
    assert_int_equal(kv_read(l->store.kv, store_record_get, &record, NULL), MAUTH_OK);
    record.value[0] = 0xff; /* of no version */
    assert_int_equal(kv_write(l->store.kv, store_record_put, &record, NULL), MAUTH_OK);
}

static void
find(struct log *l, struct audit_index *x, struct issued_ticket *t, size_t count)
{
    assert_int_equal(issued_find(l->store.kv, x, t, count, 0, NULL), MAUTH_OK);
}

static void
expect_only(struct log *l, struct audit_index *x, unsigned n, enum issued_state state)
{
    struct issued_ticket t;

    ticket_of(n, &t);
    find(l, x, &t, 1);
    if (t.state != state)
        fail_msg("ticket %u: %d instead of %d", n, (int)t.state, (int)state);
}

/* Without an index. */

static void
knows_each_way_of_issue(void **state)
{
    struct issued_ticket t[4];
    struct log l;

    (void)state;
    log_make(&l);
    name(&l, "login", "allow", 0);
    name(&l, "ticket.issue", "allow", 1);
    name(&l, "ticket.renew", "allow", 2);
    tickets_of(t, COUNT(t));
    find(&l, NULL, t, COUNT(t));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(t[i].state, ISSUED_HERE);
    assert_int_equal(t[3].state, ISSUED_NOWHERE);
    store_remove(&l.store);
}

static void
knows_nothing_of_an_empty_log(void **state)
{
    struct log l;

    (void)state;
    log_make(&l);
    expect_only(&l, NULL, 0, ISSUED_NOWHERE);
    find(&l, NULL, NULL, 0);
    store_remove(&l.store);
}

/* What else a record can say of a ticket does not make it ours. */
static void
takes_no_other_record_for_an_issue(void **state)
{
    struct audit_record said = {.action = "ticket.issue", .outcome = "allow"};
    struct audit_record bare = said, cut = said;
    struct issued_ticket t;
    char text[80];
    struct log l;

    (void)state;
    log_make(&l);
    name(&l, "decision", "allow", 0);
    name(&l, "alarm.ticket", "deny", 0);
    name(&l, "ticket.issue", "deny", 0);
    name(&l, "ticket.revoke", "done", 0);
    name(&l, "ticket.issues", "allow", 0);
    ticket_of(0, &t);
    snprintf(text, sizeof(text), "x\",\"ticket\":\"%s", t.id);
    said.resources[said.resource_count++] = text;
    said.digest = t.digest;
    append(&l, &said, 0);
    bare.ticket = t.id; /* without a digest */
    append(&l, &bare, 0);
    cut.ticket = "_00";
    cut.digest = t.digest;
    append(&l, &cut, 0);
    expect_only(&l, NULL, 0, ISSUED_NOWHERE);
    store_remove(&l.store);
}

static void
sees_another_digest(void **state)
{
    struct audit_record r = {.action = "login", .outcome = "allow"};
    struct issued_ticket t[3];
    uint8_t digest[HASH_LEN];
    struct log l;

    (void)state;
    log_make(&l);
    tickets_of(t, COUNT(t));
    memcpy(digest, t[0].digest, sizeof(digest));
    digest[31] ^= 1;
    r.digest = digest;
    for (size_t i = 0; i < 2; i++) {
        r.ticket = t[i].id;
        append(&l, &r, 0);
    }
    issue(&l, 1); /* this one also as it was shown */
    find(&l, NULL, t, COUNT(t));
    assert_int_equal(t[0].state, ISSUED_OTHERWISE);
    assert_int_equal(t[1].state, ISSUED_HERE);
    assert_int_equal(t[2].state, ISSUED_NOWHERE);
    store_remove(&l.store);
}

/* The order of records does not matter: neither that of the two states. */
static void
believes_the_digest_that_fits(void **state)
{
    struct audit_record r = {.action = "login", .outcome = "allow"};
    static const uint8_t other[HASH_LEN] = {9};
    struct issued_ticket t;
    struct log l;

    (void)state;
    log_make(&l);
    ticket_of(0, &t);
    issue(&l, 0);
    r.ticket = t.id;
    r.digest = other;
    append(&l, &r, 0);
    expect_only(&l, NULL, 0, ISSUED_HERE);
    store_remove(&l.store);
}

static void
finds_as_many_as_may_be_asked_about(void **state)
{
    struct issued_ticket t[ISSUED_MAX];
    struct log l;

    (void)state;
    log_make(&l);
    for (unsigned i = 0; i < ISSUED_MAX; i += 2)
        issue(&l, i);
    tickets_of(t, COUNT(t));
    find(&l, NULL, t, COUNT(t));
    for (size_t i = 0; i < COUNT(t); i++)
        assert_int_equal(t[i].state, i % 2 ? ISSUED_NOWHERE : ISSUED_HERE);
    store_remove(&l.store);
}

/* More records than one transaction looks at. */
static void
walks_far(void **state)
{
    struct log l;

    (void)state;
    log_make(&l);
    issue(&l, 0);
    pass(&l, 10000);
    expect_only(&l, NULL, 0, ISSUED_HERE);
    expect_only(&l, NULL, 1, ISSUED_NOWHERE);
    store_remove(&l.store);
}

/* What is older is not looked at: nor is damage there a reason for doubt. */
static void
stops_at_the_time_that_is_asked_for(void **state)
{
    struct issued_ticket t[3];
    struct log l;

    (void)state;
    log_make(&l);
    issue(&l, 0);
    append(&l, NULL, 1);
    pass(&l, 300);
    issue(&l, 1); /* 300 */
    pass(&l, 400);
    damage(&l, 1);
    tickets_of(t, COUNT(t));
    assert_int_equal(issued_find(l.store.kv, NULL, t, COUNT(t),
                         (START_S + INT64_C(300)) * 1000000, NULL),
        MAUTH_OK);
    assert_int_equal(t[0].state, ISSUED_NOWHERE);
    assert_int_equal(t[1].state, ISSUED_HERE);
    assert_int_equal(t[2].state, ISSUED_NOWHERE);
    store_remove(&l.store);
}

static void
doubts_where_a_record_is_damaged(void **state)
{
    struct issued_ticket t[2];
    struct log l;

    (void)state;
    log_make(&l);
    issue(&l, 0);
    issue(&l, 1);
    append(&l, NULL, 3);
    damage(&l, 1);
    tickets_of(t, COUNT(t));
    find(&l, NULL, t, COUNT(t));
    assert_int_equal(t[0].state, ISSUED_HERE);
    assert_int_equal(t[1].state, ISSUED_UNSURE);
    store_remove(&l.store);
}

/* With an index of the first INDEX_STEP records. */

static struct {
    struct log log;
    struct audit_index *index;
} big;

/* So many name a ticket that not all are looked at; its issue comes before them. */
enum {
    NAMED = 100,
    INDEXED = 0, /* tickets, by where they were issued */
    BEHIND = 1,
    NAMED_OFTEN = 2,
    OTHERWISE = 3,
    LOST = 4,
    NOWHERE = 5
};

static int
make_big(void **state)
{
    struct audit_record r = {.action = "ticket.issue", .outcome = "allow"};
    static const uint8_t other[HASH_LEN] = {9};
    struct issued_ticket t;
    bool more = true;

    (void)state;
    log_make(&big.log);
    pass(&big.log, 10);
    issue(&big.log, INDEXED);
    issue(&big.log, NAMED_OFTEN);
    for (size_t i = 0; i < NAMED; i++)
        name(&big.log, "decision", "allow", NAMED_OFTEN);
    ticket_of(OTHERWISE, &t);
    r.ticket = t.id;
    r.digest = other;
    append(&big.log, &r, 0);
    pass(&big.log, 20000);
    issue(&big.log, LOST); /* 20000 */
    pass(&big.log, INDEX_STEP + 10);
    issue(&big.log, BEHIND);
    pass(&big.log, INDEX_STEP + 20);
    assert_int_equal(
        audit_indexing_open(big.log.store.kv, false, &big.index, NULL), MAUTH_OK);
    while (more)
        assert_int_equal(
            audit_indexing_step(big.log.store.kv, big.index, &more, NULL), MAUTH_OK);
    damage(&big.log, 20000);
    return 0;
}

static void
remove_folder(const char *dir)
{
    char command[160];

    snprintf(command, sizeof(command), "rm -r '%s'", dir);
    assert_int_equal(system(command), 0);
}

static int
remove_big(void **state)
{
    char *dir = file_join(kv_folder(big.log.store.kv), "audit-index");

    (void)state;
    audit_index_close(big.index);
    remove_folder(dir);
    free(dir);
    store_remove(&big.log.store);
    return 0;
}

static void
finds_by_the_index(void **state)
{
    static const struct {
        unsigned ticket;
        enum issued_state state;
    } expected[] = {
        {INDEXED, ISSUED_HERE},
        {BEHIND, ISSUED_HERE},
        {NAMED_OFTEN, ISSUED_HERE},
        {OTHERWISE, ISSUED_OTHERWISE},
        {LOST, ISSUED_UNSURE}, /* the record that the index leads to is damaged */
        {NOWHERE, ISSUED_NOWHERE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(expected); i++)
        expect_only(&big.log, big.index, expected[i].ticket, expected[i].state);
}

/* The state of one does not come from what was found of another. */
static void
finds_many_by_the_index(void **state)
{
    struct issued_ticket t[6];

    (void)state;
    tickets_of(t, COUNT(t));
    find(&big.log, big.index, t, COUNT(t));
    assert_int_equal(t[INDEXED].state, ISSUED_HERE);
    assert_int_equal(t[BEHIND].state, ISSUED_HERE);
    assert_int_equal(t[NAMED_OFTEN].state, ISSUED_HERE);
    assert_int_equal(t[OTHERWISE].state, ISSUED_OTHERWISE);
    assert_int_equal(t[LOST].state, ISSUED_UNSURE);
}

static void
finds_the_same_without(void **state)
{
    struct issued_ticket t[6];

    (void)state;
    tickets_of(t, COUNT(t));
    find(&big.log, NULL, t, COUNT(t));
    assert_int_equal(t[INDEXED].state, ISSUED_HERE);
    assert_int_equal(t[BEHIND].state, ISSUED_HERE);
    assert_int_equal(t[NAMED_OFTEN].state, ISSUED_HERE);
    assert_int_equal(t[OTHERWISE].state, ISSUED_OTHERWISE);
    assert_int_equal(t[LOST].state, ISSUED_UNSURE);
    assert_int_equal(t[NOWHERE].state, ISSUED_UNSURE);
}

/* An index of so many files that knows of no record. */
static struct audit_index *
blank_index(const char *dir, size_t files, uint64_t first)
{
    struct audit_index *x = NULL;

    assert_int_equal(audit_index_open(dir, false, &x, NULL), MAUTH_OK);
    assert_int_equal(audit_index_pass(x, first, NULL), MAUTH_OK);
    for (size_t i = 1; i <= files; i++) {
        assert_int_equal(audit_index_pass(x, first + i * INDEX_STEP, NULL), MAUTH_OK);
        assert_int_equal(audit_index_write(x, 0, NULL), MAUTH_OK);
    }
    return x;
}

/* Of the records that it has, the index is believed: they are not walked through... */
static void
leaves_indexed_records_to_the_index(void **state)
{
    char dir[] = "/tmp/meshauth-index.XXXXXX";
    struct audit_index *x;

    (void)state;
    assert_non_null(mkdtemp(dir));
    x = blank_index(dir, 1, 0);
    expect_only(&big.log, x, INDEXED, ISSUED_NOWHERE);
    expect_only(&big.log, x, BEHIND, ISSUED_HERE);
    audit_index_close(x);
    remove_folder(dir);
}

/* ...unless it is one of a longer log. */
static void
passes_over_an_index_of_another_log(void **state)
{
    char dir[] = "/tmp/meshauth-index.XXXXXX";
    struct audit_index *x;

    (void)state;
    assert_non_null(mkdtemp(dir));
    x = blank_index(dir, 2, 0);
    expect_only(&big.log, x, INDEXED, ISSUED_HERE);
    expect_only(&big.log, x, BEHIND, ISSUED_HERE);
    audit_index_close(x);
    remove_folder(dir);
}

static void
does_with_an_empty_index(void **state)
{
    char dir[] = "/tmp/meshauth-index.XXXXXX";
    struct audit_index *x;

    (void)state;
    assert_non_null(mkdtemp(dir));
    x = blank_index(dir, 0, 0);
    expect_only(&big.log, x, INDEXED, ISSUED_HERE);
    audit_index_close(x);
    remove_folder(dir);
}

/* ...or records were erased, which no index knows of. The last test: it is on record
 * from here on. */
static void
walks_after_an_erasure(void **state)
{
    struct audit_record r = {.action = "audit.erase", .outcome = "done"};
    char dir[] = "/tmp/meshauth-index.XXXXXX";
    struct audit_index *x;

    (void)state;
    assert_non_null(mkdtemp(dir));
    x = blank_index(dir, 1, 0);
    append(&big.log, &r, 0);
    expect_only(&big.log, x, INDEXED, ISSUED_HERE);
    expect_only(&big.log, x, OTHERWISE, ISSUED_OTHERWISE);
    audit_index_close(x);
    remove_folder(dir);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_each_way_of_issue),
        cmocka_unit_test(knows_nothing_of_an_empty_log),
        cmocka_unit_test(takes_no_other_record_for_an_issue),
        cmocka_unit_test(sees_another_digest),
        cmocka_unit_test(believes_the_digest_that_fits),
        cmocka_unit_test(finds_as_many_as_may_be_asked_about),
        cmocka_unit_test(walks_far),
        cmocka_unit_test(stops_at_the_time_that_is_asked_for),
        cmocka_unit_test(doubts_where_a_record_is_damaged),
        cmocka_unit_test(finds_by_the_index),
        cmocka_unit_test(finds_many_by_the_index),
        cmocka_unit_test(finds_the_same_without),
        cmocka_unit_test(leaves_indexed_records_to_the_index),
        cmocka_unit_test(passes_over_an_index_of_another_log),
        cmocka_unit_test(does_with_an_empty_index),
        cmocka_unit_test(walks_after_an_erasure),
    };

    return cmocka_run_group_tests(tests, make_big, remove_big);
}
