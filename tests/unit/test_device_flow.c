#include "base/str.h"
#include "cli/device_flow.h"
#include "tests/unit/unit.h"

#define CODES "\"device_code\":\"d\",\"user_code\":\"ABCD-EFGH\""
#define PAGE  "\"verification_uri\":\"https://login.example/go\""
#define LIFE  "\"expires_in\":600"
#define GOOD  "{" CODES "," PAGE "," LIFE "}"

static const struct {
    const char *name;
    long status;
    const char *json;
    enum mauth_rc rc;
    const char *says;
} refusals[] = {
    {"nothing", 200, "", MAUTH_MALFORMED, "no \"device_code\""},
    {"a page", 200, "<html>", MAUTH_MALFORMED, "no \"device_code\""},
    {"a member twice", 200, "{" CODES "," PAGE "," LIFE "," LIFE "}", MAUTH_MALFORMED,
        "no \"device_code\""},
    {"no user code", 200, "{\"device_code\":\"d\"," PAGE "," LIFE "}", MAUTH_MALFORMED,
        "no \"user_code\""},
    {"empty user code", 200,
        "{\"device_code\":\"d\",\"user_code\":\"\"," PAGE "," LIFE "}", MAUTH_MALFORMED,
        "no \"user_code\""},
    {"a user code that steers", 200,
        "{\"device_code\":\"d\",\"user_code\":\"\\u001b[2J\"," PAGE "," LIFE "}",
        MAUTH_MALFORMED, "no \"user_code\""},
    {"a user code of a novel", 200,
        "{\"device_code\":\"d\",\"user_code\":\""
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"," PAGE
        "," LIFE "}",
        MAUTH_MALFORMED, "no \"user_code\""},
    {"no page", 200, "{" CODES "," LIFE "}", MAUTH_MALFORMED,
        "no \"verification_uri\""},
    {"a page by http", 200,
        "{" CODES ",\"verification_uri\":\"http://login.example/\"," LIFE "}",
        MAUTH_MALFORMED, "no \"verification_uri\""},
    {"a page of no host", 200,
        "{" CODES ",\"verification_uri\":\"https:///go\"," LIFE "}", MAUTH_MALFORMED,
        "no \"verification_uri\""},
    {"a page with a newline", 200,
        "{" CODES ",\"verification_uri\":\"https://a/\\n\"," LIFE "}", MAUTH_MALFORMED,
        "no \"verification_uri\""},
    {"a complete page that is none", 200,
        "{" CODES "," PAGE ",\"verification_uri_complete\":\"x\"," LIFE "}",
        MAUTH_MALFORMED, "no \"verification_uri_complete\""},
    {"no end", 200, "{" CODES "," PAGE "}", MAUTH_MALFORMED, "\"expires_in\""},
    {"an end in words", 200, "{" CODES "," PAGE ",\"expires_in\":\"600\"}",
        MAUTH_MALFORMED, "\"expires_in\""},
    {"an end that was", 200, "{" CODES "," PAGE ",\"expires_in\":-1}", MAUTH_MALFORMED,
        "\"expires_in\""},
    {"no pause", 200, "{" CODES "," PAGE "," LIFE ",\"interval\":0}", MAUTH_MALFORMED,
        "\"interval\""},
    {"a fraction", 200, "{" CODES "," PAGE "," LIFE ",\"interval\":0.5}",
        MAUTH_MALFORMED, "\"interval\""},
    {"refused", 400, "{\"error\":\"unauthorized_client\"}", MAUTH_DENIED,
        "(unauthorized_client)"},
    {"good with another status", 404, GOOD, MAUTH_DENIED, "status 404"},
    {"it fails", 500, "", MAUTH_UNAVAILABLE, "status 500"},
};

static void
refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        struct device_start s;
        enum mauth_rc rc =
            device_start_read(refusals[i].status, text_of(refusals[i].json), &s, &err);

        if (rc != refusals[i].rc || s.device_code || s.user_code ||
            s.verification_uri || !strstr(err.text, refusals[i].says))
            fail_msg("%s: %d %s", refusals[i].name, (int)rc, err.text);
    }
}

static void
starts(void **state)
{
    struct device_start s;

    (void)state;
    assert_int_equal(device_start_read(200, text_of(GOOD), &s, NULL), MAUTH_OK);
    assert_string_equal(s.device_code, "d");
    assert_string_equal(s.user_code, "ABCD-EFGH");
    assert_string_equal(s.verification_uri, "https://login.example/go");
    assert_null(s.complete_uri);
    assert_int_equal(s.expires_s, 600);
    assert_int_equal(s.interval_s, 5);
    device_start_clear(&s);
    assert_null(s.device_code);
    /* Nobody is made to wait for ever, nor to ask without a pause. */
    assert_int_equal(
        device_start_read(200,
            text_of("{" CODES "," PAGE ",\"expires_in\":999999999999,\"interval\":1000,"
                    "\"verification_uri_complete\":\"https://login.example/go?c=A\"}"),
            &s, NULL),
        MAUTH_OK);
    assert_string_equal(s.complete_uri, "https://login.example/go?c=A");
    assert_int_equal(s.expires_s, DEVICE_EXPIRES_MAX_S);
    assert_int_equal(s.interval_s, DEVICE_INTERVAL_MAX_S);
    device_start_clear(&s);
}

static void
steps(void **state)
{
    static const struct {
        const char *json;
        enum device_step step;
    } cases[] = {
        {"{\"error\":\"authorization_pending\"}", DEVICE_AGAIN},
        {"{\"error\":\"slow_down\",\"error_description\":\"x\"}", DEVICE_SLOWER},
        {"{\"error\":\"access_denied\"}", DEVICE_DONE},
        {"{\"error\":\"expired_token\"}", DEVICE_DONE},
        {"{\"error\":\"AUTHORIZATION_PENDING\"}", DEVICE_DONE},
        {"{\"error\":[\"authorization_pending\"]}", DEVICE_DONE},
        {"{\"error\":\"slow_down\",\"error\":\"slow_down\"}", DEVICE_DONE},
        {"{\"id_token\":\"a\"}", DEVICE_DONE},
        {"<html>", DEVICE_DONE},
        {"", DEVICE_DONE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(device_step_of(text_of(cases[i].json)), cases[i].step);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses),
        cmocka_unit_test(starts),
        cmocka_unit_test(steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
