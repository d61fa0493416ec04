#include "store/graph_invitation.h"
#include "store/graph_member.h"
#include "tests/unit/graph_world.h"

/* What one operation is to answer, on these: alice owns folder 1, bob (2) contributes,
 * carol (3) reads, dave (4) is in no folder, erin (5) is closed, 6 is nobody; folder 2
 * is deleted, 3 is none; device N is user N's, device 6 nobody's. */
struct refusal {
    const char *name;
    enum mauth_rc (*act)(
        struct kv_txn *txn, const struct id *a, const struct id *b, const char *role);
    unsigned a, b;
    const char *role;
    enum mauth_rc rc;
};

static enum mauth_rc
add(struct kv_txn *txn, const struct id *folder, const struct id *user,
    const char *role)
{
    return graph_member_add(txn, folder, user, role, 9, NULL);
}

static enum mauth_rc
set(struct kv_txn *txn, const struct id *folder, const struct id *user,
    const char *role)
{
    return graph_member_set_role(txn, folder, user, role, 9, NULL);
}

static enum mauth_rc
take_out(struct kv_txn *txn, const struct id *folder, const struct id *user,
    const char *role)
{
    (void)role;
    return graph_member_remove(txn, folder, user, 9, NULL);
}

/* Of folder 1. */
static enum mauth_rc
pass(struct kv_txn *txn, const struct id *from, const struct id *to, const char *role)
{
    struct id folder = nth(1);

    (void)role;
    return graph_member_pass(txn, &folder, from, to, 9, NULL);
}

static enum mauth_rc
map(struct kv_txn *txn, const struct id *device, const struct id *folder,
    const char *role)
{
    (void)role;
    return graph_mapping_add(txn, device, folder, 9, NULL);
}

static enum mauth_rc
unmap(struct kv_txn *txn, const struct id *device, const struct id *folder,
    const char *role)
{
    (void)role;
    return graph_mapping_remove(txn, device, folder, 9, NULL);
}

static const struct refusal refusals[] = {
    {"a second owner", add, 1, 4, GRAPH_OWNER, MAUTH_INVALID},
    {"a member of no role", add, 1, 4, GRAPH_NO_ROLE, MAUTH_INVALID},
    {"a member already", add, 1, 3, GRAPH_CONTRIBUTOR, MAUTH_CONFLICT},
    {"the owner once more", add, 1, 1, GRAPH_READER, MAUTH_CONFLICT},
    {"a closed user", add, 1, 5, GRAPH_READER, MAUTH_NOT_FOUND},
    {"nobody", add, 1, 6, GRAPH_READER, MAUTH_NOT_FOUND},
    {"into a deleted folder", add, 2, 4, GRAPH_READER, MAUTH_NOT_FOUND},
    {"into no folder", add, 3, 4, GRAPH_READER, MAUTH_NOT_FOUND},
    {"owner by decree", set, 1, 2, GRAPH_OWNER, MAUTH_INVALID},
    {"no role", set, 1, 2, GRAPH_NO_ROLE, MAUTH_INVALID},
    {"the owner lowered", set, 1, 1, GRAPH_READER, MAUTH_CONFLICT},
    {"the role of a stranger", set, 1, 4, GRAPH_READER, MAUTH_NOT_FOUND},
    {"the owner taken out", take_out, 1, 1, 0, MAUTH_CONFLICT},
    {"a stranger taken out", take_out, 1, 4, 0, MAUTH_NOT_FOUND},
    {"passed by a contributor", pass, 2, 3, 0, MAUTH_CONFLICT},
    {"passed to oneself", pass, 1, 1, 0, MAUTH_CONFLICT},
    {"passed to a stranger", pass, 1, 4, 0, MAUTH_NOT_FOUND},
    {"passed by a stranger", pass, 4, 2, 0, MAUTH_NOT_FOUND},
    {"a stranger's device", map, 4, 1, 0, MAUTH_DENIED},
    {"a device that nobody claims", map, 6, 1, 0, MAUTH_DENIED},
    {"no device", map, 7, 1, 0, MAUTH_DENIED},
    {"a deleted folder mapped", map, 1, 2, 0, MAUTH_DENIED},
    {"no folder mapped", map, 1, 3, 0, MAUTH_DENIED},
    {"what is not mapped", unmap, 1, 1, 0, MAUTH_NOT_FOUND},
};

