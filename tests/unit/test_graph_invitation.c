#include "store/graph_invitation.h"
#include "store/graph_member.h"
#include "tests/unit/graph_world.h"

enum {
    ALICE = 1, /* owns folder 1 */
    BOB,       /* contributes */
    CAROL,     /* nowhere */
    DAVE,      /* nowhere; known by an address */
    ERIN,      /* closed */
    NOBODY,
    TRIP = 1,
    NOW_S = 2000,
    END_S = 3000
};

static const uint8_t secret[GRAPH_SECRET] = {1, 2, 3};

static struct graph_email
address(const char *text)
{
    struct graph_email e;

    assert_int_equal(
        graph_email_set(&e, text_of("https://i.example"), text_of(text), NULL),
        MAUTH_OK);
    return e;
}

static void
make_people(struct kv_txn *txn)
{
    struct graph_email e = address("dave@d.example");
    struct id user[NOBODY], trip;

    for (unsigned n = ALICE; n < NOBODY; n++)
        user[n] = make_user(txn, n);
    trip = make_folder(txn, TRIP, &user[ALICE]);
    assert_int_equal(
        graph_member_add(txn, &trip, &user[BOB], GRAPH_CONTRIBUTOR, WORLD_S, NULL),
        MAUTH_OK);
    assert_int_equal(
        graph_user_set_email(txn, &user[DAVE], &e, WORLD_S, NULL), MAUTH_OK);
    assert_int_equal(graph_user_delete(txn, &user[ERIN], WORLD_S, NULL), MAUTH_OK);
}

static struct graph_invitation
like(unsigned n)
{
    struct graph_invitation i = {.id = nth(n),
        .folder = nth(TRIP),
        .inviter = nth(ALICE),
        .role = GRAPH_READER,
        .created_s = NOW_S,
        .expires_s = END_S};

    assert_int_equal(graph_invitation_hash(secret, i.secret_hash, NULL), MAUTH_OK);
    return i;
}

static struct graph_invitation
load(struct kv_txn *txn, unsigned n, int64_t now_s)
{
    struct id id = nth(n);
    struct graph_invitation i;

    assert_int_equal(graph_invitation_by_id(txn, &id, now_s, &i, NULL), MAUTH_OK);
    return i;
}

static enum mauth_rc
accept(struct kv_txn *txn, unsigned n, unsigned user, int64_t now_s,
    enum graph_closed *why)
{
    struct id id = nth(n), by = nth(user);

    return graph_invitation_accept(txn, &id, &by, now_s, why, NULL);
}

WORLD_TEST(is_kept_as_made)
{
    struct graph_invitation want = like(1), i;

    make_people(txn);
    want.addressee = GRAPH_FOR_EMAIL;
    want.email = address("x@d.example");
    want.state = GRAPH_ACCEPTED; /* what nobody asked for */
    want.version = 7;
    want.updated_s = 7;
    assert_int_equal(graph_invitation_create(txn, &want, NULL), MAUTH_OK);
    i = load(txn, 1, NOW_S);
    assert_memory_equal(&i.folder, &want.folder, sizeof(i.folder));
    assert_memory_equal(&i.inviter, &want.inviter, sizeof(i.inviter));
    assert_string_equal(i.role, GRAPH_READER);
    assert_int_equal(i.state, GRAPH_PENDING);
    assert_int_equal(i.version, 1);
    assert_int_equal(i.created_s, NOW_S);
    assert_int_equal(i.updated_s, NOW_S);
    assert_int_equal(i.expires_s, END_S);
    assert_int_equal(i.addressee, GRAPH_FOR_EMAIL);
    assert_string_equal(i.email.address, "x@d.example");
    assert_string_equal(i.email.issuer, "https://i.example");
}

/* The secret itself lies nowhere in the store. */
static bool
look_for_secret(struct text key, struct text value, void *arg)
{
    (void)key;
    if (memmem(value.p, value.len, secret, sizeof(secret)))
        *(bool *)arg = true;
    return true;
}

