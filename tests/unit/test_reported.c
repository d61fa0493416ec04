#include "store/graph_service.h"
#include "store/reported.h"
#include "tests/unit/graph_world.h"

static struct id
make_service(struct kv_txn *txn, unsigned n)
{
    struct graph_service s = {.id = nth(n), .created_s = WORLD_S};

    snprintf(s.name, sizeof(s.name), "s%u", n);
    assert_int_equal(graph_service_create(txn, &s, NULL), MAUTH_OK);
    return s.id;
}

/* A ticket's or a journal's id, different for each n. */
static const uint8_t *
name(unsigned n)
{
    static uint8_t b[4][16];
    static unsigned next;
    uint8_t *out = b[next++ % 4];

    memset(out, 0, 16);
    memcpy(out + 12, &n, sizeof(n));
    return out;
}

/* The record. */

WORLD_TEST(begins_with_nothing)
{
    struct id id = nth(1);
    struct reported r;

    memset(&r, 0xa5, sizeof(r));
    assert_int_equal(reported_load(txn, &id, &r, NULL), MAUTH_OK);
    assert_memory_equal(&r.service, &id, sizeof(id));
    memset(&r.service, 0, sizeof(id));
    assert_true(is_blank(&r, sizeof(r)));
}

/* With as much in it as there can be. */
static struct reported
full_one(const struct id *service)
{
    struct reported r = {.service = *service,
        .since_s = 4000,
        .last_s = 5000,
        .alarms = UINT64_MAX,
        .untold = 6,
        .told = 7,
        .tickets = REPORTED_TICKETS,
        .journals = REPORTED_JOURNALS};

    memset(r.ticket, 8, sizeof(r.ticket));
    for (unsigned i = 0; i < REPORTED_JOURNALS; i++) {
        memcpy(r.journal[i].id, name(i), 16);
        r.journal[i].next = UINT64_MAX - i;
    }
    return r;
}

static void
assert_same(const struct reported *a, const struct reported *b)
{
    assert_memory_equal(&a->service, &b->service, sizeof(a->service));
    assert_true(a->since_s == b->since_s && a->last_s == b->last_s);
    assert_true(a->alarms == b->alarms && a->untold == b->untold);
    assert_int_equal(a->told, b->told);
    assert_int_equal(a->tickets, b->tickets);
    assert_memory_equal(a->ticket, b->ticket, sizeof(a->ticket));
    assert_int_equal(a->journals, b->journals);
    for (size_t i = 0; i < REPORTED_JOURNALS; i++) {
        assert_memory_equal(a->journal[i].id, b->journal[i].id, 16);
        assert_true(a->journal[i].next == b->journal[i].next);
    }
}

WORLD_TEST(comes_back)
{
    struct id one = make_service(txn, 1), two = make_service(txn, 2);
    struct reported full = full_one(&one), small = {.service = two, .alarms = 1}, got;

    assert_int_equal(reported_put(txn, &full, NULL), MAUTH_OK);
    assert_int_equal(reported_put(txn, &small, NULL), MAUTH_OK);
    assert_int_equal(reported_load(txn, &one, &got, NULL), MAUTH_OK);
    assert_same(&got, &full);
    assert_int_equal(reported_load(txn, &two, &got, NULL), MAUTH_OK);
    assert_same(&got, &small);
    assert_int_equal(
        reported_put(txn, &(struct reported){.service = one}, NULL), MAUTH_OK);
    assert_int_equal(reported_load(txn, &one, &got, NULL), MAUTH_OK);
    assert_int_equal(got.alarms, 0);
    assert_int_equal(got.tickets, 0);
}

