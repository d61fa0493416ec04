#include "store/graph_record.h"
#include "tests/unit/graph_world.h"

WORLD_TEST(counts_states)
{
    uint64_t n;

    assert_int_equal(graph_state(txn, &n, NULL), MAUTH_OK);
    assert_int_equal(n, 1);
    assert_int_equal(graph_advance(txn, &n, NULL), MAUTH_OK);
    assert_int_equal(n, 2);
    assert_int_equal(graph_state(txn, &n, NULL), MAUTH_OK);
    assert_int_equal(n, 2);
}

static enum mauth_rc
load_state(struct kv_txn *txn, const struct id *id)
{
    uint64_t n;

    (void)id;
    return graph_state(txn, &n, NULL);
}

/* A number that is lost must not begin anew: tickets of old would live again. */
WORLD_TEST(notices_damage)
{
    uint64_t n;

    assert_int_equal(graph_advance(txn, &n, NULL), MAUTH_OK);
    check_damage(txn, SPACE_GRAPH_STATE, NULL, load_state);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_states),
        cmocka_unit_test(notices_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
