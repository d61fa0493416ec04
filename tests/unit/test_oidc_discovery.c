#include "base/str.h"
#include "cli/oidc_discovery.h"
#include "tests/unit/unit.h"

#define ISSUER    "https://login.example/realm"
#define HEAD      "{\"issuer\":\"" ISSUER "\""
#define TOKEN     ",\"token_endpoint\":\"https://login.example/token\""
#define AUTH(url) HEAD TOKEN ",\"authorization_endpoint\":" url "}"

static const struct {
    const char *name, *json;
    enum mauth_rc rc;
} refusals[] = {
    {"nothing", "", MAUTH_MALFORMED},
    {"a page", "<html>", MAUTH_MALFORMED},
    {"a list", "[]", MAUTH_MALFORMED},
    {"no issuer", "{}", MAUTH_MALFORMED},
    {"issuer that is no text", "{\"issuer\":1}", MAUTH_MALFORMED},
    {"another issuer", "{\"issuer\":\"https://other\"" TOKEN "}", MAUTH_UNTRUSTED},
    {"a slash more", "{\"issuer\":\"" ISSUER "/\"" TOKEN "}", MAUTH_UNTRUSTED},
    {"a member twice", HEAD TOKEN TOKEN "}", MAUTH_MALFORMED},
    {"NUL in a text", AUTH("\"https://a\\u0000b\""), MAUTH_MALFORMED},
    {"no token endpoint", HEAD "}", MAUTH_MALFORMED},
    {"token endpoint by http", HEAD ",\"token_endpoint\":\"http://a/\"}",
        MAUTH_UNTRUSTED},
    {"an endpoint that is no text", AUTH("{}"), MAUTH_MALFORMED},
    {"empty", AUTH("\"\""), MAUTH_UNTRUSTED},
    {"a file", AUTH("\"file:///etc/passwd\""), MAUTH_UNTRUSTED},
    {"a script", AUTH("\"javascript:alert(1)\""), MAUTH_UNTRUSTED},
    {"an option", AUTH("\"--help\""), MAUTH_UNTRUSTED},
    {"upper case", AUTH("\"HTTPS://a/\""), MAUTH_UNTRUSTED},
    {"no host", AUTH("\"https:///auth\""), MAUTH_UNTRUSTED},
    {"no host but a query", AUTH("\"https://?a\""), MAUTH_UNTRUSTED},
    {"a user", AUTH("\"https://login.example@evil.example/\""), MAUTH_UNTRUSTED},
    {"a fragment", AUTH("\"https://a/#b\""), MAUTH_UNTRUSTED},
    {"a blank", AUTH("\"https://a/ b\""), MAUTH_UNTRUSTED},
    {"a newline", AUTH("\"https://a/\\n\""), MAUTH_UNTRUSTED},
    {"a quote", AUTH("\"https://a/\\\"\""), MAUTH_UNTRUSTED},
    {"no ASCII", AUTH("\"https://\\u0430/\""), MAUTH_UNTRUSTED},
    {"device endpoint by http",
        HEAD TOKEN ",\"device_authorization_endpoint\":\"http://a/\"}",
        MAUTH_UNTRUSTED},
    {"only plain PKCE", HEAD TOKEN ",\"code_challenge_methods_supported\":[\"plain\"]}",
        MAUTH_DENIED},
    {"PKCE of no kind", HEAD TOKEN ",\"code_challenge_methods_supported\":\"S256\"}",
        MAUTH_DENIED},
};

static void
refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        struct oidc_discovery d;
        enum mauth_rc rc =
            oidc_discovery_read(text_of(refusals[i].json), ISSUER, &d, &err);

        if (rc != refusals[i].rc || d.token_endpoint || d.authorization_endpoint ||
            d.device_endpoint || err.rc != rc)
            fail_msg("%s: %d %s", refusals[i].name, (int)rc, err.text);
    }
}

static void
refuses_much(void **state)
{
    size_t len = OIDC_DISCOVERY_MAX + 1;
    char *json = malloc(len);
    struct oidc_discovery d;

    (void)state;
    assert_non_null(json);
    memset(json, ' ', len);
    memcpy(json, HEAD TOKEN "}", strlen(HEAD TOKEN "}"));
    assert_int_equal(oidc_discovery_read((struct text){json, len}, ISSUER, &d, NULL),
        MAUTH_TOO_LARGE);
    assert_int_equal(
        oidc_discovery_read((struct text){json, len - 1}, ISSUER, &d, NULL), MAUTH_OK);
    oidc_discovery_clear(&d);
    free(json);
}

static void
reads(void **state)
{
    struct oidc_discovery d;

    (void)state;
    assert_int_equal(
        oidc_discovery_read(text_of(HEAD TOKEN "}"), ISSUER, &d, NULL), MAUTH_OK);
    assert_string_equal(d.token_endpoint, "https://login.example/token");
    assert_null(d.authorization_endpoint);
    assert_null(d.device_endpoint);
    assert_false(d.states_issuer);
    oidc_discovery_clear(&d);
    assert_int_equal(
        oidc_discovery_read(
            text_of(HEAD TOKEN ",\"authorization_endpoint\":\"https://a?b=c\","
                               "\"device_authorization_endpoint\":\"https://a:1/d\","
                               "\"code_challenge_methods_supported\":[1,\"S256\"],"
                               "\"authorization_response_iss_parameter_supported\":"
                               "true}"),
            ISSUER, &d, NULL),
        MAUTH_OK);
    assert_string_equal(d.authorization_endpoint, "https://a?b=c");
    assert_string_equal(d.device_endpoint, "https://a:1/d");
    assert_true(d.states_issuer);
    oidc_discovery_clear(&d);
    assert_null(d.token_endpoint);
}

/* Discovery 4.1: a slash at the issuer's end is its own, not the path's. */
static void
knows_the_place(void **state)
{
    static const char *const issuers[] = {"https://a", "https://a/"};

    (void)state;
    for (size_t i = 0; i < COUNT(issuers); i++) {
        struct buf b;

        buf_init(&b);
        oidc_discovery_url(&b, issuers[i]);
        assert_string_equal(buf_cstr(&b), "https://a/.well-known/openid-configuration");
        buf_clear(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_much),
        cmocka_unit_test(reads),
        cmocka_unit_test(knows_the_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
