/* store/readiness.h */
#include "store/graph_service.h"
#include "store/readiness.h"
#include "tests/unit/graph_world.h"

static struct id
make_service(struct kv_txn *txn, unsigned n)
{
    struct graph_service s = {.id = nth(n), .created_s = WORLD_S};

    snprintf(s.name, sizeof(s.name), "relay-%u", n);
    assert_int_equal(graph_service_create(txn, &s, NULL), MAUTH_OK);
    return s.id;
}

/* How many there are; the first two are copied. */
static size_t
look(struct kv_txn *txn, struct readiness out[2])
{
    struct readiness *all;
    size_t count;

    assert_int_equal(readiness_take(txn, &all, &count, NULL), MAUTH_OK);
    for (size_t i = 0; i < count && i < 2; i++)
        out[i] = all[i];
    free(all);
    return count;
}

WORLD_TEST(keeps_the_last_report_of_each)
{
    struct readiness a = {.service = make_service(txn, 1),
        .loaded = {3, 17},
        .hash = {1, 2},
        .since_s = 5,
        .seen_s = 6};
    struct readiness b = {.service = make_service(txn, 2), .is_strange = true};
    struct readiness is[2];

    assert_int_equal(look(txn, is), 0);
    assert_int_equal(readiness_put(txn, &b, NULL), MAUTH_OK);
    assert_int_equal(readiness_put(txn, &a, NULL), MAUTH_OK);
    a.loaded.sequence = 18;
    assert_int_equal(readiness_put(txn, &a, NULL), MAUTH_OK);
    assert_int_equal(look(txn, is), 2);
    assert_memory_equal(is[0].service.b, a.service.b, ID_BYTES);
    assert_memory_equal(is[0].hash, a.hash, HASH_LEN);
    assert_int_equal(trust_place_compare(is[0].loaded, a.loaded), 0);
    assert_int_equal(is[0].since_s, 5);
    assert_int_equal(is[0].seen_s, 6);
    assert_false(is[0].is_strange);
    assert_true(is[1].is_strange);
}

/* A service that is gone holds nothing up, and cannot come back by a late report. */
WORLD_TEST(goes_with_its_service)
{
    struct readiness r = {.service = nth(9)}, is[2];

    assert_int_equal(readiness_put(txn, &r, NULL), MAUTH_NOT_FOUND);
    r.service = make_service(txn, 1);
    assert_int_equal(readiness_put(txn, &r, NULL), MAUTH_OK);
    assert_int_equal(graph_service_delete(txn, &r.service, WORLD_S, NULL), MAUTH_OK);
    assert_int_equal(look(txn, is), 0);
    assert_int_equal(readiness_put(txn, &r, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(readiness_forget(txn, &r.service, NULL), MAUTH_OK);
}

WORLD_TEST(lists_many)
{
    struct readiness r = {.seen_s = 1}, is[2];

    for (unsigned n = 0; n < 100; n++) {
        r.service = make_service(txn, n);
        assert_int_equal(readiness_put(txn, &r, NULL), MAUTH_OK);
    }
    assert_int_equal(look(txn, is), 100);
}

WORLD_TEST(says_what_is_damaged)
{
    struct readiness r = {.service = make_service(txn, 1)}, *all;
    struct store_key key;
    size_t count;

    assert_int_equal(readiness_put(txn, &r, NULL), MAUTH_OK);
    store_key(&key, SPACE_READINESS, r.service.b, ID_BYTES);
    assert_int_equal(
        kv_put(txn, store_key_text(&key), (struct text){"\1x", 2}, NULL), MAUTH_OK);
    assert_int_equal(readiness_take(txn, &all, &count, NULL), MAUTH_UNAVAILABLE);
    assert_null(all);
}

static void
tells_who_lacks_a_key(void **state)
{
    static const struct {
        const char *name;
        struct readiness r;
        struct trust_place listed;
        bool lacks;
    } cases[] = {
        {"the file before", {.loaded = {1, 6}}, {1, 7}, true},
        {"the file itself", {.loaded = {1, 7}}, {1, 7}, false},
        {"a later one", {.loaded = {1, 8}}, {1, 7}, false},
        {"of an older epoch", {.loaded = {1, 900}}, {2, 7}, true},
        {"of a newer epoch", {.loaded = {2, 1}}, {1, 7}, false},
        {"of a stranger", {.loaded = {1, 8}, .is_strange = true}, {1, 7}, true},
        {"a key that no file lists", {.loaded = {1, 8}}, {0, 0}, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct readiness r = cases[i].r;

        r.seen_s = 1000;
        if (readiness_lacks(&r, cases[i].listed, 1000 + READINESS_DAY_S) !=
            cases[i].lacks)
            fail_msg("%s", cases[i].name);
        assert_false(readiness_lacks(&r, cases[i].listed, 1000 + READINESS_DAY_S + 1));
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_last_report_of_each),
        cmocka_unit_test(goes_with_its_service),
        cmocka_unit_test(lists_many),
        cmocka_unit_test(says_what_is_damaged),
        cmocka_unit_test(tells_who_lacks_a_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
