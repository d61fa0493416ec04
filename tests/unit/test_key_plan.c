#include "store/key_plan.h"
#include "tests/unit/key_world.h"

enum {
    PERIOD_S = 1000,
    AHEAD_S = 200,
    /* A key of the world ends at KEY_UNTIL_S; its last ticket is issued then: */
    LAST_S = KEY_UNTIL_S - KEY_LONGEST_S - KEY_RETIRES_MARGIN_S
};

struct asking {
    struct key_world *w;
    struct key_plan plan;
    struct key_step step;
    char says[1200];
};

static enum mauth_rc
ask(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct asking *a = arg;

    return key_plan_next(txn, &a->plan, &a->w->change, &a->step, err);
}

/* What is due at a time: "prepare P-256 *", "activate ID", "nothing". */
static const char *
due(struct asking *a, int64_t now_s)
{
    a->w->change.now_s = now_s;
    assert_int_equal(kv_read(a->w->s.kv, ask, a, NULL), MAUTH_OK);
    switch (a->step.kind) {
    case KEY_STEP_NONE: return "nothing";
    case KEY_STEP_PREPARE:
        snprintf(a->says, sizeof(a->says), "prepare %s %s",
            signer_kind_name(a->step.algorithm), a->step.audiences);
        break;
    case KEY_STEP_ACTIVATE:
        snprintf(a->says, sizeof(a->says), "activate %s", a->step.id);
        break;
    }
    return a->says;
}

static void
assert_activates(struct asking *a, int64_t now_s, const char *id)
{
    assert_string_equal(due(a, now_s) + strlen("activate "), id);
    assert_int_equal(a->step.kind, KEY_STEP_ACTIVATE);
}

static struct asking
asking(void **state)
{
    return (struct asking){.w = *state, .plan = {PERIOD_S, AHEAD_S, NULL, 0}};
}

static const char *
make_at(struct key_world *w, const char *audiences, int64_t from_s, int64_t created_s)
{
    int64_t until_s = from_s < KEY_UNTIL_S ? KEY_UNTIL_S : 2 * KEY_UNTIL_S;
    struct keystore_key k = {TRUST_NEXT, from_s, until_s, audiences, created_s};

    w->make = k;
    assert_int_equal(kv_write(w->s.kv, key_world_add, w, NULL), MAUTH_OK);
    return w->id;
}

static void
lets_one_follow_the_other(void **state)
{
    struct asking a = asking(state);
    enum signer_kind rsa = SIGNER_RSA3072;
    const char *next;

    (void)key_world_make(a.w, TRUST_ACTIVE, "*"); /* since KEY_FROM_S */
    assert_string_equal(due(&a, KEY_FROM_S + PERIOD_S - AHEAD_S - 1), "nothing");
    assert_string_equal(due(&a, KEY_FROM_S + PERIOD_S - AHEAD_S), "prepare P-256 *");
    a.plan.kind = &rsa;
    assert_string_equal(due(&a, KEY_FROM_S + PERIOD_S), "prepare RSA-3072 *");
    a.plan.period_s = 0;
    assert_string_equal(due(&a, KEY_UNTIL_S), "nothing");
    a.plan.period_s = PERIOD_S;
    next = make_at(a.w, "*", KEY_FROM_S, KEY_FROM_S + PERIOD_S - AHEAD_S);
    assert_string_equal(due(&a, KEY_FROM_S + PERIOD_S - 1), "nothing");
    assert_activates(&a, KEY_FROM_S + PERIOD_S, next);
}

static void
publishes_long_enough(void **state)
{
    struct asking a = asking(state);
    const char *late;

    /* One by hand, at the last moment; and one whose time comes later. */
    (void)key_world_make(a.w, TRUST_ACTIVE, "*");
    late = make_at(a.w, "*", KEY_FROM_S, KEY_FROM_S + PERIOD_S - 1);
    assert_string_equal(due(&a, KEY_FROM_S + PERIOD_S), "nothing");
    assert_string_equal(due(&a, KEY_FROM_S + PERIOD_S + AHEAD_S - 2), "nothing");
    assert_activates(&a, KEY_FROM_S + PERIOD_S + AHEAD_S - 1, late);
}

/* Rather early than with nobody to sign; and one that comes too late follows nobody. */
static void
leaves_no_gap(void **state)
{
    struct asking a = asking(state);
    const char *late;

    a.plan.period_s = KEY_UNTIL_S;
    (void)key_world_make(a.w, TRUST_ACTIVE, "*");
    (void)make_at(a.w, "*", KEY_UNTIL_S + 1, KEY_FROM_S);
    assert_string_equal(due(&a, LAST_S - AHEAD_S), "prepare P-256 *");
    late = make_at(a.w, "*", KEY_FROM_S, LAST_S - 1);
    assert_string_equal(due(&a, LAST_S - 1), "nothing");
    assert_activates(&a, LAST_S, late);
}

