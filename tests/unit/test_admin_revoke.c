#include "base/str.h"
#include "store/admin_revoke.h"
#include "store/graph_member.h"
#include "store/graph_session.h"
#include "tests/unit/graph_world.h"

#define TICKET "_0123456789abcdef0123456789abcdef"

enum {
    NOW_S = 2000
};

/* The name of one thing, or of two. */
static const char *
name_of(enum id_kind kind, const struct id *id)
{
    static char names[16][ID_LEN + 1];
    static unsigned n;
    char *name = names[n++ % 16];

    id_format(kind, id, name);
    return name;
}

static const char *
pair(const char *a, const char *b)
{
    static char name[ADMIN_REVOKE_NAME];

    snprintf(name, sizeof(name), "%s+%s", a, b);
    return name;
}

static enum mauth_rc
end(struct kv_txn *txn, const char *name, bool *changed)
{
    struct admin_revoke r;

    assert_true(admin_revoke_parse(text_of(name), &r));
    return admin_revoke_apply(txn, &r, NOW_S, changed, NULL);
}

static struct id
make_session(struct kv_txn *txn, unsigned n, const struct id *user, unsigned device)
{
    struct graph_session s = {.id = nth(n),
        .subject_kind = ID_USER,
        .subject = *user,
        .started_s = WORLD_S,
        .ends_s = 9000,
        .open = true};
    struct graph_device d;
    struct id id = nth(device);

    assert_int_equal(graph_device_by_id(txn, &id, &d, NULL), MAUTH_OK);
    memcpy(s.key_hash, d.key_hash, sizeof(s.key_hash));
    assert_int_equal(graph_session_create(txn, &s, NULL), MAUTH_OK);
    return s.id;
}

static bool
is_open(struct kv_txn *txn, const struct id *session)
{
    struct graph_session s;

    assert_int_equal(graph_session_by_id(txn, session, &s, NULL), MAUTH_OK);
    return s.open;
}

static bool
is_revoked(struct kv_txn *txn, const char *a, const char *b)
{
    struct revoked set = {.count = b ? 2 : 1};
    uint64_t state;

    snprintf(set.id[0], sizeof(set.id[0]), "%s", a);
    snprintf(set.id[1], sizeof(set.id[1]), "%s", b ? b : "");
    return revocations_find(txn, &set, &state, NULL) == MAUTH_OK;
}

WORLD_TEST(a_user_is_logged_out_everywhere)
{
    struct id alice = make_user(txn, 1), bob = make_user(txn, 2);
    struct id first, second, other;
    bool changed;

    make_device(txn, 3, &alice);
    make_device(txn, 4, &bob);
    first = make_session(txn, 5, &alice, 3);
    second = make_session(txn, 6, &alice, 4); /* on another's device */
    other = make_session(txn, 7, &bob, 4);
    assert_int_equal(end(txn, name_of(ID_USER, &alice), &changed), MAUTH_OK);
    assert_true(changed);
    assert_false(is_open(txn, &first) || is_open(txn, &second));
    assert_true(is_open(txn, &other));
    assert_true(is_revoked(txn, name_of(ID_USER, &alice), NULL));
    assert_false(is_revoked(txn, name_of(ID_USER, &bob), NULL));
}

WORLD_TEST(a_device_is_nobodys)
{
    struct id alice = make_user(txn, 1), bob = make_user(txn, 2);
    struct id pc = make_device(txn, 3, &alice), phone = make_device(txn, 4, &alice);
    struct id mine = make_session(txn, 5, &alice, 3);
    struct id guest = make_session(txn, 6, &bob, 3);
    struct id other = make_session(txn, 7, &alice, 4);
    bool changed;

    assert_int_equal(end(txn, name_of(ID_DEVICE, &pc), &changed), MAUTH_OK);
    assert_true(changed);
    assert_false(is_linked(txn, GRAPH_CLAIMED_BY_DEVICE, &pc, &alice, GRAPH_NO_ROLE));
    assert_true(is_linked(txn, GRAPH_CLAIMED_BY_DEVICE, &phone, &alice, GRAPH_NO_ROLE));
    assert_false(is_open(txn, &mine) || is_open(txn, &guest));
    assert_true(is_open(txn, &other));
    assert_true(is_revoked(txn, name_of(ID_DEVICE, &pc), NULL));
    /* Also when nobody claims it: somebody may have logged in there. */
    guest = make_session(txn, 8, &bob, 3);
    assert_int_equal(end(txn, name_of(ID_DEVICE, &pc), &changed), MAUTH_OK);
    assert_false(is_open(txn, &guest));
}

/* More of them than are looked at once. */
WORLD_TEST(many_sessions_with_its_key_are_closed)
{
    struct id alice = make_user(txn, 1), pc = make_device(txn, 3, &alice);
    struct id session[200];
    bool changed;

    make_device(txn, 4, &alice);
    for (unsigned i = 0; i < COUNT(session); i++) {
        struct id user = make_user(txn, 1000 + i);

        session[i] = make_session(txn, 2000 + i, &user, i % 10 ? 3 : 4);
    }
    assert_int_equal(end(txn, name_of(ID_DEVICE, &pc), &changed), MAUTH_OK);
    for (unsigned i = 0; i < COUNT(session); i++)
        assert_int_equal(is_open(txn, &session[i]), i % 10 == 0);
}

