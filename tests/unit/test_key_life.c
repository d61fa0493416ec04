#include "tests/unit/key_world.h"

static enum mauth_rc
activate(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct key_world *w = arg;

    return key_life_activate(txn, &w->change, w->whom, &w->changed, err);
}

static enum mauth_rc
revoke_key(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct key_world *w = arg;

    return key_life_revoke(txn, &w->change, w->whom, &w->changed, err);
}

static enum mauth_rc
end(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct key_world *w = arg;

    return key_life_end(txn, &w->change, w->id, err);
}

/* Does it, to a key, at a time. */
static enum mauth_rc
act(struct key_world *w, kv_fn *fn, const char *id, int64_t now_s)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    w->whom = id;
    w->change.now_s = now_s;
    assert_int_equal(key_change_ready(&w->change, NULL), MAUTH_OK);
    return kv_write(w->s.kv, fn, w, &err);
}

static void
takes_turns(void **state)
{
    struct key_world *w = *state;
    const char *a = key_world_make(w, TRUST_ACTIVE, "*");
    const char *b = key_world_make(w, TRUST_NEXT, "*");

    assert_int_equal(act(w, activate, b, 2000), MAUTH_OK);
    assert_true(w->changed);
    assert_string_equal(w->change.other, a);
    assert_string_equal(key_world_state(w, a), "retiring 1000 2460 whole");
    assert_string_equal(key_world_state(w, b), "active 2000 0 whole");
    /* Again: nothing. */
    assert_int_equal(act(w, activate, b, 2001), MAUTH_OK);
    assert_false(w->changed);
    assert_string_equal(w->change.other, "");
    /* And back. */
    assert_int_equal(act(w, activate, a, 2050), MAUTH_OK);
    assert_string_equal(key_world_state(w, a), "active 2050 0 whole");
    assert_string_equal(key_world_state(w, b), "retiring 2000 2510 whole");
}

static void
takes_turns_by_audiences(void **state)
{
    struct key_world *w = *state;
    const char *all = key_world_make(w, TRUST_ACTIVE, "*");
    const char *x = key_world_make(w, TRUST_ACTIVE, "urn:x");
    const char *x2 = key_world_make(w, TRUST_NEXT, "urn:x");

    assert_int_equal(act(w, activate, x2, 2000), MAUTH_OK);
    assert_string_equal(w->change.other, x);
    assert_string_equal(key_world_state(w, all), "active 1000 0 whole");
    assert_string_equal(key_world_state(w, x2), "active 2000 0 whole");
}

static void
comes_to_an_end(void **state)
{
    struct key_world *w = *state;
    const char *a = key_world_make(w, TRUST_ACTIVE, "*");
    const char *b = key_world_make(w, TRUST_NEXT, "*");
    const char *c = key_world_make(w, TRUST_REVOKED, "*");

    assert_int_equal(act(w, activate, b, 2000), MAUTH_OK);
    assert_int_equal(act(w, end, NULL, 2459), MAUTH_OK);
    assert_string_equal(w->id, "");
    assert_int_equal(act(w, end, NULL, 2460), MAUTH_OK);
    assert_string_equal(w->id, a);
    assert_string_equal(key_world_state(w, a), "gone");
    assert_int_equal(act(w, end, NULL, KEY_UNTIL_S - 1), MAUTH_OK);
    assert_string_equal(w->id, "");
    /* A revoked one is listed until its window is over; then nobody asks for it. */
    for (int i = 0; i < 2; i++)
        assert_int_equal(act(w, end, NULL, KEY_UNTIL_S), MAUTH_OK);
    assert_string_equal(key_world_state(w, b), "gone");
    assert_string_equal(key_world_state(w, c), "gone");
}

static enum mauth_rc
lengthen(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct key_world *w = arg;

    return key_life_lengthen(txn, &w->change, &w->changed, err);
}

