#include "store/graph_ticket.h"
#include "tests/unit/graph_world.h"

static const char id[] = "_0123456789abcdef0123456789abcdef";

/* Since when; 0: it is not. */
static uint64_t
revoked(struct kv_txn *txn)
{
    struct revoked set = {.count = 1};
    uint64_t state;

    memcpy(set.id[0], id, sizeof(id));
    return revocations_find(txn, &set, &state, NULL) == MAUTH_OK ? state : 0;
}

static uint64_t
number(struct kv_txn *txn)
{
    uint64_t state;

    assert_int_equal(graph_state(txn, &state, NULL), MAUTH_OK);
    return state;
}

/* As of the state that this makes: no ticket of a later one has that ID. */
WORLD_TEST(revokes_once)
{
    uint64_t before = number(txn);

    assert_int_equal(revoked(txn), 0);
    assert_int_equal(graph_ticket_revoke(txn, id, NULL), MAUTH_OK);
    assert_int_equal(number(txn), before + 1);
    assert_int_equal(revoked(txn), before + 1);
    assert_int_equal(graph_ticket_revoke(txn, id, NULL), MAUTH_CONFLICT);
    assert_int_equal(number(txn), before + 1);
    assert_int_equal(revoked(txn), before + 1);
}

WORLD_TEST(refuses_what_is_no_id)
{
    static const char *const bad[] = {
        "",
        "_",
        "0123456789abcdef0123456789abcdef0",
        "_0123456789abcdef0123456789abcde",
        "_0123456789abcdef0123456789abcdef0",
        "_0123456789abcdef0123456789abcdeF",
        "_0123456789abcdef0123456789abcdeg",
        "_0123456789abcdef0123456789abcd f",
        "ses_00000000000000000000000000000",
    };

    assert_true(graph_ticket_is_id(text_of(id)));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (graph_ticket_is_id(text_of(bad[i])) ||
            graph_ticket_revoke(txn, bad[i], NULL) != MAUTH_INVALID)
            fail_msg("'%s'", bad[i]);
    assert_int_equal(revoked(txn), 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(revokes_once),
        cmocka_unit_test(refuses_what_is_no_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
