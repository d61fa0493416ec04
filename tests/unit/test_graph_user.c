#include "store/graph_member.h"
#include "store/graph_role.h"
#include "store/graph_session.h"
#include "store/graph_user.h"
#include "tests/unit/graph_world.h"

struct act {
    struct graph_identity who;
    struct id id;
    struct graph_user user;
    int64_t now_s;
    uint64_t number;
};

static struct graph_identity
who(const char *issuer, const char *subject)
{
    struct graph_identity w = {text_of(issuer), text_of(subject)};

    return w;
}

static enum mauth_rc
state_of(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_state(txn, &((struct act *)arg)->number, err);
}

static enum mauth_rc
create_user(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_user_create(txn, &a->id, &a->who, a->now_s, err);
}

static enum mauth_rc
user_by_identity(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_user_by_identity(txn, &a->who, &a->user, err);
}

static void
knows_users_by_issuer_and_subject(void **state)
{
    struct act a = {.who = who("https://i.example", "alice"), .now_s = 1000};
    struct store_dir s;
    struct id first;
    uint64_t before;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(kv_read(s.kv, state_of, &a, NULL), MAUTH_OK);
    assert_int_equal(a.number, 1);
    assert_int_equal(kv_read(s.kv, user_by_identity, &a, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(id_new(&a.id, NULL), MAUTH_OK);
    first = a.id;
    assert_int_equal(kv_write(s.kv, create_user, &a, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, user_by_identity, &a, NULL), MAUTH_OK);
    assert_memory_equal(&a.user.id, &first, sizeof(first));
    assert_true(a.user.live);
    assert_int_equal(a.user.created_s, 1000);
    assert_int_equal(kv_read(s.kv, state_of, &a, NULL), MAUTH_OK);
    assert_int_equal(a.number, 2);
    before = a.number;
    /* The same identity again; then others that only look alike. */
    assert_int_equal(id_new(&a.id, NULL), MAUTH_OK);
    assert_int_equal(kv_write(s.kv, create_user, &a, NULL), MAUTH_CONFLICT);
    assert_int_equal(kv_read(s.kv, state_of, &a, NULL), MAUTH_OK);
    assert_int_equal(a.number, before);
    a.who = who("https://i.example", "Alice");
    assert_int_equal(kv_read(s.kv, user_by_identity, &a, NULL), MAUTH_NOT_FOUND);
    a.who = who("https://i.examplea", "lice");
    assert_int_equal(kv_read(s.kv, user_by_identity, &a, NULL), MAUTH_NOT_FOUND);
    a.who = who("", "alice");
    assert_int_equal(kv_write(s.kv, create_user, &a, NULL), MAUTH_INVALID);
    a.who = who("https://i.example", "");
    assert_int_equal(kv_write(s.kv, create_user, &a, NULL), MAUTH_INVALID);
    store_remove(&s);
}

/* A user that another record promises and that is not there is damage: to take it for
 * "nobody" would make a second user of the same identity. */
WORLD_TEST(notices_a_user_that_is_missing)
{
    struct graph_identity alice = who("https://i.example", "1");
    struct id user = make_user(txn, 1);
    struct graph_user u;
    struct store_key key;

    store_key(&key, SPACE_USER, user.b, ID_BYTES);
    assert_int_equal(kv_delete(txn, store_key_text(&key), NULL), MAUTH_OK);
    assert_int_equal(graph_user_by_identity(txn, &alice, &u, NULL), MAUTH_UNAVAILABLE);
    assert_true(is_blank(&u, sizeof(u)));
}

static enum mauth_rc
load_user(struct kv_txn *txn, const struct id *id)
{
    struct graph_user u;
    enum mauth_rc rc = graph_user_by_id(txn, id, &u, NULL);

    assert_true(rc == MAUTH_OK || is_blank(&u, sizeof(u)));
    return rc;
}

static struct graph_email
mail(const char *issuer, const char *address)
{
    struct graph_email e;

    assert_int_equal(
        graph_email_set(&e, text_of(issuer), text_of(address), NULL), MAUTH_OK);
    return e;
}

WORLD_TEST(notices_damage)
{
    struct graph_email e = mail("https://i.example", "a@b.example");
    struct id user = make_user(txn, 1);

    check_damage(txn, SPACE_USER, &user, load_user);
    assert_int_equal(graph_user_set_email(txn, &user, &e, 1, NULL), MAUTH_OK);
    check_damage(txn, SPACE_USER, &user, load_user);
}

struct address {
    const char *name;
    const char *issuer;
    const char *text;
};

static const struct address addresses[] = {
    {"empty", "https://i.example", ""},
    {"no issuer", "", "a@b.example"},
    {"no at", "https://i.example", "a.b.example"},
    {"no local part", "https://i.example", "@b.example"},
    {"no domain", "https://i.example", "a@"},
    {"space", "https://i.example", "a b@c.example"},
    {"line end", "https://i.example", "a@b.example\n"},
    {"right-to-left override", "https://i.example", "a\xe2\x80\xae@b.example"},
    {"invalid UTF-8", "https://i.example", "\xff@b.example"},
};

static void
refuses_addresses(void **state)
{
    char address[GRAPH_EMAIL_MAX + 1], issuer[GRAPH_ISSUER_MAX + 1];
    struct graph_email e;

    (void)state;
    for (size_t i = 0; i < COUNT(addresses); i++) {
        memset(&e, 1, sizeof(e));
        if (graph_email_set(&e, text_of(addresses[i].issuer),
                text_of(addresses[i].text), NULL) != MAUTH_INVALID ||
            !is_blank(&e, sizeof(e)))
            fail_msg("%s", addresses[i].name);
    }
    memset(address, 'a', sizeof(address));
    memset(issuer, 'i', sizeof(issuer));
    address[3] = '@';
    assert_int_equal(graph_email_set(&e, (struct text){issuer, GRAPH_ISSUER_MAX},
                         (struct text){address, GRAPH_EMAIL_MAX}, NULL),
        MAUTH_OK);
    assert_int_equal(graph_email_set(&e, (struct text){issuer, GRAPH_ISSUER_MAX + 1},
                         (struct text){address, GRAPH_EMAIL_MAX}, NULL),
        MAUTH_INVALID);
    assert_int_equal(graph_email_set(&e, (struct text){issuer, GRAPH_ISSUER_MAX},
                         (struct text){address, GRAPH_EMAIL_MAX + 1}, NULL),
        MAUTH_INVALID);
}

static void
compares_addresses(void **state)
{
    static const struct {
        const char *issuer, *address;
        bool equal;
    } others[] = {
        {"https://i.example", "Al@b.example", true},
        {"https://i.example", "Al@B.Example", true},
        {"https://i.example", "al@b.example", false},
        {"https://i.example", "Al@b.examples", false},
        {"https://i.example", "All@b.example", false},
        {"https://i.example", "x@Al@b.example", false},
        {"https://I.example", "Al@b.example", false},
    };
    struct graph_email a = mail("https://i.example", "Al@b.example"), none;

    (void)state;
    memset(&none, 0, sizeof(none));
    for (size_t i = 0; i < COUNT(others); i++) {
        struct graph_email b = mail(others[i].issuer, others[i].address);

        assert_int_equal(graph_email_equal(&a, &b), others[i].equal);
        assert_int_equal(graph_email_equal(&b, &a), others[i].equal);
    }
    assert_false(graph_email_equal(&a, &none));
    assert_false(graph_email_equal(&none, &none));
}

WORLD_TEST(keeps_one_address)
{
    struct graph_email e = mail("https://i.example", "a@b.example");
    struct id user = make_user(txn, 1), nobody = nth(2);
    struct graph_user u;
    uint64_t before;

    assert_int_equal(graph_user_set_email(txn, &nobody, &e, 5, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(graph_user_set_email(txn, &user, &e, 5, NULL), MAUTH_OK);
    assert_int_equal(graph_user_by_id(txn, &user, &u, NULL), MAUTH_OK);
    assert_true(graph_email_equal(&u.email, &e));
    assert_int_equal(u.version, 2);
    assert_int_equal(u.created_s, WORLD_S);
    assert_int_equal(u.updated_s, 5);
    before = state_now(txn);
    assert_int_equal(graph_user_set_email(txn, &user, &e, 6, NULL), MAUTH_OK);
    assert_int_equal(state_now(txn), before); /* the same again is no change */
    assert_int_equal(graph_user_set_email(txn, &user, NULL, 7, NULL), MAUTH_OK);
    assert_int_equal(graph_user_by_id(txn, &user, &u, NULL), MAUTH_OK);
    assert_true(is_blank(&u.email, sizeof(u.email)));
    assert_int_equal(u.version, 3);
}

WORLD_TEST(closes_a_user)
{
    struct graph_email e = mail("https://i.example", "a@b.example");
    struct graph_identity bob_is = who("https://i.example", "2");
    struct id alice = make_user(txn, 1), bob = make_user(txn, 2);
    struct id pc = make_device(txn, 1, &bob), phone = make_device(txn, 2, &alice);
    struct id mine = make_folder(txn, 1, &bob), hers = make_folder(txn, 2, &alice);
    struct graph_folder f;
    struct graph_user u;

    assert_int_equal(graph_user_set_email(txn, &bob, &e, 5, NULL), MAUTH_OK);
    assert_int_equal(
        graph_member_add(txn, &mine, &alice, GRAPH_READER, 5, NULL), MAUTH_OK);
    assert_int_equal(
        graph_member_add(txn, &hers, &bob, GRAPH_READER, 5, NULL), MAUTH_OK);
    assert_int_equal(graph_mapping_add(txn, &pc, &hers, 5, NULL), MAUTH_OK);
    assert_int_equal(graph_mapping_add(txn, &phone, &mine, 5, NULL), MAUTH_OK);
    assert_int_equal(graph_mapping_add(txn, &phone, &hers, 5, NULL), MAUTH_OK);

    assert_int_equal(graph_user_delete(txn, &bob, 6, NULL), MAUTH_OK);
    assert_int_equal(graph_user_by_id(txn, &bob, &u, NULL), MAUTH_OK);
    assert_false(u.live);
    assert_int_equal(u.version, 3);
    assert_int_equal(u.updated_s, 6);
    assert_true(is_blank(&u.email, sizeof(u.email)));
    assert_false(is_linked(txn, GRAPH_CLAIMED_BY_DEVICE, &pc, &bob, GRAPH_NO_ROLE));
    assert_false(is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &hers, &bob, GRAPH_READER));
    assert_false(is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &mine, &alice, GRAPH_READER));
    assert_false(is_linked(txn, GRAPH_MAPPED_BY_DEVICE, &pc, &hers, GRAPH_NO_ROLE));
    assert_false(is_linked(txn, GRAPH_MAPPED_BY_DEVICE, &phone, &mine, GRAPH_NO_ROLE));
    assert_true(is_linked(txn, GRAPH_MAPPED_BY_DEVICE, &phone, &hers, GRAPH_NO_ROLE));
    assert_int_equal(graph_folder_by_id(txn, &mine, &f, NULL), MAUTH_OK);
    assert_false(f.live);
    assert_int_equal(revoked_in(txn, ID_USER, &bob, ID_KINDS, NULL), state_now(txn));
    assert_true(revoked_in(txn, ID_FOLDER, &mine, ID_KINDS, NULL));
    assert_true(revoked_in(txn, ID_DEVICE, &pc, ID_USER, &bob));
    assert_true(revoked_in(txn, ID_DEVICE, &pc, ID_FOLDER, &hers));
    assert_true(revoked_in(txn, ID_FOLDER, &hers, ID_USER, &bob));
    assert_int_equal(revoked_in(txn, ID_USER, &alice, ID_KINDS, NULL), 0);

    /* The identity leads to the tombstone, to which nothing happens any more. */
    assert_int_equal(graph_user_by_identity(txn, &bob_is, &u, NULL), MAUTH_OK);
    assert_false(u.live);
    assert_int_equal(graph_user_delete(txn, &bob, 7, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(graph_user_set_email(txn, &bob, &e, 7, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(graph_device_claim(txn, &pc, &bob, 7, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(
        graph_member_add(txn, &hers, &bob, GRAPH_READER, 7, NULL), MAUTH_NOT_FOUND);
    f = (struct graph_folder){.id = nth(9), .name = "Trip"};
    assert_int_equal(graph_folder_create(txn, &f, &bob, NULL), MAUTH_NOT_FOUND);
}

/* Roles and sessions, of which a stranger's stay. */
WORLD_TEST(closes_what_a_user_may)
{
    struct id alice = make_user(txn, 1), bob = make_user(txn, 2);
    struct graph_principal hers = {ID_USER, alice}, his = {ID_USER, bob};
    struct graph_session s = {.subject_kind = ID_USER, .ends_s = 100, .open = true};

    assert_int_equal(graph_role_grant(txn, &hers, "admin", 5, NULL), MAUTH_OK);
    assert_int_equal(graph_role_grant(txn, &his, "admin", 5, NULL), MAUTH_OK);
    for (unsigned n = 0; n < 4; n++) {
        s.id = nth(n);
        s.subject = n < 3 ? alice : bob;
        s.key_hash[0] = (uint8_t)(n % 2);
        assert_int_equal(graph_session_create(txn, &s, NULL), MAUTH_OK);
    }
    assert_int_equal(graph_user_delete(txn, &alice, 6, NULL), MAUTH_OK);
    assert_int_equal(graph_role_has(txn, &hers, "admin", NULL), MAUTH_NOT_FOUND);
    assert_int_equal(graph_role_has(txn, &his, "admin", NULL), MAUTH_OK);
    for (unsigned n = 0; n < 4; n++) {
        struct id id = nth(n);

        assert_int_equal(graph_session_by_id(txn, &id, &s, NULL), MAUTH_OK);
        assert_int_equal(s.open, n == 3);
    }
}

/* A membership in a folder that is not there must not keep it going for ever. */
WORLD_TEST(notices_a_folder_that_is_missing)
{
    struct id alice = make_user(txn, 1), trip = make_folder(txn, 1, &alice);
    struct store_key key;

    store_key(&key, SPACE_FOLDER, trip.b, ID_BYTES);
    assert_int_equal(kv_delete(txn, store_key_text(&key), NULL), MAUTH_OK);
    assert_int_equal(graph_user_delete(txn, &alice, 6, NULL), MAUTH_UNAVAILABLE);
}

WORLD_TEST(takes_no_id_twice)
{
    struct graph_identity other = who("https://i.example", "other");
    struct id alice = make_user(txn, 1);

    assert_int_equal(
        graph_user_create(txn, &alice, &other, WORLD_S, NULL), MAUTH_CONFLICT);
}

WORLD_TEST(pages_through_users)
{
    struct graph_ids page;
    struct id after;
    unsigned n;

    assert_int_equal(graph_user_page(txn, NULL, &page, NULL), MAUTH_OK);
    assert_int_equal(page.count, 0);
    for (n = 0; n <= GRAPH_PAGE_MAX; n++)
        make_user(txn, n);
    assert_int_equal(graph_user_page(txn, NULL, &page, NULL), MAUTH_OK);
    assert_int_equal(page.count, GRAPH_PAGE_MAX);
    assert_true(page.more);
    after = nth(GRAPH_PAGE_MAX - 1);
    assert_memory_equal(&page.ids[GRAPH_PAGE_MAX - 1], &after, sizeof(after));
    assert_int_equal(graph_user_page(txn, &after, &page, NULL), MAUTH_OK);
    assert_int_equal(page.count, 1);
    assert_false(page.more);
    after = nth(GRAPH_PAGE_MAX);
    assert_memory_equal(&page.ids[0], &after, sizeof(after));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_users_by_issuer_and_subject),
        cmocka_unit_test(notices_a_user_that_is_missing),
        cmocka_unit_test(notices_damage),
        cmocka_unit_test(refuses_addresses),
        cmocka_unit_test(compares_addresses),
        cmocka_unit_test(keeps_one_address),
        cmocka_unit_test(closes_a_user),
        cmocka_unit_test(closes_what_a_user_may),
        cmocka_unit_test(notices_a_folder_that_is_missing),
        cmocka_unit_test(takes_no_id_twice),
        cmocka_unit_test(pages_through_users),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
