/* What a verifier tells the account service of (verifier/journal.h). */
#include <jansson.h>

#include "base/b64.h"
#include "tests/unit/scratch_dir.h"
#include "tests/unit/verifier_world.h"
#include "verifier/journal.h"
#include <meshauth/credential.h>
#include <meshauth/rules.h>

struct told {
    struct world w;
    struct scratch_dir dir;
};

static void
open_in(struct told *t, const char *dir)
{
    struct mauth_verifier_options o = options(&t->w.issuer);

    mauth_verifier_close(t->w.verifier);
    o.status_dir = dir;
    o.look_ms = 1000000;
    assert_int_equal(mauth_verifier_open(&o, &t->w.verifier, NULL), MAUTH_OK);
}

static int
begin(void **state)
{
    struct told *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    issuer_make(&t->w.issuer);
    t->w.d.size = sizeof(t->w.d);
    scratch_dir_make(&t->dir);
    open_in(t, t->dir.path);
    *state = t;
    return 0;
}

static int
end(void **state)
{
    struct told *t = *state;

    mauth_verifier_close(t->w.verifier);
    issuer_remove(&t->w.issuer);
    scratch_dir_remove(&t->dir);
    free(t);
    return 0;
}

/* The entry of this number, or NULL. */
static json_t *
entry(const struct told *t, const char *name, uint64_t number)
{
    char data[RING_SLOT_MAX];
    struct ring_view v;
    json_t *o = NULL;
    size_t len;

    if (ring_view_open(scratch_path(&t->dir, name), &v, NULL) != MAUTH_OK)
        return NULL;
    if (ring_view_read(&v, &number, data, &len)) {
        o = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(o);
    }
    ring_view_close(&v);
    return o;
}

static size_t
count_accepted(const struct told *t)
{
    size_t n = 0;
    json_t *o;

    for (; (o = entry(t, "accepted.0", n + 1)) != NULL; n++)
        json_decref(o);
    return n;
}

static const char *
member(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text ? text : "";
}

static void
tells_of_a_ticket_once(void **state)
{
    struct told *t = *state;
    char *a = read_ticket(&t->w, FOLDERS TRIP, false);
    char digest[48] = "";
    json_t *o;

    assert_int_equal(count_accepted(t), 0);
    assert_int_equal(ask(&t->w, a, "read", FOLDERS TRIP), MAUTH_OK);
    b64_encode(B64_STD, t->w.d.digest, 32, digest);
    o = entry(t, "accepted.0", 1);
    assert_int_equal(json_object_size(o), 4);
    assert_string_equal(member(o, "ticket"), t->w.d.ticket);
    assert_string_equal(member(o, "key"), t->w.d.key);
    assert_string_equal(member(o, "digest"), digest);
    assert_int_equal(strlen(member(o, "time")), 20);
    json_decref(o);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(&t->w, a, "read", FOLDERS TRIP), MAUTH_OK);
    assert_int_equal(count_accepted(t), 1);
    free(a);
}

