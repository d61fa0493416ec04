#include "cli/service_url.h"
#include "tests/unit/unit.h"

/* 64 characters; 63 are the most. */
#define LONG_LABEL                     \
    "https://"                         \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example"

static void
reads_urls(void **state)
{
    static const struct {
        const char *text, *host;
        int port;
        bool is_address;
    } cases[] = {
        {"https://auth.example.org", "auth.example.org", 443, false},
        {"https://auth.example.org:8443", "auth.example.org", 8443, false},
        {"https://localhost:1", "localhost", 1, false},
        {"https://127.0.0.1:8443", "127.0.0.1", 8443, true},
        {"https://[::1]:65535", "::1", 65535, true},
        {"https://[2001:db8::1]", "2001:db8::1", 443, true},
        {"https://1.2.3.x--1", "1.2.3.x--1", 443, false},
    };
    struct service_url u;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(service_url_parse(cases[i].text, &u, NULL), MAUTH_OK);
        assert_string_equal(u.text, cases[i].text);
        assert_string_equal(u.host, cases[i].host);
        assert_string_equal(service_url_name(&u), cases[i].text + 8);
        assert_int_equal(u.port, cases[i].port);
        assert_int_equal(u.is_address, cases[i].is_address);
    }
}

static void
refuses_all_other_spellings(void **state)
{
    static const char *const bad[] = {"", "https://", "http://a.example",
        "HTTPS://a.example", "a.example", "https://A.example", "https://a.example/",
        "https://a.example/x", "https://a.example?x", "https://a.example#x",
        "https://a.example:443", "https://a.example:", "https://a.example:0",
        "https://a.example:01", "https://a.example:65536", "https://a.example:8443x",
        "https://u@a.example", "https://a..example", "https://.a", "https://a.",
        "https://-a.example", "https://a-.example", "https://a_b.example",
        "https://a b.example", "https://a\n", "https://1.2.3", "https://127.1",
        "https://127.0.0.01", "https://1.2.3.256", "https://::1", "https://[::1",
        "https://[::1]x", "https://[::1]:", "https://[0::1]", "https://[::1]:443",
        "https://[127.0.0.1]", "https://[a.example]", "https://[]", "https://[::A]",
        LONG_LABEL};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct service_url u;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (service_url_parse(bad[i], &u, NULL) != MAUTH_INVALID)
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(
        service_url_parse("https://a.example:443", &u, &err), MAUTH_INVALID);
    assert_non_null(strstr(err.text, "must be written 'https://a.example'"));
}

static void
reads_where_to_listen(void **state)
{
    static const char *const bad[] = {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
        "localhost:8443", ":8443", "8443", "::1:8443", "[::1]", "127.0.0.1:8443 "};
    struct service_url u;

    (void)state;
    assert_int_equal(service_url_from_listen("127.0.0.1:8443", &u, NULL), MAUTH_OK);
    assert_string_equal(u.text, "https://127.0.0.1:8443");
    assert_int_equal(service_url_from_listen("0.0.0.0:443", &u, NULL), MAUTH_OK);
    assert_string_equal(u.text, "https://0.0.0.0");
    assert_int_equal(service_url_from_listen("[::1]:8443", &u, NULL), MAUTH_OK);
    assert_string_equal(u.host, "::1");
    assert_int_equal(u.port, 8443);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (service_url_from_listen(bad[i], &u, NULL) != MAUTH_INVALID)
            fail_msg("taken: %s", bad[i]);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_urls),
        cmocka_unit_test(refuses_all_other_spellings),
        cmocka_unit_test(reads_where_to_listen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