/* The world above. */
static void
make_all(struct kv_txn *txn)
{
    struct graph_device spare = device_like(6), out;
    struct id user[6], folder;

    for (unsigned n = 1; n <= 5; n++) {
        user[n] = make_user(txn, n);
        if (n < 5)
            make_device(txn, n, &user[n]);
    }
    folder = make_folder(txn, 1, &user[1]);
    assert_int_equal(add(txn, &folder, &user[2], GRAPH_CONTRIBUTOR), MAUTH_OK);
    assert_int_equal(add(txn, &folder, &user[3], GRAPH_READER), MAUTH_OK);
    folder = make_folder(txn, 2, &user[1]);
    assert_int_equal(graph_folder_delete(txn, &folder, 9, NULL), MAUTH_OK);
    assert_int_equal(graph_user_delete(txn, &user[5], 9, NULL), MAUTH_OK);
    assert_int_equal(graph_device_register(txn, &spare, &out, NULL), MAUTH_OK);
}

WORLD_TEST(refuses)
{
    uint64_t before;

    make_all(txn);
    before = state_now(txn);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct refusal *r = &refusals[i];
        struct id a = nth(r->a), b = nth(r->b);

        if (r->act(txn, &a, &b, r->role) != r->rc)
            fail_msg("%s", r->name);
    }
    assert_int_equal(state_now(txn), before);
}

WORLD_TEST(changes_roles)
{
    struct id trip = nth(1), bob = nth(2), carol = nth(3);
    struct graph_link m;
    uint64_t before;

    make_all(txn);
    before = state_now(txn);
    assert_int_equal(set(txn, &trip, &carol, GRAPH_READER), MAUTH_OK);
    assert_int_equal(state_now(txn), before); /* it is */
    assert_int_equal(set(txn, &trip, &carol, GRAPH_CONTRIBUTOR), MAUTH_OK);
    /* Which of the two has more is for the rules to say. */
    assert_int_equal(
        revoked_in(txn, ID_FOLDER, &trip, ID_USER, &carol), state_now(txn));
    assert_true(
        is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &trip, &carol, GRAPH_CONTRIBUTOR));
    assert_int_equal(
        graph_member_set_role(txn, &trip, &bob, GRAPH_READER, 20, NULL), MAUTH_OK);
    assert_int_equal(revoked_in(txn, ID_FOLDER, &trip, ID_USER, &bob), state_now(txn));
    assert_true(is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &trip, &bob, GRAPH_READER));
    assert_int_equal(
        graph_link_find(txn, GRAPH_MEMBER_BY_FOLDER, &trip, &bob, &m, NULL), MAUTH_OK);
    assert_int_equal(m.version, 2);
    assert_int_equal(m.created_s, 9);
    assert_int_equal(m.updated_s, 20);
}

WORLD_TEST(passes_ownership_on)
{
    struct id trip = nth(1), alice = nth(1), carol = nth(3);

    make_all(txn);
    assert_int_equal(pass(txn, &alice, &carol, 0), MAUTH_OK);
    assert_true(is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &trip, &carol, GRAPH_OWNER));
    assert_true(
        is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &trip, &alice, GRAPH_CONTRIBUTOR));
    assert_int_equal(
        revoked_in(txn, ID_FOLDER, &trip, ID_USER, &alice), state_now(txn));
    assert_int_equal(revoked_in(txn, ID_FOLDER, &trip, ID_USER, &carol), 0);
    assert_int_equal(pass(txn, &alice, &carol, 0), MAUTH_CONFLICT);
    assert_int_equal(take_out(txn, &trip, &alice, 0), MAUTH_OK); /* may leave now */
}