WORLD_TEST(links_are_cut)
{
    struct id alice = make_user(txn, 1), bob = make_user(txn, 2);
    struct id pc = make_device(txn, 3, &bob), trip = make_folder(txn, 4, &alice);
    const char *fld = name_of(ID_FOLDER, &trip), *usr = name_of(ID_USER, &bob);
    struct id session = make_session(txn, 5, &bob, 3);
    bool changed;

    assert_int_equal(
        graph_member_add(txn, &trip, &bob, GRAPH_READER, WORLD_S, NULL), MAUTH_OK);
    assert_int_equal(graph_mapping_add(txn, &pc, &trip, WORLD_S, NULL), MAUTH_OK);

    assert_int_equal(end(txn, pair(name_of(ID_DEVICE, &pc), fld), &changed), MAUTH_OK);
    assert_false(is_linked(txn, GRAPH_MAPPED_BY_DEVICE, &pc, &trip, GRAPH_NO_ROLE));
    assert_true(is_revoked(txn, name_of(ID_DEVICE, &pc), fld));

    assert_int_equal(
        end(txn, pair(usr, fld), &changed), MAUTH_OK); /* in either order */
    assert_false(is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &trip, &bob, GRAPH_READER));
    assert_true(is_revoked(txn, fld, usr));
    assert_true(is_open(txn, &session));

    assert_int_equal(end(txn, pair(usr, name_of(ID_DEVICE, &pc)), &changed), MAUTH_OK);
    assert_false(is_linked(txn, GRAPH_CLAIMED_BY_DEVICE, &pc, &bob, GRAPH_NO_ROLE));
    assert_false(is_open(txn, &session));

    /* Each once; and the owner stays. */
    assert_int_equal(end(txn, pair(fld, usr), &changed), MAUTH_NOT_FOUND);
    assert_false(changed);
    assert_int_equal(
        end(txn, pair(fld, name_of(ID_USER, &alice)), &changed), MAUTH_CONFLICT);
    assert_true(is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &trip, &alice, GRAPH_OWNER));
}

WORLD_TEST(tickets_and_sessions_are_ended_once)
{
    struct id alice = make_user(txn, 1), session;
    bool changed;

    make_device(txn, 3, &alice);
    session = make_session(txn, 5, &alice, 3);
    assert_int_equal(end(txn, TICKET, &changed), MAUTH_OK);
    assert_true(changed);
    assert_true(is_revoked(txn, TICKET, NULL));
    assert_int_equal(end(txn, TICKET, &changed), MAUTH_OK);
    assert_false(changed);
    assert_int_equal(end(txn, name_of(ID_SESSION, &session), &changed), MAUTH_OK);
    assert_false(is_open(txn, &session));
    assert_int_equal(
        end(txn, name_of(ID_SESSION, &session), &changed), MAUTH_NOT_FOUND);
}

WORLD_TEST(nobody_and_nothing_are_not_found)
{
    struct id alice = make_user(txn, 1), none = nth(99);
    const char *usr = name_of(ID_USER, &none);
    bool changed;

    assert_int_equal(end(txn, usr, &changed), MAUTH_NOT_FOUND);
    assert_int_equal(end(txn, name_of(ID_DEVICE, &none), &changed), MAUTH_NOT_FOUND);
    assert_int_equal(end(txn, name_of(ID_SESSION, &none), &changed), MAUTH_NOT_FOUND);
    assert_int_equal(
        end(txn, pair(name_of(ID_DEVICE, &none), usr), &changed), MAUTH_NOT_FOUND);
    assert_int_equal(
        end(txn, pair(name_of(ID_FOLDER, &none), usr), &changed), MAUTH_NOT_FOUND);
    assert_int_equal(graph_user_delete(txn, &alice, NOW_S, NULL), MAUTH_OK);
    assert_int_equal(end(txn, name_of(ID_USER, &alice), &changed), MAUTH_NOT_FOUND);
    assert_false(changed);
}

static void
names_are_read(void **state)
{
#define U "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define D "dev_0ccccccccccccccccccccccccc"
#define F "fld_0ttttttttttttttttttttttttt"
    static const struct {
        const char *name, *action;
    } cases[] = {{U, "user.revoke"}, {D, "device.revoke"},
        {"ses_0sssssssssssssssssssssssss", "session.close"}, {TICKET, "ticket.revoke"},
        {D "+" U, "device.release"}, {U "+" D, "device.release"},
        {F "+" U, "member.remove"}, {U "+" F, "member.remove"},
        {D "+" F, "mapping.remove"}, {F "+" D, "mapping.remove"}};
    static const char *const bad[] = {"", "+", F, "svc_0aaaaaaaaaaaaaaaaaaaaaaaaa",
        U "+", "+" U, U "+" U, U "+" F "+" D, U " " F, U "+" TICKET, TICKET "+",
        "usr_0AAAAAAAAAAAAAAAAAAAAAAAAA", "_0123", "*", U "\n", "alice"};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct admin_revoke r;

        assert_true(admin_revoke_parse(text_of(cases[i].name), &r));
        assert_string_equal(admin_revoke_action(&r), cases[i].action);
        assert_int_equal(r.count, strchr(cases[i].name, '+') ? 2 : 1);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct admin_revoke r;

        if (admin_revoke_parse(text_of(bad[i]), &r))
            fail_msg("%s", bad[i]);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_is_logged_out_everywhere),
        cmocka_unit_test(a_device_is_nobodys),
        cmocka_unit_test(many_sessions_with_its_key_are_closed),
        cmocka_unit_test(links_are_cut),
        cmocka_unit_test(tickets_and_sessions_are_ended_once),
        cmocka_unit_test(nobody_and_nothing_are_not_found),
        cmocka_unit_test(names_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
