/* store/key_ready.h */
#include <jansson.h>

#include "store/graph_service.h"
#include "store/key_ready.h"
#include "tests/unit/graph_world.h"

enum {
    NOW_S = 2 * READINESS_DAY_S
};

static const struct trust_place listed = {1, 7};

/* A service that has loaded this file. */
static struct readiness
make(struct kv_txn *txn, unsigned n, const char *name, uint64_t sequence)
{
    struct graph_service s = {.id = nth(n), .created_s = WORLD_S};

    snprintf(s.name, sizeof(s.name), "%s", name);
    assert_int_equal(graph_service_create(txn, &s, NULL), MAUTH_OK);
    return (struct readiness){.service = s.id,
        .loaded = {1, sequence},
        .since_s = NOW_S - 60,
        .seen_s = NOW_S - 1};
}

static void
expect(struct kv_txn *txn, const struct readiness *is, size_t count, enum mauth_rc rc,
    const char *why)
{
    const struct key_reports reports = {is, count};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct key_ready ready;

    assert_int_equal(key_ready_take(txn, &reports, NOW_S, &ready, NULL), MAUTH_OK);
    assert_int_equal(key_ready_check(&ready, listed, &err), rc);
    assert_string_equal(err.text, why);
    key_ready_clear(&ready);
}

WORLD_TEST(names_who_lacks_it)
{
    struct readiness is[4] = {make(txn, 1, "relay", 6), make(txn, 2, "store", 7),
        make(txn, 3, "audit", 3), make(txn, 4, "chat", 1)};

    expect(txn, is, 0, MAUTH_OK, "");
    expect(txn, is + 1, 1, MAUTH_OK, "");
    expect(txn, is, 2, MAUTH_CONFLICT,
        "Who has not loaded the key yet: relay (since 1970-01-02T23:59:00Z).");
    expect(txn, is, 3, MAUTH_CONFLICT,
        "Who has not loaded the key yet: audit (since 1970-01-02T23:59:00Z), relay "
        "(since 1970-01-02T23:59:00Z).");
    expect(txn, is, 4, MAUTH_CONFLICT,
        "Who has not loaded the key yet: audit (since 1970-01-02T23:59:00Z), chat "
        "(since 1970-01-02T23:59:00Z) and 1 more.");
}

WORLD_TEST(waits_for_nobody_who_is_gone)
{
    struct readiness is[3] = {
        make(txn, 1, "relay", 6), make(txn, 2, "store", 6), {.service = nth(9)}};

    is[0].seen_s = NOW_S - READINESS_DAY_S - 1;
    is[2].seen_s = NOW_S;
    assert_int_equal(graph_service_delete(txn, &is[1].service, NOW_S, NULL), MAUTH_OK);
    expect(txn, is, 3, MAUTH_OK, "");
}

WORLD_TEST(goes_by_the_record_when_nobody_tells)
{
    struct readiness r = make(txn, 1, "relay", 6);

    expect(txn, NULL, 0, MAUTH_OK, "");
    assert_int_equal(readiness_put(txn, &r, NULL), MAUTH_OK);
    expect(txn, NULL, 0, MAUTH_CONFLICT,
        "Who has not loaded the key yet: relay (since 1970-01-02T23:59:00Z).");
    expect(txn, &r, 0, MAUTH_OK, ""); /* somebody tells, of nobody */
}

WORLD_TEST(shows_them)
{
    struct readiness is[2] = {make(txn, 1, "relay", 7), make(txn, 2, "audit", 6)};
    const struct key_reports reports = {is, 2}, none = {is, 0};
    struct key_ready ready;
    json_t *o, *list;
    struct buf b;

    buf_init(&b);
    assert_int_equal(key_ready_take(txn, &none, NOW_S, &ready, NULL), MAUTH_OK);
    key_ready_view(&ready, listed, "https://a.example", &b);
    assert_int_equal(b.len, 0);
    key_ready_clear(&ready);
    assert_int_equal(key_ready_take(txn, &reports, NOW_S, &ready, NULL), MAUTH_OK);
    buf_str(&b, "{\"id\":1");
    key_ready_view(&ready, listed, "https://a.example", &b);
    buf_str(&b, "}");
    o = json_loadb((const char *)b.data, b.len, JSON_REJECT_DUPLICATES, NULL);
    list = json_object_get(o, "verifiers");
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(list, 0), "name")), "audit");
    assert_true(json_is_false(json_object_get(json_array_get(list, 0), "ready")));
    assert_true(json_is_true(json_object_get(json_array_get(list, 1), "ready")));
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(list, 1), "loaded")), "1.7");
    json_decref(o);
    key_ready_clear(&ready);
    buf_clear(&b);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_who_lacks_it),
        cmocka_unit_test(waits_for_nobody_who_is_gone),
        cmocka_unit_test(goes_by_the_record_when_nobody_tells),
        cmocka_unit_test(shows_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