static struct id
invite(struct kv_txn *txn, unsigned n, const struct id *folder, const struct id *by)
{
    struct graph_invitation i = {.id = nth(n),
        .folder = *folder,
        .inviter = *by,
        .role = GRAPH_READER,
        .created_s = 9,
        .expires_s = 100};

    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
    return i.id;
}

static enum graph_invitation_state
invitation_state(struct kv_txn *txn, const struct id *id)
{
    struct graph_invitation i;

    assert_int_equal(graph_invitation_by_id(txn, id, 10, &i, NULL), MAUTH_OK);
    return i.state;
}

WORLD_TEST(leaves_nothing_behind)
{
    struct id trip = nth(1), alice = nth(1), bob = nth(2), pc = nth(2), mac;
    struct id hers, his, work, elsewhere;

    make_all(txn);
    mac = make_device(txn, 20, &bob);
    work = make_folder(txn, 4, &bob);
    assert_int_equal(map(txn, &pc, &trip, 0), MAUTH_OK);
    assert_int_equal(map(txn, &pc, &work, 0), MAUTH_OK);
    assert_int_equal(map(txn, &mac, &work, 0), MAUTH_OK);
    hers = invite(txn, 1, &trip, &alice);
    his = invite(txn, 2, &trip, &bob);
    elsewhere = invite(txn, 3, &work, &bob);
    assert_int_equal(take_out(txn, &trip, &bob, 0), MAUTH_OK);
    assert_false(
        is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &trip, &bob, GRAPH_CONTRIBUTOR));
    assert_false(is_linked(txn, GRAPH_MAPPED_BY_DEVICE, &pc, &trip, GRAPH_NO_ROLE));
    assert_true(is_linked(txn, GRAPH_MAPPED_BY_DEVICE, &pc, &work, GRAPH_NO_ROLE));
    assert_true(is_linked(txn, GRAPH_CLAIMED_BY_DEVICE, &pc, &bob, GRAPH_NO_ROLE));
    assert_int_equal(revoked_in(txn, ID_FOLDER, &trip, ID_USER, &bob), state_now(txn));
    assert_true(revoked_in(txn, ID_DEVICE, &pc, ID_FOLDER, &trip));
    assert_int_equal(revoked_in(txn, ID_DEVICE, &mac, ID_FOLDER, &trip), 0);
    assert_int_equal(revoked_in(txn, ID_DEVICE, &pc, ID_FOLDER, &work), 0);
    assert_int_equal(invitation_state(txn, &his), GRAPH_REVOKED);
    assert_int_equal(invitation_state(txn, &hers), GRAPH_PENDING);
    assert_int_equal(invitation_state(txn, &elsewhere), GRAPH_PENDING);
}

WORLD_TEST(maps_once)
{
    struct id trip = nth(1), pc = nth(3);
    uint64_t before;

    make_all(txn);
    assert_int_equal(map(txn, &pc, &trip, 0), MAUTH_OK);
    assert_true(is_linked(txn, GRAPH_MAPPED_BY_DEVICE, &pc, &trip, GRAPH_NO_ROLE));
    before = state_now(txn);
    assert_int_equal(map(txn, &pc, &trip, 0), MAUTH_OK);
    assert_int_equal(state_now(txn), before);
    assert_int_equal(unmap(txn, &pc, &trip, 0), MAUTH_OK);
    assert_int_equal(revoked_in(txn, ID_DEVICE, &pc, ID_FOLDER, &trip), state_now(txn));
    assert_false(is_linked(txn, GRAPH_MAPPED_BY_DEVICE, &pc, &trip, GRAPH_NO_ROLE));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses),
        cmocka_unit_test(changes_roles),
        cmocka_unit_test(passes_ownership_on),
        cmocka_unit_test(leaves_nothing_behind),
        cmocka_unit_test(maps_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
