#include "base/str.h"
#include "cli/login_provider.h"
#include "tests/unit/unit.h"

#define SERVICE "https://auth.example"
#define HEAD    "{\"issuer\":\"" SERVICE "\",\"meshauth_login_providers\":["
#define P(name, kind)                                                         \
    "{\"name\":\"" name "\",\"kind\":\"" kind "\",\"issuer\":\"https://" name \
    ".example\","                                                             \
    "\"client_id\":\"c\",\"scopes\":[\"openid\",\"email\"]}"
#define WITH(member, value) \
    HEAD "{\"name\":\"a\",\"kind\":\"oidc\"," member ":" value "}]}"
#define REST_ISSUER "\"client_id\":\"c\",\"scopes\":[\"openid\"],\"issuer\""
#define REST_CLIENT "\"issuer\":\"https://a\",\"scopes\":[\"openid\"],\"client_id\""
#define REST_SCOPES "\"issuer\":\"https://a\",\"client_id\":\"c\",\"scopes\""
#define FIVE(s)     s s s s s

static const struct {
    const char *name, *json;
    enum mauth_rc rc;
} refusals[] = {
    {"nothing", "", MAUTH_MALFORMED},
    {"a page", "<html>", MAUTH_MALFORMED},
    {"a list", "[]", MAUTH_MALFORMED},
    {"a stock server's", "{\"issuer\":\"" SERVICE "\"}", MAUTH_MALFORMED},
    {"no issuer", "{\"meshauth_login_providers\":[]}", MAUTH_MALFORMED},
    {"another issuer", "{\"issuer\":\"https://other\",\"meshauth_login_providers\":[]}",
        MAUTH_UNTRUSTED},
    {"a member twice", HEAD "],\"issuer\":\"" SERVICE "\"}", MAUTH_MALFORMED},
    {"providers that are none", HEAD "1]}", MAUTH_MALFORMED},
    {"no name", HEAD "{\"kind\":\"oidc\"}]}", MAUTH_MALFORMED},
    {"a name that steers", HEAD P("a\\u001b", "oidc") "]}", MAUTH_MALFORMED},
    {"a kind that steers", HEAD P("a", "\\n") "]}", MAUTH_MALFORMED},
    {"a name twice", HEAD P("a", "oidc") "," P("a", "demo") "]}", MAUTH_MALFORMED},
    {"issuer by http", WITH(REST_ISSUER, "\"http://a\""), MAUTH_MALFORMED},
    {"issuer with a query", WITH(REST_ISSUER, "\"https://a?b\""), MAUTH_MALFORMED},
    {"issuer with a blank", WITH(REST_ISSUER, "\"https://a b\""), MAUTH_MALFORMED},
    {"no client id", WITH(REST_CLIENT, "null"), MAUTH_MALFORMED},
    {"empty client id", WITH(REST_CLIENT, "\"\""), MAUTH_MALFORMED},
    {"client id with a newline", WITH(REST_CLIENT, "\"a\\nb\""), MAUTH_MALFORMED},
    {"no scopes", WITH(REST_SCOPES, "[]"), MAUTH_MALFORMED},
    {"scopes in one text", WITH(REST_SCOPES, "\"openid\""), MAUTH_MALFORMED},
    {"no openid", WITH(REST_SCOPES, "[\"email\"]"), MAUTH_MALFORMED},
    {"two scopes in one", WITH(REST_SCOPES, "[\"openid\",\"a b\"]"), MAUTH_MALFORMED},
    {"a scope that is no text", WITH(REST_SCOPES, "[\"openid\",1]"), MAUTH_MALFORMED},
    {"17 providers", HEAD FIVE("{},") FIVE("{},") FIVE("{},") "{},{}]}",
        MAUTH_TOO_LARGE},
};

static void
refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct login_providers *p = (void *)&p;
        struct mauth_err err = MAUTH_ERR_INIT;
        enum mauth_rc rc =
            login_providers_read(text_of(refusals[i].json), SERVICE, &p, &err);

        if (rc != refusals[i].rc || p || err.rc != rc)
            fail_msg("%s: %d %s", refusals[i].name, (int)rc, err.text);
    }
}

static struct login_providers *
of(const char *json)
{
    struct login_providers *p = NULL;
    struct mauth_err err = MAUTH_ERR_INIT;

    if (login_providers_read(text_of(json), SERVICE, &p, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
    return p;
}

/* A later service may say more, and know kinds that are not known here. */
static void
reads(void **state)
{
    struct login_providers *p = of(HEAD P(
        "a", "oidc") ",{\"name\":\"s\",\"kind\":"
                     "\"saml\",\"issuer\":\"urn:s\",\"metadata\":{}}],\"more\":1}");

    (void)state;
    assert_int_equal(p->count, 2);
    assert_string_equal(p->at[0].issuer, "https://a.example");
    assert_string_equal(p->at[0].client_id, "c");
    assert_string_equal(p->at[0].scope, "openid email");
    assert_true(login_provider_is_oidc(&p->at[0]));
    assert_string_equal(p->at[1].kind, "saml");
    assert_false(login_provider_is_oidc(&p->at[1]));
    login_providers_free(p);
}

static void
chooses(void **state)
{
    static const struct {
        const char *json, *name, *chosen;
        enum mauth_rc rc;
    } cases[] = {
        {HEAD P("a", "oidc") "]}", NULL, "a", MAUTH_OK},
        {HEAD P("a", "oidc") "," P("d", "demo") "]}", NULL, "a", MAUTH_OK},
        {HEAD P("a", "oidc") "," P("d", "demo") "]}", "d", "d", MAUTH_OK},
        {HEAD P("d", "demo") "]}", NULL, "d", MAUTH_OK},
        {HEAD P("a", "oidc") "," P("b", "oidc") "]}", NULL, NULL, MAUTH_INVALID},
        {HEAD P("a", "oidc") "," P("b", "oidc") "]}", "b", "b", MAUTH_OK},
        {HEAD P("a", "oidc") "]}", "b", NULL, MAUTH_NOT_FOUND},
        {HEAD P("a", "oidc") "]}", "", NULL, MAUTH_NOT_FOUND},
        {HEAD P("d", "demo") "," P("s", "saml") "]}", NULL, NULL, MAUTH_NOT_FOUND},
        {HEAD "]}", NULL, NULL, MAUTH_NOT_FOUND},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct login_providers *p = of(cases[i].json);
        const struct login_provider *one = (const void *)p;

        assert_int_equal(
            login_providers_choose(p, cases[i].name, &one, NULL), cases[i].rc);
        if (cases[i].chosen)
            assert_string_equal(one->name, cases[i].chosen);
        else
            assert_null(one);
        login_providers_free(p);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses),
        cmocka_unit_test(reads),
        cmocka_unit_test(chooses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
