#include "base/hash.h"
#include "store/graph_member.h"
#include "store/graph_session.h"
#include "tests/unit/graph_world.h"

static enum mauth_rc
load_device(struct kv_txn *txn, const struct id *id)
{
    struct graph_device d;
    enum mauth_rc rc = graph_device_by_id(txn, id, &d, NULL);

    assert_true(rc == MAUTH_OK || is_blank(&d, sizeof(d)));
    return rc;
}

static enum mauth_rc
load_by_key(struct kv_txn *txn, const struct id *id)
{
    struct graph_device d, like = device_like(1);
    enum mauth_rc rc;

    (void)id;
    assert_int_equal(
        hash_bytes(like.spki, like.spki_len, like.key_hash, NULL), MAUTH_OK);
    rc = graph_device_by_key(txn, like.key_hash, &d, NULL);
    assert_true(rc == MAUTH_OK || is_blank(&d, sizeof(d)));
    return rc;
}

WORLD_TEST(registers_a_key_once)
{
    struct graph_device want = device_like(1), out;
    uint8_t hash[GRAPH_KEY_HASH];

    want.unattended = true;
    assert_int_equal(graph_device_register(txn, &want, &out, NULL), MAUTH_OK);
    assert_int_equal(out.version, 1);
    assert_int_equal(out.created_s, WORLD_S);
    assert_int_equal(out.updated_s, WORLD_S);
    assert_true(out.unattended);
    assert_int_equal(graph_device_by_id(txn, &want.id, &out, NULL), MAUTH_OK);
    assert_string_equal(out.name, "PC");
    assert_int_equal(out.spki_len, want.spki_len);
    assert_memory_equal(out.spki, want.spki, want.spki_len);
    assert_true(out.unattended);
    /* Again: as it stands. */
    strcpy(want.name, "Mac");
    want.created_s++;
    assert_int_equal(graph_device_register(txn, &want, &out, NULL), MAUTH_OK);
    assert_string_equal(out.name, "PC");
    assert_int_equal(out.created_s, WORLD_S);
    assert_int_equal(state_now(txn), 2);
    memcpy(hash, out.key_hash, sizeof(hash));
    assert_int_equal(graph_device_by_key(txn, hash, &out, NULL), MAUTH_OK);
    assert_memory_equal(&out.id, &want.id, sizeof(want.id));
    hash[0] ^= 1;
    assert_int_equal(graph_device_by_key(txn, hash, &out, NULL), MAUTH_NOT_FOUND);
}

static void
no_name(struct graph_device *d)
{
    d->name[0] = '\0';
}

static void
bad_name(struct graph_device *d)
{
    d->name[0] = '\033';
}

static void
no_key(struct graph_device *d)
{
    d->spki_len = 0;
}

static void
long_key(struct graph_device *d)
{
    d->spki_len = MAUTH_SPKI_MAX + 1;
}

static void
other_id(struct graph_device *d)
{
    d->id = nth(7);
}

static void
other_key(struct graph_device *d)
{
    d->spki[0] ^= 1;
}

static const struct {
    const char *name;
    void (*spoil)(struct graph_device *d);
    enum mauth_rc rc;
} refusals[] = {
    {"no name", no_name, MAUTH_INVALID},
    {"a name that controls a terminal", bad_name, MAUTH_INVALID},
    {"no key", no_key, MAUTH_INVALID},
    {"a key that is too long", long_key, MAUTH_INVALID},
    {"the key of another id", other_id, MAUTH_CONFLICT},
    {"the id with another key", other_key, MAUTH_CONFLICT},
};

WORLD_TEST(refuses_to_register)
{
    struct graph_device want = device_like(1), out;

    assert_int_equal(graph_device_register(txn, &want, &out, NULL), MAUTH_OK);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        want = device_like(1);
        refusals[i].spoil(&want);
        if (graph_device_register(txn, &want, &out, NULL) != refusals[i].rc ||
            !is_blank(&out, sizeof(out)))
            fail_msg("%s", refusals[i].name);
    }
    assert_int_equal(state_now(txn), 2);
}

WORLD_TEST(holds_the_longest_key)
{
    struct graph_device want = device_like(1), out;

    memset(want.spki, 0x30, MAUTH_SPKI_MAX);
    want.spki_len = MAUTH_SPKI_MAX;
    memset(want.name, 'n', GRAPH_LABEL_MAX);
    assert_int_equal(graph_device_register(txn, &want, &out, NULL), MAUTH_OK);
    assert_int_equal(graph_device_by_id(txn, &want.id, &out, NULL), MAUTH_OK);
    assert_memory_equal(out.spki, want.spki, MAUTH_SPKI_MAX);
    assert_int_equal(strlen(out.name), GRAPH_LABEL_MAX);
}

