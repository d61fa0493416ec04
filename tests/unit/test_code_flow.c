#include "cli/code_flow.h"
#include "tests/unit/unit.h"

#define REST                                                                        \
    "response_type=code&client_id=a%26b&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%"   \
    "2Fcallback"                                                                    \
    "&scope=openid%20email&state=S&nonce=N&code_challenge=C&code_challenge_method=" \
    "S256"

/* RFC 6749 3.1: a query that the endpoint has stays. */
static void
writes_the_url(void **state)
{
    const struct {
        char *endpoint;
        const char *url;
    } cases[] = {
        {(char[]){"https://login.example/auth"}, "https://login.example/auth?" REST},
        {(char[]){"https://a/?tenant=x"}, "https://a/?tenant=x&" REST},
    };
    const struct code_request r = {"http://127.0.0.1:1/callback", "S", "N", "C"};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct oidc_client client = {
            .client_id = "a&b",
            .scope = "openid email",
            .at.authorization_endpoint = cases[i].endpoint,
        };
        struct buf b;

        buf_init(&b);
        code_flow_url(&b, &client, &r);
        assert_string_equal(buf_cstr(&b), cases[i].url);
        buf_clear(&b);
    }
}

/* Where there is no page, nobody listens and nobody is sent anywhere. */
static void
needs_a_page(void **state)
{
    const struct {
        char *device;
        const char *says;
    } cases[] = {
        {NULL, "the provider p has no page to log in at"},
        {(char[]){"https://a/device"},
            "the provider p has no page to log in at; try --device"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct oidc_client client = {
            .name = "p", .at.device_endpoint = cases[i].device};
        struct mauth_err err = MAUTH_ERR_INIT;
        struct buf token;

        buf_init_secret(&token);
        assert_int_equal(code_flow_run(&client, &token, &err), MAUTH_DENIED);
        assert_string_equal(err.text, cases[i].says);
        assert_int_equal(token.len, 0);
        buf_clear(&token);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_url),
        cmocka_unit_test(needs_a_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
