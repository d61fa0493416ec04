#include "store/graph_invitation.h"
#include "store/graph_member.h"
#include "tests/unit/graph_world.h"

static enum mauth_rc
load_folder(struct kv_txn *txn, const struct id *id)
{
    struct graph_folder f;
    enum mauth_rc rc = graph_folder_by_id(txn, id, &f, NULL);

    assert_true(rc == MAUTH_OK || is_blank(&f, sizeof(f)));
    return rc;
}

WORLD_TEST(has_one_owner_from_the_start)
{
    struct graph_folder want = {.id = nth(1),
        .name = "Trip",
        .contributors_invite = true,
        .created_s = 5,
        .version = 9,
        .updated_s = 9};
    struct id alice = make_user(txn, 1);
    struct graph_folder f;
    struct graph_link m;

    assert_int_equal(graph_folder_create(txn, &want, &alice, NULL), MAUTH_OK);
    assert_int_equal(graph_folder_by_id(txn, &want.id, &f, NULL), MAUTH_OK);
    assert_true(f.live);
    assert_true(f.contributors_invite);
    assert_string_equal(f.name, "Trip");
    assert_int_equal(f.version, 1);
    assert_int_equal(f.created_s, 5);
    assert_int_equal(f.updated_s, 5);
    assert_true(is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &f.id, &alice, GRAPH_OWNER));
    assert_int_equal(
        graph_link_find(txn, GRAPH_MEMBER_BY_USER, &alice, &f.id, &m, NULL), MAUTH_OK);
    assert_int_equal(m.version, 1);
    assert_int_equal(m.created_s, 5);
    assert_int_equal(state_now(txn), 4);
}

static const struct {
    const char *name;
    unsigned id, owner;
    const char *label;
    enum mauth_rc rc;
} refusals[] = {
    {"no name", 2, 1, "", MAUTH_INVALID},
    {"a name that controls a terminal", 2, 1, "\033[2J", MAUTH_INVALID},
    {"an owner that is not there", 2, 7, "Trip", MAUTH_NOT_FOUND},
    {"an id that is taken", 1, 1, "Trip", MAUTH_CONFLICT},
    {"an id that was taken", 3, 1, "Trip", MAUTH_CONFLICT},
};

WORLD_TEST(refuses_to_be_made)
{
    struct id alice = make_user(txn, 1), gone;
    uint64_t before;

    make_folder(txn, 1, &alice);
    gone = make_folder(txn, 3, &alice);
    assert_int_equal(graph_folder_delete(txn, &gone, 5, NULL), MAUTH_OK);
    before = state_now(txn);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct graph_folder f = {.id = nth(refusals[i].id)};
        struct id owner = nth(refusals[i].owner);

        strcpy(f.name, refusals[i].label);
        if (graph_folder_create(txn, &f, &owner, NULL) != refusals[i].rc)
            fail_msg("%s", refusals[i].name);
    }
    assert_int_equal(state_now(txn), before);
}

WORLD_TEST(updates)
{
    struct id alice = make_user(txn, 1), trip = make_folder(txn, 1, &alice);
    uint64_t before = state_now(txn);
    struct graph_folder f;
    struct id none = nth(2);

    assert_int_equal(graph_folder_update(txn, &trip, "Trip", false, 5, NULL), MAUTH_OK);
    assert_int_equal(state_now(txn), before); /* nothing differs */
    assert_int_equal(graph_folder_update(txn, &trip, "T", false, 5, NULL), MAUTH_OK);
    assert_int_equal(graph_folder_update(txn, &trip, "T", true, 6, NULL), MAUTH_OK);
    assert_int_equal(graph_folder_by_id(txn, &trip, &f, NULL), MAUTH_OK);
    assert_string_equal(f.name, "T");
    assert_true(f.contributors_invite);
    assert_int_equal(f.version, 3);
    assert_int_equal(f.created_s, WORLD_S);
    assert_int_equal(f.updated_s, 6);
    assert_int_equal(
        graph_folder_update(txn, &trip, "\n", true, 7, NULL), MAUTH_INVALID);
    assert_int_equal(
        graph_folder_update(txn, &none, "T", true, 7, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(state_now(txn), before + 2);
}

WORLD_TEST(takes_all_along)
{
    struct id alice = make_user(txn, 1), bob = make_user(txn, 2);
    struct id pc = make_device(txn, 1, &bob), trip = make_folder(txn, 1, &alice);
    struct graph_invitation inv = {.id = nth(1),
        .folder = trip,
        .inviter = alice,
        .role = GRAPH_READER,
        .created_s = 5,
        .expires_s = 100};
    struct graph_folder f;

    assert_int_equal(
        graph_member_add(txn, &trip, &bob, GRAPH_READER, 5, NULL), MAUTH_OK);
    assert_int_equal(graph_mapping_add(txn, &pc, &trip, 5, NULL), MAUTH_OK);
    assert_int_equal(graph_invitation_create(txn, &inv, NULL), MAUTH_OK);
    assert_int_equal(graph_folder_delete(txn, &trip, 6, NULL), MAUTH_OK);
    assert_int_equal(graph_folder_by_id(txn, &trip, &f, NULL), MAUTH_OK);
    assert_false(f.live);
    assert_int_equal(f.version, 2);
    assert_int_equal(f.updated_s, 6);
    assert_false(is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &trip, &alice, GRAPH_OWNER));
    assert_false(is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &trip, &bob, GRAPH_READER));
    assert_false(is_linked(txn, GRAPH_MAPPED_BY_DEVICE, &pc, &trip, GRAPH_NO_ROLE));
    assert_true(is_linked(txn, GRAPH_CLAIMED_BY_DEVICE, &pc, &bob, GRAPH_NO_ROLE));
    assert_int_equal(graph_invitation_by_id(txn, &inv.id, 6, &inv, NULL), MAUTH_OK);
    assert_int_equal(inv.state, GRAPH_REVOKED);
    assert_int_equal(revoked_in(txn, ID_FOLDER, &trip, ID_KINDS, NULL), state_now(txn));

    assert_int_equal(graph_folder_delete(txn, &trip, 7, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(
        graph_folder_update(txn, &trip, "T", true, 7, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(
        graph_member_add(txn, &trip, &bob, GRAPH_READER, 7, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(graph_mapping_add(txn, &pc, &trip, 7, NULL), MAUTH_DENIED);
}

WORLD_TEST(notices_damage)
{
    struct id alice = make_user(txn, 1), trip = make_folder(txn, 1, &alice);

    check_damage(txn, SPACE_FOLDER, &trip, load_folder);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_one_owner_from_the_start),
        cmocka_unit_test(refuses_to_be_made),
        cmocka_unit_test(updates),
        cmocka_unit_test(takes_all_along),
        cmocka_unit_test(notices_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