WORLD_TEST(hides_its_secret)
{
    struct graph_invitation want = like(1), i;
    uint8_t wrong[GRAPH_SECRET];
    bool found = false;

    make_people(txn);
    assert_int_equal(graph_invitation_create(txn, &want, NULL), MAUTH_OK);
    i = load(txn, 1, NOW_S);
    assert_true(graph_invitation_shows(&i, secret));
    for (size_t n = 0; n < GRAPH_SECRET; n++) {
        memcpy(wrong, secret, sizeof(wrong));
        wrong[n] ^= 0x80;
        assert_false(graph_invitation_shows(&i, wrong));
    }
    assert_false(graph_invitation_shows(&i, i.secret_hash));
    assert_int_equal(kv_scan(txn, text_of("A"), (struct text){"", 0}, KV_UP,
                         look_for_secret, &found, NULL),
        MAUTH_OK);
    assert_false(found);
}

static void
as_owner(struct graph_invitation *i)
{
    strcpy(i->role, GRAPH_OWNER);
}

static void
as_nothing(struct graph_invitation *i)
{
    i->role[0] = '\0';
}

static void
over(struct graph_invitation *i)
{
    i->expires_s = i->created_s;
}

static void
no_address(struct graph_invitation *i)
{
    i->addressee = GRAPH_FOR_EMAIL;
}

static void
by_stranger(struct graph_invitation *i)
{
    i->inviter = nth(CAROL);
}

static void
no_folder(struct graph_invitation *i)
{
    i->folder = nth(9);
}

static void
taken(struct graph_invitation *i)
{
    i->id = nth(1);
}

static const struct {
    const char *name;
    void (*spoil)(struct graph_invitation *i);
    enum mauth_rc rc;
} refusals[] = {
    {"to be an owner", as_owner, MAUTH_INVALID},
    {"to be nothing", as_nothing, MAUTH_INVALID},
    {"expired from the start", over, MAUTH_INVALID},
    {"for no address", no_address, MAUTH_INVALID},
    {"by a stranger", by_stranger, MAUTH_NOT_FOUND},
    {"to no folder", no_folder, MAUTH_NOT_FOUND},
    {"an id that is taken", taken, MAUTH_CONFLICT},
};

WORLD_TEST(refuses_to_be_made)
{
    struct graph_invitation i = like(1);
    uint64_t before;

    make_people(txn);
    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
    before = state_now(txn);
    for (size_t n = 0; n < COUNT(refusals); n++) {
        i = like(2);
        refusals[n].spoil(&i);
        if (graph_invitation_create(txn, &i, NULL) != refusals[n].rc)
            fail_msg("%s", refusals[n].name);
    }
    assert_int_equal(state_now(txn), before);
}

WORLD_TEST(makes_a_member_once)
{
    struct graph_invitation i = like(1);
    struct id trip = nth(TRIP), carol = nth(CAROL);
    enum graph_closed why;

    make_people(txn);
    strcpy(i.role, GRAPH_CONTRIBUTOR);
    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
    assert_int_equal(accept(txn, 1, ALICE, NOW_S, &why), MAUTH_CONFLICT);
    assert_int_equal(why, GRAPH_IS_MEMBER);
    assert_int_equal(accept(txn, 1, ERIN, NOW_S, &why), MAUTH_NOT_FOUND);
    assert_int_equal(accept(txn, 1, NOBODY, NOW_S, &why), MAUTH_NOT_FOUND);
    assert_int_equal(accept(txn, 2, CAROL, NOW_S, &why), MAUTH_NOT_FOUND);
    assert_int_equal(why, GRAPH_NOT_CLOSED);
    assert_int_equal(load(txn, 1, NOW_S).state, GRAPH_PENDING);

    assert_int_equal(accept(txn, 1, CAROL, END_S - 1, &why), MAUTH_OK);
    assert_true(
        is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &trip, &carol, GRAPH_CONTRIBUTOR));
    i = load(txn, 1, END_S);
    assert_int_equal(i.state, GRAPH_ACCEPTED);
    assert_int_equal(i.version, 2);
    assert_int_equal(i.updated_s, END_S - 1);
    assert_int_equal(accept(txn, 1, DAVE, END_S - 1, &why), MAUTH_CONFLICT);
    assert_int_equal(why, GRAPH_CLOSED);
    assert_int_equal(accept(txn, 1, CAROL, END_S - 1, &why), MAUTH_CONFLICT);
    assert_int_equal(why, GRAPH_CLOSED);
}