/* Tickets were longer while it signed than they are when it retires, or the other way. */
static void
retires_for_its_longest_ticket(void **state)
{
    struct key_world *w = *state;
    const char *a = key_world_make(w, TRUST_ACTIVE, "*");
    const char *x = key_world_make(w, TRUST_ACTIVE, "urn:x");
    const char *b = key_world_make(w, TRUST_NEXT, "*");

    w->change.longest_s = 500;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(act(w, lengthen, NULL, 1500), MAUTH_OK);
        assert_int_equal(w->changed, i < 2); /* a and x */
    }
    w->change.longest_s = 50;
    assert_int_equal(act(w, lengthen, NULL, 1500), MAUTH_OK);
    assert_false(w->changed);
    assert_int_equal(act(w, activate, b, 2000), MAUTH_OK);
    assert_string_equal(key_world_state(w, a), "retiring 1000 2860 whole");
    w->change.longest_s = 700;
    assert_int_equal(act(w, activate, a, 2100), MAUTH_OK);
    assert_string_equal(key_world_state(w, b), "retiring 2000 3160 whole");
    assert_string_equal(key_world_state(w, x), "active 1000 0 whole");
}

static void
dies_at_once(void **state)
{
    struct key_world *w = *state;
    const char *a = key_world_make(w, TRUST_ACTIVE, "*");
    const char *b = key_world_make(w, TRUST_NEXT, "*");
    const char *x = key_world_make(w, TRUST_NEXT, "urn:x");

    /* The next one takes over, and not another audience's. */
    assert_int_equal(act(w, revoke_key, a, 2000), MAUTH_OK);
    assert_true(w->changed);
    assert_string_equal(w->change.other, b);
    assert_string_equal(key_world_state(w, a), "revoked 1000 0 half");
    assert_string_equal(key_world_state(w, b), "active 2000 0 whole");
    assert_int_equal(act(w, revoke_key, a, 2001), MAUTH_OK);
    assert_false(w->changed);
    /* Nobody is left. */
    assert_int_equal(act(w, revoke_key, b, 2002), MAUTH_OK);
    assert_string_equal(w->change.other, "");
    assert_string_equal(key_world_state(w, x), "next 0 0 whole");
}

static void
falls_back_to_one_that_retires(void **state)
{
    struct key_world *w = *state;
    const char *a = key_world_make(w, TRUST_ACTIVE, "*");
    const char *b = key_world_make(w, TRUST_NEXT, "*");

    assert_int_equal(act(w, activate, b, 2000), MAUTH_OK);
    assert_int_equal(act(w, revoke_key, b, 2001), MAUTH_OK);
    assert_string_equal(w->change.other, a);
    assert_string_equal(key_world_state(w, a), "active 2001 0 whole");
}

static void
refuses(void **state)
{
    struct key_world *w = *state;
    const char *a = key_world_make(w, TRUST_ACTIVE, "*");
    const char *b = key_world_make(w, TRUST_NEXT, "*");

    assert_int_equal(act(w, activate, "0123456789abcdef", 2000), MAUTH_NOT_FOUND);
    assert_int_equal(act(w, activate, "", 2000), MAUTH_NOT_FOUND);
    assert_int_equal(act(w, revoke_key, "0123456789abcdef", 2000), MAUTH_NOT_FOUND);
    assert_int_equal(act(w, activate, b, KEY_FROM_S - 1), MAUTH_CONFLICT);
    assert_int_equal(act(w, activate, b, KEY_UNTIL_S), MAUTH_CONFLICT);
    assert_int_equal(act(w, revoke_key, b, 2000), MAUTH_OK);
    assert_int_equal(act(w, activate, b, 2001), MAUTH_CONFLICT);
    assert_string_equal(key_world_state(w, a), "active 1000 0 whole");
}

#define WITH_WORLD(test) \
    cmocka_unit_test_setup_teardown(test, key_world_set_up, key_world_tear_down)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        WITH_WORLD(takes_turns),
        WITH_WORLD(takes_turns_by_audiences),
        WITH_WORLD(comes_to_an_end),
        WITH_WORLD(retires_for_its_longest_ticket),
        WITH_WORLD(dies_at_once),
        WITH_WORLD(falls_back_to_one_that_retires),
        WITH_WORLD(refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
