#include "store/graph_change.h"
#include "store/graph_record.h"
#include "store/graph_restore.h"
#include "store/graph_session.h"
#include "store/revocations.h"
#include "tests/unit/graph_world.h"

static void
change(struct kv_txn *txn)
{
    struct graph_change c = {.time_s = WORLD_S,
        .op = GRAPH_UPDATED,
        .type = GRAPH_CHANGED_USER,
        .id = {nth(1)}};

    assert_int_equal(graph_change_put(txn, &c, NULL), MAUTH_OK);
}

static void
open_sessions(struct kv_txn *txn, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct graph_session s = {.id = nth(1000 + i),
            .subject_kind = i % 3 ? ID_USER : ID_SERVICE,
            .subject = nth(i % 7),
            .key_hash = {(uint8_t)(255 - i)},
            .started_s = WORLD_S,
            .ends_s = WORLD_S + 1000,
            .open = true};

        assert_int_equal(graph_session_create(txn, &s, NULL), MAUTH_OK);
    }
}

static size_t
count_open(struct kv_txn *txn, unsigned count)
{
    struct graph_session s;
    size_t open = 0;

    for (unsigned i = 0; i < count; i++) {
        struct id id = nth(1000 + i);

        assert_int_equal(graph_session_by_id(txn, &id, &s, NULL), MAUTH_OK);
        open += s.open;
    }
    return open;
}

WORLD_TEST(leaps_and_forgets)
{
    const struct revoked all = {.count = 0};
    struct graph_changes page;
    uint64_t state, found;
    size_t closed, count;

    for (int i = 0; i < 5; i++)
        change(txn);
    open_sessions(txn, 200);
    assert_int_equal(graph_restore(txn, false, &state, &closed, NULL), MAUTH_OK);
    assert_int_equal(state, 6 + GRAPH_LEAP);
    assert_int_equal(state_now(txn), state);
    assert_int_equal(closed, 200);
    assert_int_equal(count_open(txn, 200), 0);
    assert_int_equal(revocations_find(txn, &all, &found, NULL), MAUTH_OK);
    assert_int_equal(found, state);

    /* Whoever was in any state before, of which some are lost, begins anew. */
    for (uint64_t after = 0; after <= 9; after++)
        assert_int_equal(
            graph_change_page(txn, after, 9, &page, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(
        graph_change_page(txn, state - 1, 9, &page, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(graph_change_page(txn, state, 9, &page, NULL), MAUTH_OK);
    assert_int_equal(page.count, 0);
    change(txn);
    assert_int_equal(graph_change_page(txn, state, 9, &page, NULL), MAUTH_OK);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.items[0].sequence, state + 1);

    /* Nor when the old changes are purged, whose numbers are low. */
    assert_int_equal(graph_change_purge(txn, WORLD_S, 2, &count, NULL), MAUTH_OK);
    assert_int_equal(count, 2);
    assert_int_equal(graph_change_page(txn, 4, 9, &page, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(graph_change_purge(txn, WORLD_S, 64, &count, NULL), MAUTH_OK);
    assert_int_equal(count, 3);
    assert_int_equal(graph_change_page(txn, 7, 9, &page, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(graph_change_page(txn, state, 9, &page, NULL), MAUTH_OK);
    assert_int_equal(page.count, 1);
}

WORLD_TEST(keeps_sessions)
{
    uint64_t state;
    size_t closed;

    open_sessions(txn, 70);
    assert_int_equal(graph_restore(txn, true, &state, &closed, NULL), MAUTH_OK);
    assert_int_equal(closed, 0);
    assert_int_equal(count_open(txn, 70), 70);
}

/* Also twice in a row. */
WORLD_TEST(leaps_again)
{
    uint64_t first, second;
    size_t closed;

    assert_int_equal(graph_restore(txn, false, &first, &closed, NULL), MAUTH_OK);
    assert_int_equal(graph_restore(txn, false, &second, &closed, NULL), MAUTH_OK);
    assert_int_equal(second, first + GRAPH_LEAP);
    assert_int_equal(closed, 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaps_and_forgets),
        cmocka_unit_test(keeps_sessions),
        cmocka_unit_test(leaps_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