WORLD_TEST(is_for_whom_it_names)
{
    static const struct {
        enum graph_addressee kind;
        unsigned user;
        const char *address;
        unsigned by;
        enum mauth_rc rc;
    } cases[] = {
        {GRAPH_FOR_USER, CAROL, "", DAVE, MAUTH_DENIED},
        {GRAPH_FOR_USER, NOBODY, "", CAROL, MAUTH_DENIED},
        {GRAPH_FOR_USER, CAROL, "", CAROL, MAUTH_OK},
        {GRAPH_FOR_EMAIL, CAROL, "carol@d.example", CAROL, MAUTH_DENIED},
        {GRAPH_FOR_EMAIL, 0, "Dave@d.example", DAVE, MAUTH_DENIED},
        {GRAPH_FOR_EMAIL, 0, "dave@D.example", DAVE, MAUTH_OK},
    };
    enum graph_closed why;

    make_people(txn);
    for (unsigned n = 0; n < COUNT(cases); n++) {
        struct graph_invitation i = like(n);

        i.addressee = cases[n].kind;
        i.user = nth(cases[n].user);
        if (i.addressee == GRAPH_FOR_EMAIL)
            i.email = address(cases[n].address);
        assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
        assert_int_equal(accept(txn, n, cases[n].by, NOW_S, &why), cases[n].rc);
        assert_int_equal(why, GRAPH_NOT_CLOSED);
    }
}

WORLD_TEST(ends_once)
{
    static enum mauth_rc (*const ends[])(struct kv_txn *, const struct id *, int64_t,
        struct mauth_err *) = {graph_invitation_decline, graph_invitation_revoke};
    enum graph_closed why;
    struct id none = nth(9);

    make_people(txn);
    for (unsigned n = 0; n < COUNT(ends); n++) {
        struct graph_invitation i = like(n);
        uint64_t before;

        assert_int_equal(ends[n](txn, &none, NOW_S, NULL), MAUTH_NOT_FOUND);
        assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
        assert_int_equal(ends[n](txn, &i.id, NOW_S + 1, NULL), MAUTH_OK);
        before = state_now(txn);
        i = load(txn, n, END_S);
        assert_int_equal(i.state, n ? GRAPH_REVOKED : GRAPH_DECLINED);
        assert_int_equal(i.version, 2);
        assert_int_equal(i.updated_s, NOW_S + 1);
        assert_int_equal(accept(txn, n, CAROL, NOW_S + 2, &why), MAUTH_CONFLICT);
        assert_int_equal(why, GRAPH_CLOSED);
        for (unsigned other = 0; other < COUNT(ends); other++)
            assert_int_equal(ends[other](txn, &i.id, NOW_S + 2, NULL), MAUTH_CONFLICT);
        assert_int_equal(state_now(txn), before);
    }
}

