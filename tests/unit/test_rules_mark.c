/* store/rules_mark.h */
#include "store/graph_change.h"
#include "store/graph_record.h"
#include "store/revocations.h"
#include "store/rules_mark.h"
#include "tests/unit/graph_world.h"

static const uint8_t these[HASH_LEN] = {1}, those[HASH_LEN] = {2};

/* Since which state all tickets are revoked; 0: they are not. */
static uint64_t
all_revoked_since(struct kv_txn *txn)
{
    const struct revoked all = {.count = 0};
    uint64_t state;
    enum mauth_rc rc = revocations_find(txn, &all, &state, NULL);

    assert_true(rc == MAUTH_OK || rc == MAUTH_NOT_FOUND);
    return state;
}

static bool
change_to(struct kv_txn *txn, const uint8_t hash[HASH_LEN])
{
    bool changed;

    assert_int_equal(rules_mark_set(txn, hash, &changed, NULL), MAUTH_OK);
    return changed;
}

WORLD_TEST(none_are_in_force_at_first)
{
    assert_int_equal(rules_mark_check(txn, these, NULL), MAUTH_CONFLICT);
}

WORLD_TEST(the_first_revoke_nothing)
{
    uint64_t before = state_now(txn);

    assert_int_equal(rules_mark_first(txn, these, NULL), MAUTH_OK);
    assert_int_equal(rules_mark_check(txn, these, NULL), MAUTH_OK);
    assert_int_equal(rules_mark_check(txn, those, NULL), MAUTH_CONFLICT);
    assert_int_equal(state_now(txn), before);
    assert_int_equal(all_revoked_since(txn), 0);
}

/* A ticket of the state before is dead, one of the new state lives. */
WORLD_TEST(others_revoke_all_that_was_proven_before)
{
    uint64_t before;

    assert_int_equal(rules_mark_first(txn, these, NULL), MAUTH_OK);
    (void)make_user(txn, 1);
    before = state_now(txn);
    assert_true(change_to(txn, those));
    assert_int_equal(state_now(txn), before + 1);
    assert_int_equal(all_revoked_since(txn), before + 1);
    assert_int_equal(rules_mark_check(txn, these, NULL), MAUTH_CONFLICT);
    assert_int_equal(rules_mark_check(txn, those, NULL), MAUTH_OK);
}

WORLD_TEST(the_same_again_revoke_nothing)
{
    uint64_t before;

    assert_int_equal(rules_mark_first(txn, these, NULL), MAUTH_OK);
    before = state_now(txn);
    assert_false(change_to(txn, these));
    assert_int_equal(state_now(txn), before);
    assert_int_equal(all_revoked_since(txn), 0);
}

/* What was proven under the others must not come back to life with the old ones. */
WORLD_TEST(going_back_revokes_again)
{
    uint64_t first;

    assert_int_equal(rules_mark_first(txn, these, NULL), MAUTH_OK);
    assert_true(change_to(txn, those));
    first = all_revoked_since(txn);
    assert_true(change_to(txn, these));
    assert_int_equal(all_revoked_since(txn), first + 1);
}

/* A store from before there was a mark: whatever rules it had, these are others. */
WORLD_TEST(rules_without_a_mark_are_others)
{
    assert_true(change_to(txn, these));
    assert_int_equal(all_revoked_since(txn), state_now(txn));
}

/* Both once lay under the same key. */
WORLD_TEST(does_not_meet_the_history_of_changes)
{
    struct graph_changes page;
    size_t count;

    (void)make_user(txn, 1);
    assert_true(change_to(txn, these));
    assert_int_equal(graph_change_page(txn, 0, 8, &page, NULL), MAUTH_OK);
    assert_int_equal(
        graph_change_purge(txn, WORLD_S + GRAPH_CHANGES_KEPT_S + 1, 8, &count, NULL),
        MAUTH_OK);
    assert_int_equal(count, 1);
    assert_int_equal(rules_mark_check(txn, these, NULL), MAUTH_OK);
}

static enum mauth_rc
load(struct kv_txn *txn, const struct id *id)
{
    bool changed;
    enum mauth_rc rc = rules_mark_check(txn, these, NULL);

    (void)id;
    if (rc != MAUTH_OK) /* and it is not mended by writing over it */
        assert_int_equal(rules_mark_set(txn, those, &changed, NULL), rc);
    return rc;
}

WORLD_TEST(notices_damage)
{
    assert_int_equal(rules_mark_first(txn, these, NULL), MAUTH_OK);
    check_damage(txn, SPACE_RULES, NULL, load);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_are_in_force_at_first),
        cmocka_unit_test(the_first_revoke_nothing),
        cmocka_unit_test(others_revoke_all_that_was_proven_before),
        cmocka_unit_test(the_same_again_revoke_nothing),
        cmocka_unit_test(going_back_revokes_again),
        cmocka_unit_test(rules_without_a_mark_are_others),
        cmocka_unit_test(does_not_meet_the_history_of_changes),
        cmocka_unit_test(notices_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
