#include "store/graph_invitation.h"
#include "store/graph_member.h"
#include "store/graph_purge.h"
#include "tests/unit/graph_world.h"

static size_t
purge(struct kv_txn *txn, int64_t now_s, size_t max)
{
    size_t count = 99;

    assert_int_equal(graph_purge(txn, now_s, max, &count, NULL), MAUTH_OK);
    return count;
}

static bool
is_taken(struct kv_txn *txn, enum id_kind kind, const struct id *id)
{
    enum mauth_rc rc = graph_purge_taken(txn, kind, id, NULL);

    assert_true(rc == MAUTH_OK || rc == MAUTH_NOT_FOUND);
    return rc == MAUTH_OK;
}

WORLD_TEST(lets_a_user_go)
{
    struct graph_identity who = {{"https://i.example", 17}, {"1", 1}};
    struct id alice = make_user(txn, 1), again = nth(2), other = make_user(txn, 3);
    struct graph_user u;

    assert_int_equal(graph_user_delete(txn, &alice, 10, NULL), MAUTH_OK);
    assert_int_equal(purge(txn, 9 + GRAPH_KEPT_S, 9), 0);
    assert_int_equal(graph_user_by_id(txn, &alice, &u, NULL), MAUTH_OK);
    assert_int_equal(graph_user_create(txn, &again, &who, 11, NULL), MAUTH_CONFLICT);
    assert_int_equal(purge(txn, 10 + GRAPH_KEPT_S, 9), 1);
    assert_int_equal(purge(txn, 10 + GRAPH_KEPT_S, 9), 0);
    assert_int_equal(graph_user_by_id(txn, &alice, &u, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(graph_user_by_identity(txn, &who, &u, NULL), MAUTH_NOT_FOUND);
    /* Who comes back is somebody new. */
    assert_true(is_taken(txn, ID_USER, &alice));
    assert_false(is_taken(txn, ID_USER, &again));
    assert_int_equal(graph_user_create(txn, &alice, &who, 12, NULL), MAUTH_CONFLICT);
    assert_int_equal(graph_user_create(txn, &again, &who, 12, NULL), MAUTH_OK);
    assert_int_equal(graph_user_by_id(txn, &other, &u, NULL), MAUTH_OK);
    assert_true(u.live);
}

WORLD_TEST(lets_a_folder_go)
{
    struct id alice = make_user(txn, 1), trip = make_folder(txn, 1, &alice);
    struct graph_folder f = {.id = trip, .name = "Trip"};

    assert_int_equal(graph_folder_delete(txn, &trip, 10, NULL), MAUTH_OK);
    assert_int_equal(purge(txn, 9 + GRAPH_KEPT_S, 9), 0);
    assert_int_equal(purge(txn, 10 + GRAPH_KEPT_S, 9), 1);
    assert_int_equal(graph_folder_by_id(txn, &trip, &f, NULL), MAUTH_NOT_FOUND);
    f = (struct graph_folder){.id = trip, .name = "Trip"};
    assert_int_equal(graph_folder_create(txn, &f, &alice, NULL), MAUTH_CONFLICT);
    assert_true(is_taken(txn, ID_FOLDER, &trip));
}

WORLD_TEST(lets_a_device_go_that_nobody_claims)
{
    struct id alice = make_user(txn, 1), pc = make_device(txn, 1, &alice);
    struct graph_device like = device_like(1), d;

    assert_int_equal(graph_device_release(txn, &pc, &alice, 10, NULL), MAUTH_OK);
    assert_int_equal(graph_device_claim(txn, &pc, &alice, 20, NULL), MAUTH_OK);
    assert_int_equal(purge(txn, 10 + GRAPH_KEPT_S, 9), 1); /* looked at, and left */
    assert_int_equal(graph_device_by_id(txn, &pc, &d, NULL), MAUTH_OK);
    assert_true(is_linked(txn, GRAPH_CLAIMED_BY_DEVICE, &pc, &alice, GRAPH_NO_ROLE));

    assert_int_equal(graph_device_release(txn, &pc, &alice, 100, NULL), MAUTH_OK);
    assert_int_equal(graph_device_update(txn, &pc, "M", false, 200, NULL), MAUTH_OK);
    assert_int_equal(purge(txn, 100 + GRAPH_KEPT_S, 9), 1); /* not idle yet */
    assert_int_equal(graph_device_by_id(txn, &pc, &d, NULL), MAUTH_OK);
    assert_int_equal(purge(txn, 199 + GRAPH_KEPT_S, 9), 0);
    assert_int_equal(purge(txn, 200 + GRAPH_KEPT_S, 9), 1);
    assert_int_equal(graph_device_by_id(txn, &pc, &d, NULL), MAUTH_NOT_FOUND);

    /* The id is not to be had again, not even with its key; the key is. */
    assert_int_equal(graph_device_register(txn, &like, &d, NULL), MAUTH_CONFLICT);
    like.id = nth(2);
    assert_int_equal(graph_device_register(txn, &like, &d, NULL), MAUTH_OK);
}

WORLD_TEST(lets_an_invitation_go)
{
    struct id alice = make_user(txn, 1), trip = make_folder(txn, 1, &alice);
    struct graph_invitation i = {.id = nth(1),
        .folder = trip,
        .inviter = alice,
        .role = GRAPH_READER,
        .created_s = 10,
        .expires_s = 20};
    struct id one = nth(1), two = nth(2);
    struct graph_ids page;

    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
    i.id = two;
    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
    assert_int_equal(graph_invitation_decline(txn, &two, 11, NULL), MAUTH_OK);
    assert_int_equal(purge(txn, 19 + GRAPH_KEPT_S, 9), 0);
    assert_int_equal(purge(txn, 20 + GRAPH_KEPT_S, 9), 2);
    assert_int_equal(graph_invitation_by_id(txn, &one, 30, &i, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(graph_invitation_by_id(txn, &two, 30, &i, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(
        graph_invitation_page(txn, &trip, &alice, NULL, &page, NULL), MAUTH_OK);
    assert_int_equal(page.count, 0);
    /* The pending one left no trace either that the folder would stumble over. */
    assert_int_equal(graph_folder_delete(txn, &trip, 30, NULL), MAUTH_OK);
}

WORLD_TEST(goes_in_small_steps)
{
    enum {
        MANY = 200
    };
    struct id alice = make_user(txn, 1);
    struct graph_folder f;
    unsigned left = 0;

    for (unsigned n = 0; n < MANY; n++) {
        struct id folder = make_folder(txn, n, &alice);

        assert_int_equal(graph_folder_delete(txn, &folder, MANY - n, NULL), MAUTH_OK);
    }
    assert_int_equal(purge(txn, MANY + GRAPH_KEPT_S, 0), 0);
    assert_int_equal(purge(txn, MANY + GRAPH_KEPT_S, 100), 100);
    for (unsigned n = 0; n < MANY; n++) {
        struct id id = nth(n);
        enum mauth_rc rc = graph_folder_by_id(txn, &id, &f, NULL);

        /* The oldest first: those that were deleted until 100. */
        assert_int_equal(rc, n < 100 ? MAUTH_OK : MAUTH_NOT_FOUND);
        left += rc == MAUTH_OK;
    }
    assert_int_equal(purge(txn, 150 + GRAPH_KEPT_S, MANY), 50);
    assert_int_equal(purge(txn, MANY + GRAPH_KEPT_S, MANY), left - 50);
    assert_int_equal(purge(txn, INT64_MAX - 1, MANY), 0);
}

WORLD_TEST(notices_damage)
{
    struct store_key key;
    size_t count;

    store_key(&key, SPACE_PURGE_AT, "\0\0\0\0\0\0\0\1\377", 9);
    buf_put(&key.b, nth(1).b, ID_BYTES);
    put_raw(txn, &key, "", 0);
    assert_int_equal(graph_purge(txn, 9, 9, &count, NULL), MAUTH_UNAVAILABLE);
    assert_int_equal(kv_delete(txn, store_key_text(&key), NULL), MAUTH_OK);
    store_key(&key, SPACE_PURGE_AT, "\0\0\0\0\0\0\0\1\0", 9);
    put_raw(txn, &key, "", 0);
    assert_int_equal(graph_purge(txn, 9, 9, &count, NULL), MAUTH_UNAVAILABLE);
    assert_int_equal(count, 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_a_user_go),
        cmocka_unit_test(lets_a_folder_go),
        cmocka_unit_test(lets_a_device_go_that_nobody_claims),
        cmocka_unit_test(lets_an_invitation_go),
        cmocka_unit_test(goes_in_small_steps),
        cmocka_unit_test(notices_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