WORLD_TEST(expires)
{
    struct graph_invitation i = like(1);
    enum graph_closed why;
    struct id id = nth(1), trip = nth(TRIP);

    make_people(txn);
    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
    assert_int_equal(load(txn, 1, END_S - 1).state, GRAPH_PENDING);
    i = load(txn, 1, END_S);
    assert_int_equal(i.state, GRAPH_EXPIRED);
    assert_int_equal(i.version, 2);
    assert_int_equal(i.updated_s, END_S);
    assert_int_equal(accept(txn, 1, CAROL, END_S, &why), MAUTH_CONFLICT);
    assert_int_equal(why, GRAPH_CLOSED);
    assert_int_equal(graph_invitation_decline(txn, &id, END_S, NULL), MAUTH_CONFLICT);
    assert_int_equal(graph_invitation_revoke(txn, &id, END_S, NULL), MAUTH_CONFLICT);
    /* What would end it finds that it had: the same is on record then as was shown. */
    assert_int_equal(
        graph_invitation_revoke_all(txn, &trip, NULL, END_S + 9, NULL), MAUTH_OK);
    i = load(txn, 1, END_S + 9);
    assert_int_equal(i.state, GRAPH_EXPIRED);
    assert_int_equal(i.version, 2);
    assert_int_equal(i.updated_s, END_S);
}

WORLD_TEST(lists_those_of_an_inviter)
{
    struct id trip = nth(TRIP), alice = nth(ALICE), bob = nth(BOB), id;
    struct graph_ids page;

    make_people(txn);
    for (unsigned n = 0; n <= GRAPH_PAGE_MAX + 1; n++) {
        struct graph_invitation i = like(n);

        if (n == 5)
            i.inviter = bob;
        assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
    }
    id = nth(0);
    assert_int_equal(graph_invitation_decline(txn, &id, NOW_S, NULL), MAUTH_OK);
    assert_int_equal(
        graph_invitation_page(txn, &trip, &bob, NULL, &page, NULL), MAUTH_OK);
    assert_int_equal(page.count, 1);
    assert_int_equal(
        graph_invitation_page(txn, &trip, &alice, NULL, &page, NULL), MAUTH_OK);
    assert_int_equal(page.count, GRAPH_PAGE_MAX);
    assert_memory_equal(&page.ids[0], &id, sizeof(id)); /* in every state */
    assert_true(page.more);
    id = page.ids[page.count - 1];
    assert_int_equal(
        graph_invitation_page(txn, &trip, &alice, &id, &page, NULL), MAUTH_OK);
    assert_int_equal(page.count, 1);
    assert_false(page.more);
}

WORLD_TEST(bounds_those_of_an_inviter)
{
    struct id bob = nth(BOB), first = nth(0);
    struct graph_invitation i;
    unsigned n;

    make_people(txn);
    for (n = 0; n < GRAPH_INVITATIONS_OF_INVITER; n++) {
        i = like(n);
        assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
    }
    i = like(n);
    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_TOO_LARGE);
    i.inviter = bob;
    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
    i = like(n + 1);
    assert_int_equal(graph_invitation_revoke(txn, &first, NOW_S, NULL), MAUTH_OK);
    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
    i = like(n + 2);
    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_TOO_LARGE);
    i.created_s = END_S; /* all others have expired */
    i.expires_s = END_S + 1;
    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
    assert_int_equal(load(txn, 1, END_S).state, GRAPH_EXPIRED);
}

WORLD_TEST(bounds_those_of_a_folder)
{
    struct id trip = nth(TRIP);
    struct graph_invitation i;
    unsigned n = 0;

    make_people(txn);
    for (unsigned m = 0; n < GRAPH_INVITATIONS_OF_FOLDER; m++) {
        struct id user = make_user(txn, 100 + m);

        assert_int_equal(
            graph_member_add(txn, &trip, &user, GRAPH_READER, 1, NULL), MAUTH_OK);
        for (unsigned k = 0; k < GRAPH_INVITATIONS_OF_INVITER; k++) {
            i = like(n++);
            i.inviter = user;
            assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
        }
    }
    i = like(n);
    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_TOO_LARGE);
    assert_int_equal(graph_folder_delete(txn, &trip, NOW_S, NULL), MAUTH_OK);
    for (unsigned k = 0; k < n; k += 97)
        assert_int_equal(load(txn, k, NOW_S).state, GRAPH_REVOKED);
}