WORLD_TEST(is_of_a_service_that_is_there)
{
    struct id id = nth(1);
    struct reported r = {.service = id, .alarms = 1}, got;

    assert_int_equal(reported_put(txn, &r, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(reported_load(txn, &id, &got, NULL), MAUTH_OK);
    assert_int_equal(got.alarms, 0);
    make_service(txn, 1);
    assert_int_equal(reported_put(txn, &r, NULL), MAUTH_OK);
    assert_int_equal(graph_service_delete(txn, &id, WORLD_S, NULL), MAUTH_OK);
    assert_int_equal(reported_load(txn, &id, &got, NULL), MAUTH_OK);
    assert_int_equal(got.alarms, 0); /* it went with it */
    assert_int_equal(reported_put(txn, &r, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(reported_load(txn, &id, &got, NULL), MAUTH_OK);
    assert_int_equal(got.alarms, 0);
}

WORLD_TEST(forgets)
{
    struct id one = make_service(txn, 1), two = make_service(txn, 2);
    struct reported r = {.service = one, .alarms = 1}, got;

    assert_int_equal(reported_forget(txn, &one, NULL), MAUTH_OK);
    assert_int_equal(reported_put(txn, &r, NULL), MAUTH_OK);
    r.service = two;
    assert_int_equal(reported_put(txn, &r, NULL), MAUTH_OK);
    assert_int_equal(reported_forget(txn, &one, NULL), MAUTH_OK);
    assert_int_equal(reported_load(txn, &one, &got, NULL), MAUTH_OK);
    assert_int_equal(got.alarms, 0);
    assert_int_equal(reported_load(txn, &two, &got, NULL), MAUTH_OK);
    assert_int_equal(got.alarms, 1);
}

static enum mauth_rc
load(struct kv_txn *txn, const struct id *id)
{
    struct reported r;

    return reported_load(txn, id, &r, NULL);
}

static bool
pass_over(const struct reported *r, void *arg)
{
    (void)r;
    (void)arg;
    return true;
}

static enum mauth_rc
load_all(struct kv_txn *txn, const struct id *id)
{
    (void)id;
    return reported_alarms(txn, 0, pass_over, NULL, NULL);
}

WORLD_TEST(refuses_damage)
{
    struct id id = make_service(txn, 1);
    struct reported r = full_one(&id);

    r.tickets = 2;
    r.journals = 2;
    assert_int_equal(reported_put(txn, &r, NULL), MAUTH_OK);
    check_damage(txn, SPACE_REPORTED, &id, load);
    check_damage(txn, SPACE_REPORTED, &id, load_all);
}

/* Counts that are beyond the room there is, with all that they promise behind them. */
WORLD_TEST(refuses_counts_that_are_too_high)
{
    static const struct {
        uint32_t tickets, journals;
        size_t len;
    } counts[] = {{REPORTED_TICKETS + 1, 0, (REPORTED_TICKETS + 1) * REPORTED_TICKET},
        {0, REPORTED_JOURNALS + 1, (REPORTED_JOURNALS + 1) * 24}, {UINT32_MAX, 0, 3000},
        {0, UINT32_MAX, 3000}};
    struct id id = make_service(txn, 1);
    struct store_key key;
    uint8_t raw[4096];
    struct buf b;

    store_key(&key, SPACE_REPORTED, &id, ID_BYTES);
    for (size_t i = 0; i < COUNT(counts); i++) {
        memset(raw, 0, sizeof(raw));
        buf_init_fixed(&b, raw, sizeof(raw));
        buf_u8(&b, 1);
        for (size_t k = 0; k < 4; k++)
            buf_u64(&b, 0);
        buf_u32(&b, 0);
        buf_u32(&b, counts[i].tickets);
        buf_u32(&b, counts[i].journals);
        put_raw(txn, &key, raw, b.len + counts[i].len);
        assert_int_equal(load(txn, &id), MAUTH_UNAVAILABLE);
        assert_int_equal(load_all(txn, &id), MAUTH_UNAVAILABLE);
    }
}

/* Alarms. */

static void
tells_once_of_each_ticket(void **state)
{
    struct reported r = {.tickets = 0};
    uint64_t count = 0;

    (void)state;
    assert_true(reported_alarm(&r, name(1), 10000, &count));
    assert_int_equal(count, 1);
    for (int i = 0; i < 5; i++)
        assert_false(reported_alarm(&r, name(1), 10001 + i, &count));
    assert_int_equal(r.alarms, 6);
    assert_int_equal(r.last_s, 10005);
    assert_int_equal(r.untold, 5);
    assert_true(reported_alarm(&r, name(2), 10010, &count));
    assert_int_equal(count, 6);
    assert_int_equal(r.untold, 0);
    assert_int_equal(r.alarms, 7);
    assert_false(reported_alarm(&r, name(1), 10000 + REPORTED_HOUR_S, &count));
}

static void
tells_so_many_times_an_hour(void **state)
{
    struct reported r = {.tickets = 0};
    uint64_t count;
    unsigned n = 0;

    (void)state;
    for (; n < REPORTED_ALARMS; n++)
        assert_true(reported_alarm(&r, name(n), 10000 + n, &count));
    for (; n < REPORTED_ALARMS + 4; n++)
        assert_false(reported_alarm(&r, name(n), 10000 + REPORTED_HOUR_S - 1, &count));
    assert_true(reported_alarm(&r, name(n), 10000 + REPORTED_HOUR_S, &count));
    assert_int_equal(count, 5);
    assert_int_equal(r.told, 1);
    assert_int_equal(r.since_s, 10000 + REPORTED_HOUR_S);
    /* One of those that had to wait: it is not on record. */
    assert_true(
        reported_alarm(&r, name(REPORTED_ALARMS), 10001 + REPORTED_HOUR_S, &count));
    assert_int_equal(count, 1);
}

/* A clock that was set back keeps nothing quiet. */
static void
begins_anew_when_time_goes_back(void **state)
{
    struct reported r = {.tickets = 0};
    uint64_t count;

    (void)state;
    for (unsigned n = 0; n < REPORTED_ALARMS; n++)
        assert_true(reported_alarm(&r, name(n), 10000, &count));
    assert_false(reported_alarm(&r, name(99), 10000, &count));
    assert_true(reported_alarm(&r, name(99), 9999, &count));
    assert_int_equal(r.since_s, 9999);
    assert_int_equal(r.last_s, 9999);
}

/* Only those that were told of last are known. */
static void
keeps_the_last_tickets(void **state)
{
    struct reported r = {.tickets = 0};
    int64_t now_s = 10000;
    uint64_t count;

    (void)state;
    for (unsigned n = 0; n < REPORTED_TICKETS + 1; n++, now_s += REPORTED_HOUR_S)
        assert_true(reported_alarm(&r, name(n), now_s, &count));
    assert_int_equal(r.tickets, REPORTED_TICKETS);
    assert_memory_equal(r.ticket[0], name(REPORTED_TICKETS), REPORTED_TICKET);
    assert_memory_equal(r.ticket[REPORTED_TICKETS - 1], name(1), REPORTED_TICKET);
    for (unsigned n = 1; n < REPORTED_TICKETS + 1; n++)
        assert_false(reported_alarm(&r, name(n), now_s, &count));
    assert_true(reported_alarm(&r, name(0), now_s, &count));
    assert_int_equal(count, REPORTED_TICKETS + 1);
}

/* Entries of journals. */

static void
takes_each_entry_once(void **state)
{
    static const struct {
        unsigned journal;
        uint64_t number;
        bool is_new;
    } entries[] = {
        {1, 0, true},
        {1, 0, false},
        {1, 1, true},
        {1, 5, true}, /* some were lost */
        {1, 4, false},
        {1, 5, false},
        {2, 3, true}, /* another begins where it likes */
        {1, 6, true},
        {2, 3, false},
        {2, INT64_MAX, true},
        {2, INT64_MAX, false},
    };
    struct reported r = {.journals = 0};

    (void)state;
    for (size_t i = 0; i < COUNT(entries); i++)
        if (reported_entry(&r, name(entries[i].journal), entries[i].number) !=
            entries[i].is_new)
            fail_msg("entry %zu", i);
    assert_int_equal(r.journals, 2);
}

/* The one that nothing came of for longest goes, also if what came was not new. */
static void
keeps_the_last_journals(void **state)
{
    struct reported r = {.journals = 0};
    unsigned n = 0;

    (void)state;
    for (; n < REPORTED_JOURNALS; n++)
        assert_true(reported_entry(&r, name(n), 7));
    assert_false(reported_entry(&r, name(0), 7));
    assert_true(reported_entry(&r, name(n), 7)); /* in the place of 1 */
    assert_int_equal(r.journals, REPORTED_JOURNALS);
    assert_false(reported_entry(&r, name(0), 7));
    for (unsigned i = 2; i < n; i++)
        assert_false(reported_entry(&r, name(i), 7));
    assert_true(reported_entry(&r, name(1), 7));
    assert_int_equal(r.journals, REPORTED_JOURNALS);
}

/* All services. */

struct seen {
    size_t count, most;
    struct reported one[4];
};

static bool
see(const struct reported *r, void *arg)
{
    struct seen *s = arg;

    assert_true(s->count < COUNT(s->one));
    s->one[s->count++] = *r;
    return s->count < s->most;
}

static size_t
see_all(struct kv_txn *txn, int64_t since_s, size_t most, struct seen *s)
{
    memset(s, 0, sizeof(*s));
    s->most = most;
    assert_int_equal(reported_alarms(txn, since_s, see, s, NULL), MAUTH_OK);
    return s->count;
}

WORLD_TEST(tells_of_services_with_alarms)
{
    struct seen s;

    assert_int_equal(see_all(txn, 1, 9, &s), 0);
    for (unsigned n = 1; n <= 4; n++) {
        struct reported r = {.service = make_service(txn, n), .alarms = n};

        r.last_s = n == 2 ? 0 : 100 * n;
        assert_int_equal(reported_put(txn, &r, NULL), MAUTH_OK);
    }
    assert_int_equal(see_all(txn, 1, 9, &s), 3);
    for (unsigned i = 0; i < 3; i++) {
        struct id id = nth(i ? i + 2 : 1);

        assert_memory_equal(&s.one[i].service, &id, sizeof(id));
        assert_int_equal(s.one[i].alarms, i ? i + 2 : 1);
    }
    assert_int_equal(see_all(txn, 1, 2, &s), 2);
    assert_int_equal(see_all(txn, 300, 9, &s), 2);
    assert_int_equal(see_all(txn, 301, 9, &s), 1);
    assert_int_equal(see_all(txn, 401, 9, &s), 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_with_nothing),
        cmocka_unit_test(comes_back),
        cmocka_unit_test(is_of_a_service_that_is_there),
        cmocka_unit_test(forgets),
        cmocka_unit_test(refuses_damage),
        cmocka_unit_test(refuses_counts_that_are_too_high),
        cmocka_unit_test(tells_once_of_each_ticket),
        cmocka_unit_test(tells_so_many_times_an_hour),
        cmocka_unit_test(begins_anew_when_time_goes_back),
        cmocka_unit_test(keeps_the_last_tickets),
        cmocka_unit_test(takes_each_entry_once),
        cmocka_unit_test(keeps_the_last_journals),
        cmocka_unit_test(tells_of_services_with_alarms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