static void
waits_for_a_keys_own_time(void **state)
{
    struct asking a = asking(state);
    const char *later;

    (void)key_world_make(a.w, TRUST_ACTIVE, "*");
    later = make_at(a.w, "*", 3000, 1000);
    assert_string_equal(due(&a, 2999), "nothing");
    assert_activates(&a, 3000, later);
}

static void
is_earlier_for_a_key_that_ends(void **state)
{
    struct asking a = asking(state);
    const char *next;

    a.plan.period_s = KEY_UNTIL_S;
    (void)key_world_make(a.w, TRUST_ACTIVE, "*");
    assert_string_equal(due(&a, LAST_S - AHEAD_S - 1), "nothing");
    assert_string_equal(due(&a, LAST_S - AHEAD_S), "prepare P-256 *");
    next = key_world_make(a.w, TRUST_NEXT, "*");
    assert_string_equal(due(&a, LAST_S - 1), "nothing");
    assert_activates(&a, LAST_S, next);
    /* One whose time is over follows nobody. */
    assert_string_equal(due(&a, KEY_UNTIL_S), "prepare P-256 *");
}

/* No software key takes the place of one in a token, unless an admin has made it. */
static void
makes_none_for_a_token(void **state)
{
    struct asking a = asking(state);
    struct mauth_key *key = key_world_public_half();
    const char *next;

    assert_int_equal(key_world_make_in_token(a.w, key), MAUTH_OK);
    assert_string_equal(due(&a, KEY_FROM_S + PERIOD_S - AHEAD_S), "nothing");
    assert_string_equal(due(&a, LAST_S), "nothing");
    next = make_at(a.w, "*", KEY_FROM_S, KEY_FROM_S);
    assert_activates(&a, KEY_FROM_S + PERIOD_S, next);
    mauth_key_free(key);
}

static void
takes_each_list_of_audiences(void **state)
{
    struct asking a = asking(state);
    const char *x2;

    (void)key_world_make(a.w, TRUST_ACTIVE, "urn:x");
    (void)key_world_make(a.w, TRUST_NEXT, "*");
    (void)key_world_make(a.w, TRUST_NEXT, "urn:y");
    (void)key_world_make(a.w, TRUST_RETIRING, "urn:x");
    (void)key_world_make(a.w, TRUST_REVOKED, "urn:x");
    /* Nothing signs for all, or for y: nobody is followed there. */
    assert_string_equal(due(&a, 5000), "prepare P-256 urn:x");
    x2 = key_world_make(a.w, TRUST_NEXT, "urn:x");
    assert_activates(&a, 5000, x2);
}

/* What was refused holds up none of the others. */
static void
goes_on_behind_what_was_refused(void **state)
{
    struct asking a = asking(state);
    char first[1200];

    (void)key_world_make(a.w, TRUST_ACTIVE, "urn:x");
    (void)key_world_make(a.w, TRUST_ACTIVE, "urn:y");
    snprintf(first, sizeof(first), "%s", due(&a, 5000));
    a.plan.skip = 1;
    assert_string_not_equal(due(&a, 5000), first);
    assert_int_equal(a.step.kind, KEY_STEP_PREPARE);
    a.plan.skip = 2;
    assert_string_equal(due(&a, 5000), "nothing");
}

static void
takes_who_waited_longest(void **state)
{
    struct asking a = asking(state);
    char first[MAUTH_KEY_ID_LEN + 1];

    (void)key_world_make(a.w, TRUST_ACTIVE, "*");
    (void)make_at(a.w, "*", KEY_FROM_S, 1500);
    snprintf(first, sizeof(first), "%s", make_at(a.w, "*", KEY_FROM_S, 1400));
    (void)make_at(a.w, "*", KEY_FROM_S, 1600);
    assert_activates(&a, 5000, first);
}

#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, key_world_set_up, key_world_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lets_one_follow_the_other),
        TEST(publishes_long_enough),
        TEST(leaves_no_gap),
        TEST(waits_for_a_keys_own_time),
        TEST(is_earlier_for_a_key_that_ends),
        TEST(makes_none_for_a_token),
        TEST(takes_each_list_of_audiences),
        TEST(goes_on_behind_what_was_refused),
        TEST(takes_who_waited_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