static enum mauth_rc
load_any(struct kv_txn *txn, const struct id *id)
{
    struct graph_invitation i;
    enum mauth_rc rc = graph_invitation_by_id(txn, id, NOW_S, &i, NULL);

    assert_true(rc == MAUTH_OK || is_blank(&i, sizeof(i)));
    return rc;
}

WORLD_TEST(notices_damage)
{
    struct graph_invitation i = like(1);
    struct id trip = nth(TRIP);
    struct store_key key;

    make_people(txn);
    i.addressee = GRAPH_FOR_EMAIL;
    i.email = address("x@d.example");
    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
    check_damage(txn, SPACE_INVITATION, &i.id, load_any);
    /* It is on the list of the pending, and is not there. */
    store_key(&key, SPACE_INVITATION, i.id.b, ID_BYTES);
    assert_int_equal(kv_delete(txn, store_key_text(&key), NULL), MAUTH_OK);
    assert_int_equal(
        graph_invitation_revoke_all(txn, &trip, NULL, NOW_S, NULL), MAUTH_UNAVAILABLE);
    assert_int_equal(graph_folder_delete(txn, &trip, NOW_S, NULL), MAUTH_UNAVAILABLE);
}

/* Roles, states and addressees that are none. */
WORLD_TEST(notices_what_has_no_meaning)
{
    static const struct {
        size_t from_end;
        uint8_t good, bad;
    } fields[] = {
        {10, 'r', 'R'}, /* of "reader" */
        {14, GRAPH_EXPIRED, GRAPH_EXPIRED + 1},
        {13, GRAPH_FOR_USER, GRAPH_FOR_EMAIL + 1},
    };
    struct graph_invitation i = like(1);
    struct store_key key;
    struct text value;
    uint8_t record[256];
    size_t len;

    make_people(txn);
    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
    store_key(&key, SPACE_INVITATION, i.id.b, ID_BYTES);
    assert_int_equal(kv_get(txn, store_key_text(&key), &value, NULL), MAUTH_OK);
    len = value.len;
    assert_true(len < sizeof(record));
    memcpy(record, value.p, len);
    for (size_t n = 0; n < COUNT(fields); n++) {
        uint8_t *at = &record[len - fields[n].from_end], was = *at;

        *at = fields[n].good;
        put_raw(txn, &key, record, len);
        assert_int_equal(load_any(txn, &i.id), MAUTH_OK);
        *at = fields[n].bad;
        put_raw(txn, &key, record, len);
        assert_int_equal(load_any(txn, &i.id), MAUTH_UNAVAILABLE);
        *at = was;
    }
}

static void
names_its_states(void **state)
{
    (void)state;
    assert_string_equal(graph_invitation_state_name(GRAPH_PENDING), "pending");
    assert_string_equal(graph_invitation_state_name(GRAPH_ACCEPTED), "accepted");
    assert_string_equal(graph_invitation_state_name(GRAPH_DECLINED), "declined");
    assert_string_equal(graph_invitation_state_name(GRAPH_REVOKED), "revoked");
    assert_string_equal(graph_invitation_state_name(GRAPH_EXPIRED), "expired");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_kept_as_made),
        cmocka_unit_test(hides_its_secret),
        cmocka_unit_test(refuses_to_be_made),
        cmocka_unit_test(makes_a_member_once),
        cmocka_unit_test(is_for_whom_it_names),
        cmocka_unit_test(ends_once),
        cmocka_unit_test(expires),
        cmocka_unit_test(lists_those_of_an_inviter),
        cmocka_unit_test(bounds_those_of_an_inviter),
        cmocka_unit_test(bounds_those_of_a_folder),
        cmocka_unit_test(notices_damage),
        cmocka_unit_test(notices_what_has_no_meaning),
        cmocka_unit_test(names_its_states),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