WORLD_TEST(updates)
{
    struct id user = make_user(txn, 1), pc = make_device(txn, 1, &user), none = nth(2);
    struct graph_device d;
    uint64_t before = state_now(txn);

    assert_int_equal(graph_device_update(txn, &pc, "PC", false, 5, NULL), MAUTH_OK);
    assert_int_equal(state_now(txn), before); /* nothing differs */
    assert_int_equal(graph_device_update(txn, &pc, "M", false, 5, NULL), MAUTH_OK);
    assert_int_equal(graph_device_update(txn, &pc, "M", true, 6, NULL), MAUTH_OK);
    assert_int_equal(graph_device_by_id(txn, &pc, &d, NULL), MAUTH_OK);
    assert_string_equal(d.name, "M");
    assert_true(d.unattended);
    assert_int_equal(d.version, 3);
    assert_int_equal(d.created_s, WORLD_S);
    assert_int_equal(d.updated_s, 6);
    assert_int_equal(state_now(txn), before + 2);
    assert_int_equal(graph_device_update(txn, &pc, "", true, 7, NULL), MAUTH_INVALID);
    assert_int_equal(
        graph_device_update(txn, &none, "M", true, 7, NULL), MAUTH_NOT_FOUND);
}

WORLD_TEST(belongs_to_one_user)
{
    struct id alice = make_user(txn, 1), bob = make_user(txn, 2);
    struct id pc = make_device(txn, 1, &alice), none = nth(3);
    uint64_t before = state_now(txn);

    assert_true(is_linked(txn, GRAPH_CLAIMED_BY_DEVICE, &pc, &alice, GRAPH_NO_ROLE));
    assert_int_equal(graph_device_claim(txn, &pc, &alice, 5, NULL), MAUTH_OK);
    assert_int_equal(graph_device_claim(txn, &pc, &bob, 5, NULL), MAUTH_CONFLICT);
    assert_int_equal(graph_device_claim(txn, &none, &bob, 5, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(graph_device_claim(txn, &pc, &none, 5, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(graph_device_release(txn, &pc, &bob, 5, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(state_now(txn), before);
}

WORLD_TEST(is_claimed_again_after_release)
{
    struct id alice = make_user(txn, 1), bob = make_user(txn, 2);
    struct id pc = make_device(txn, 1, &alice), trip = make_folder(txn, 1, &alice);
    struct graph_device d;
    uint64_t released;

    assert_int_equal(graph_device_release(txn, &pc, &alice, 5, NULL), MAUTH_OK);
    released = revoked_in(txn, ID_DEVICE, &pc, ID_USER, &alice);
    assert_int_equal(released, state_now(txn));
    /* No mapping went with it. */
    assert_int_equal(revoked_in(txn, ID_DEVICE, &pc, ID_KINDS, NULL), 0);

    assert_int_equal(graph_device_claim(txn, &pc, &alice, 6, NULL), MAUTH_OK);
    assert_int_equal(graph_device_update(txn, &pc, "PC", true, 6, NULL), MAUTH_OK);
    assert_int_equal(graph_mapping_add(txn, &pc, &trip, 6, NULL), MAUTH_OK);
    assert_int_equal(graph_device_release(txn, &pc, &alice, 7, NULL), MAUTH_OK);
    assert_int_equal(revoked_in(txn, ID_DEVICE, &pc, ID_USER, &alice), state_now(txn));
    assert_int_equal(revoked_in(txn, ID_DEVICE, &pc, ID_KINDS, NULL), state_now(txn));
    assert_false(is_linked(txn, GRAPH_MAPPED_BY_DEVICE, &pc, &trip, GRAPH_NO_ROLE));
    assert_false(is_linked(txn, GRAPH_CLAIMED_BY_DEVICE, &pc, &alice, GRAPH_NO_ROLE));

    /* The next user has not said that nobody attends to it. */
    assert_int_equal(graph_device_claim(txn, &pc, &bob, 8, NULL), MAUTH_OK);
    assert_int_equal(graph_device_by_id(txn, &pc, &d, NULL), MAUTH_OK);
    assert_false(d.unattended);
    assert_int_equal(d.version, 4);
    assert_int_equal(d.updated_s, 7);
    assert_true(revoked_in(txn, ID_DEVICE, &pc, ID_USER, &alice) < state_now(txn));
    assert_int_equal(revoked_in(txn, ID_DEVICE, &pc, ID_USER, &bob), 0);
}

/* Sessions of this user with this key: not of another key, not of another user. */
WORLD_TEST(closes_sessions_with_the_claim)
{
    struct id alice = make_user(txn, 1), bob = make_user(txn, 2);
    struct id pc = make_device(txn, 1, &alice);
    struct graph_session s = {.subject_kind = ID_USER, .ends_s = 100, .open = true};
    struct graph_device d;

    assert_int_equal(graph_device_by_id(txn, &pc, &d, NULL), MAUTH_OK);
    for (unsigned n = 0; n < 3; n++) {
        s.id = nth(n);
        s.subject = n == 1 ? bob : alice;
        memcpy(s.key_hash, d.key_hash, sizeof(s.key_hash));
        s.key_hash[0] ^= n == 2;
        assert_int_equal(graph_session_create(txn, &s, NULL), MAUTH_OK);
    }
    assert_int_equal(graph_device_release(txn, &pc, &alice, 5, NULL), MAUTH_OK);
    for (unsigned n = 0; n < 3; n++) {
        struct id id = nth(n);

        assert_int_equal(graph_session_by_id(txn, &id, &s, NULL), MAUTH_OK);
        assert_int_equal(s.open, n > 0);
        assert_int_equal(revoked_in(txn, ID_SESSION, &id, ID_KINDS, NULL) > 0, !n);
    }
}

/* Whoever's they are: a ticket of before the key was registered names no device. */
WORLD_TEST(revokes_sessions_with_the_device)
{
    struct id alice = make_user(txn, 1), bob = make_user(txn, 2);
    struct id pc = make_device(txn, 1, &alice);
    struct graph_session s = {.subject_kind = ID_USER, .ends_s = 100, .open = true};
    struct graph_device d;

    assert_int_equal(graph_device_by_id(txn, &pc, &d, NULL), MAUTH_OK);
    for (unsigned n = 0; n < 3; n++) {
        s.id = nth(n);
        s.subject = n == 1 ? bob : alice;
        memcpy(s.key_hash, d.key_hash, sizeof(s.key_hash));
        s.key_hash[0] ^= n == 2;
        assert_int_equal(graph_session_create(txn, &s, NULL), MAUTH_OK);
    }
    assert_int_equal(graph_device_revoke(txn, &pc, 5, NULL), MAUTH_OK);
    for (unsigned n = 0; n < 3; n++) {
        struct id id = nth(n);

        assert_int_equal(graph_session_by_id(txn, &id, &s, NULL), MAUTH_OK);
        assert_int_equal(s.open, n == 2);
        assert_int_equal(revoked_in(txn, ID_SESSION, &id, ID_KINDS, NULL) > 0, n < 2);
    }
}

WORLD_TEST(notices_damage)
{
    struct graph_device like = device_like(1), d;
    struct id user = make_user(txn, 1), pc = make_device(txn, 1, &user);
    struct store_key key;

    check_damage(txn, SPACE_DEVICE, &pc, load_device);
    /* Its key leads to another device, then nowhere. */
    assert_int_equal(graph_device_by_id(txn, &pc, &d, NULL), MAUTH_OK);
    assert_int_equal(load_by_key(txn, NULL), MAUTH_OK);
    like = device_like(2);
    assert_int_equal(graph_device_register(txn, &like, &like, NULL), MAUTH_OK);
    store_key(&key, SPACE_DEVICE_KEY, d.key_hash, GRAPH_KEY_HASH);
    put_raw(txn, &key, "\1", 1);
    assert_int_equal(load_by_key(txn, NULL), MAUTH_UNAVAILABLE);
    {
        uint8_t record[1 + ID_BYTES] = {1};

        memcpy(record + 1, like.id.b, ID_BYTES);
        put_raw(txn, &key, record, sizeof(record));
        assert_int_equal(load_by_key(txn, NULL), MAUTH_UNAVAILABLE);
        record[1] ^= 0xff;
        put_raw(txn, &key, record, sizeof(record));
        assert_int_equal(load_by_key(txn, NULL), MAUTH_UNAVAILABLE);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_a_key_once),
        cmocka_unit_test(refuses_to_register),
        cmocka_unit_test(holds_the_longest_key),
        cmocka_unit_test(updates),
        cmocka_unit_test(belongs_to_one_user),
        cmocka_unit_test(is_claimed_again_after_release),
        cmocka_unit_test(closes_sessions_with_the_claim),
        cmocka_unit_test(revokes_sessions_with_the_device),
        cmocka_unit_test(notices_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
