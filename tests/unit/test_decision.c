#include "tests/unit/verifier_world.h"

static void
test_json(void **state)
{
    struct world *w = *state;
    const char *args[] = {FOLDERS TRIP "\"\n\xff"};
    struct mauth_request r = {.size = sizeof(r),
        .action = "read",
        .args = args,
        .arg_count = 1,
        .now_s = ISSUER_NOW};
    char *c = read_ticket(w, FOLDERS TRIP, false);
    char json[16384];
    size_t len;

    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_OK);
    assert_int_equal(
        mauth_decision_json(&w->d, &r, json, sizeof(json), &len, NULL), MAUTH_OK);
    assert_int_equal(strlen(json), len);
    assert_non_null(strstr(json, "{\"time\":\"2026-11-22T"));
    assert_non_null(strstr(json, "\"outcome\":\"allow\""));
    assert_non_null(strstr(json, "\"subject\":\"" ALICE "\""));
    assert_non_null(strstr(json, TRIP "\\\"\\u000a\\u00ff\"]"));
    assert_null(strchr(json, '\n'));
    assert_int_equal(
        mauth_decision_json(&w->d, &r, json, len, &len, NULL), MAUTH_TOO_LARGE);
    assert_string_equal(json, "");
    free(c);
}

/* The longest that a decision can be, in a request of nothing but odd bytes. */
static void
test_json_always_fits(void **state)
{
    static char odd[2048], json[MAUTH_DECISION_JSON];
    const char *args[] = {odd, odd, odd, odd};
    struct mauth_request r = {
        .size = sizeof(r), .action = odd, .args = args, .arg_count = 4};
    struct mauth_decision d = {.size = sizeof(d), .ticket = "_", .epoch = UINT64_MAX};
    size_t len;

    (void)state;
    memset(odd, 0xff, sizeof(odd) - 1);
    memset(d.rule, '"', sizeof(d.rule) - 1);
    memset(d.facts, '"', sizeof(d.facts) - 1);
    memset(d.why, '"', sizeof(d.why) - 1);
    assert_int_equal(
        mauth_decision_json(&d, &r, json, sizeof(json), &len, NULL), MAUTH_OK);
    assert_true(len > 8192);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_json),
        cmocka_unit_test(test_json_always_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