/* Its holder can spell it in many ways; they would drown what others show. */
static void
tells_of_it_in_one_spelling(void **state)
{
    struct told *t = *state;
    char *a = read_ticket(&t->w, FOLDERS TRIP, false), *b;
    static char xml[MAUTH_TICKET_MAX];
    size_t len;

    assert_int_equal(mauth_credential_decode(a, strlen(a), xml, &len, NULL), MAUTH_OK);
    assert_int_equal(mauth_credential_encode(xml, len, true, &b, NULL), MAUTH_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(ask(&t->w, i % 2 ? b : a, "read", FOLDERS TRIP), MAUTH_OK);
    assert_int_equal(count_accepted(t), 1);
    free(a);
    free(b);
}

/* With another key in the trust file each signature is checked anew: that is no news. */
static void
tells_of_it_once_for_all_keys(void **state)
{
    struct told *t = *state;
    char *a = read_ticket(&t->w, FOLDERS TRIP, false);

    assert_int_equal(ask(&t->w, a, "read", FOLDERS TRIP), MAUTH_OK);
    t->w.issuer.sequence++;
    issuer_write_trust(&t->w.issuer);
    assert_int_equal(mauth_verifier_refresh(t->w.verifier, NULL), MAUTH_OK);
    assert_int_equal(ask(&t->w, a, "read", FOLDERS TRIP), MAUTH_OK);
    assert_int_equal(count_accepted(t), 1);
    free(a);
}

/* A forged one gives itself away whatever it is used for. But what is refused is nobody's. */
static void
tells_of_what_is_genuine(void **state)
{
    struct told *t = *state;
    char *a = read_ticket(&t->w, FOLDERS TRIP, false);
    char *b = read_ticket(&t->w, FOLDERS TRIP, true);
    char *both = malloc(strlen(a) + strlen(b) + 2);

    assert_non_null(both);
    sprintf(both, "%s~%s", a, b);
    assert_int_not_equal(
        ask_at(&t->w, a, "read", FOLDERS TRIP, ISSUER_NOW + 86400), MAUTH_OK);
    a[strlen(a) - 8] ^= 1;
    assert_int_not_equal(ask(&t->w, a, "read", FOLDERS TRIP), MAUTH_OK);
    assert_int_equal(count_accepted(t), 0);
    assert_int_equal(ask(&t->w, b, "write", FOLDERS TRIP), MAUTH_DENIED);
    assert_int_equal(count_accepted(t), 1);
    assert_int_equal(ask(&t->w, both, "read", FOLDERS TRIP), MAUTH_OK);
    assert_int_equal(count_accepted(t), 2); /* a set: one of each */
    free(a);
    free(b);
    free(both);
}

static void
does_without(void **state)
{
    struct told *t = *state;
    const char *args[] = {FOLDERS TRIP};
    struct mauth_request r = {
        .size = sizeof(r), .action = "read", .args = args, .arg_count = 1};
    char *a = read_ticket(&t->w, FOLDERS TRIP, false);

    open_in(t, NULL);
    assert_int_equal(ask(&t->w, a, "read", FOLDERS TRIP), MAUTH_OK);
    assert_int_equal(
        mauth_verifier_record(t->w.verifier, &t->w.d, &r, NULL), MAUTH_UNAVAILABLE);
    open_in(t, "/nonexistent");
    assert_int_equal(ask(&t->w, a, "read", FOLDERS TRIP), MAUTH_OK);
    assert_int_equal(
        mauth_verifier_record(t->w.verifier, &t->w.d, &r, NULL), MAUTH_UNAVAILABLE);
    open_in(t, t->dir.path);
    r.size--;
    assert_int_equal(
        mauth_verifier_record(t->w.verifier, &t->w.d, &r, NULL), MAUTH_INVALID);
    r.size++;
    r.arg_count = MAUTH_RULES_ARGS_MAX + 1;
    assert_int_equal(
        mauth_verifier_record(t->w.verifier, &t->w.d, &r, NULL), MAUTH_INVALID);
    assert_false(scratch_has(&t->dir, "decisions.0"));
    free(a);
}

static void
hands_decisions_in(void **state)
{
    struct told *t = *state;
    const char *args[] = {FOLDERS TRIP};
    struct mauth_request r = {.size = sizeof(r),
        .action = "read",
        .args = args,
        .arg_count = 1,
        .now_s = ISSUER_NOW};
    char *a = read_ticket(&t->w, FOLDERS TRIP, false);
    char text[MAUTH_DECISION_JSON];
    size_t len;
    json_t *o, *same;

    assert_int_equal(ask(&t->w, a, "read", FOLDERS TRIP), MAUTH_OK);
    assert_int_equal(mauth_verifier_record(t->w.verifier, &t->w.d, &r, NULL), MAUTH_OK);
    assert_int_equal(
        mauth_decision_json(&t->w.d, &r, text, sizeof(text), &len, NULL), MAUTH_OK);
    o = entry(t, "decisions.0", 1);
    same = json_loads(text, 0, NULL);
    assert_true(json_equal(o, same));
    json_decref(same);
    json_decref(o);
    free(a);
}

/* What is foreign in it may be long, and longer still once it is escaped. */
static void
cuts_long_decisions(void **state)
{
    struct told *t = *state;
    static char foreign[4000], rule[MAUTH_DECISION_RULE];
    const char *args[MAUTH_RULES_ARGS_MAX] = {foreign, foreign, foreign, foreign};
    struct mauth_request r = {.size = sizeof(r),
        .action = foreign,
        .args = args,
        .arg_count = MAUTH_RULES_ARGS_MAX,
        .now_s = ISSUER_NOW};
    char *a = read_ticket(&t->w, FOLDERS TRIP, false);
    json_t *o;

    memset(foreign, '\x01', sizeof(foreign) - 1);
    memset(rule, '"', sizeof(rule) - 1);
    assert_int_equal(ask(&t->w, a, "read", FOLDERS TRIP), MAUTH_OK);
    strcpy(t->w.d.rule, rule);
    assert_int_equal(mauth_verifier_record(t->w.verifier, &t->w.d, &r, NULL), MAUTH_OK);
    o = entry(t, "decisions.0", 1);
    assert_string_equal(member(o, "ticket"), t->w.d.ticket);
    assert_string_equal(member(o, "outcome"), "allow");
    assert_int_equal(json_array_size(json_object_get(o, "args")), 4);
    assert_null(json_object_get(o, "rule"));
    json_decref(o);
    free(a);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(tells_of_a_ticket_once),
        TEST(tells_of_it_in_one_spelling),
        TEST(tells_of_it_once_for_all_keys),
        TEST(tells_of_what_is_genuine),
        TEST(does_without),
        TEST(hands_decisions_in),
        TEST(cuts_long_decisions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
