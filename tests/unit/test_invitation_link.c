#include "base/str.h"
#include "cli/invitation_link.h"
#include "tests/unit/unit.h"

#define ID     "inv_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define PATH   "/v1/mesh/invitations/" ID "#" SECRET

static void
takes_links(void **state)
{
    static const struct {
        const char *link, *service;
        int port;
    } cases[] = {
        {"https://auth.mesh.example" PATH, "https://auth.mesh.example", 443},
        {"https://127.0.0.1:8443" PATH, "https://127.0.0.1:8443", 8443},
        {"https://[::1]:9443" PATH, "https://[::1]:9443", 9443},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct invitation_link link;

        assert_int_equal(
            invitation_link_parse(text_of(cases[i].link), &link, NULL), MAUTH_OK);
        assert_string_equal(link.service.text, cases[i].service);
        assert_int_equal(link.service.port, cases[i].port);
        assert_string_equal(link.id, ID);
        assert_string_equal(link.secret, SECRET);
        invitation_link_clear(&link);
        for (size_t k = 0; k < sizeof(link); k++)
            assert_int_equal(((const uint8_t *)&link)[k], 0);
    }
}

#define HOST "https://auth.mesh.example"

static const struct {
    const char *name, *link;
} refusals[] = {
    {"empty", ""},
    {"only the secret", "#" SECRET},
    {"no secret", HOST "/v1/mesh/invitations/" ID},
    {"empty secret", HOST "/v1/mesh/invitations/" ID "#"},
    {"short secret", HOST "/v1/mesh/invitations/" ID "#AAECAw"},
    {"long secret", HOST PATH "A"},
    {"padded secret", HOST PATH "="},
    {"secret with spare bits",
        HOST "/v1/mesh/invitations/" ID "#AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9"},
    {"secret of the other alphabet",
        HOST "/v1/mesh/invitations/" ID "#AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd/+8"},
    {"secret in the query", HOST "/v1/mesh/invitations/" ID "?" SECRET},
    {"a query", HOST "/v1/mesh/invitations/" ID "?a=b#" SECRET},
    {"two secrets", HOST PATH "#" SECRET},
    {"newline", HOST PATH "\n"},
    {"no id", HOST "/v1/mesh/invitations/#" SECRET},
    {"a folder's id",
        HOST "/v1/mesh/invitations/fld_0aaaaaaaaaaaaaaaaaaaaaaaaa#" SECRET},
    {"id in upper case",
        HOST "/v1/mesh/invitations/inv_0AAAAAAAAAAAAAAAAAAAAAAAAA#" SECRET},
    {"id that is too large",
        HOST "/v1/mesh/invitations/inv_8aaaaaaaaaaaaaaaaaaaaaaaaa#" SECRET},
    {"another path", HOST "/v1/mesh/folders/" ID "#" SECRET},
    {"a path before it", HOST "/x" PATH},
    {"dots", HOST "/v1/mesh/invitations/../invitations/" ID "#" SECRET},
    {"http", "http://auth.mesh.example" PATH},
    {"no scheme", "auth.mesh.example" PATH},
    {"userinfo", "https://a@auth.mesh.example" PATH},
    {"host in upper case", "https://Auth.mesh.example" PATH},
    {"no host", "https://" PATH},
    {"only a path", PATH},
};

static void
refuses_what_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        struct invitation_link link;

        if (invitation_link_parse(text_of(refusals[i].link), &link, &err) !=
                MAUTH_INVALID ||
            !*err.text)
            fail_msg("%s", refusals[i].name);
        if (strstr(err.text, "AAEC"))
            fail_msg("%s: the secret is told", refusals[i].name);
        invitation_link_clear(&link);
    }
}

/* Every start of a good link, and every one with a NUL in it. */
static void
refuses_parts(void **state)
{
    static const char whole[] = HOST PATH;
    struct invitation_link link;
    char copy[sizeof(whole)];

    (void)state;
    for (size_t i = 0; i < sizeof(whole) - 1; i++) {
        assert_int_equal(
            invitation_link_parse((struct text){whole, i}, &link, NULL), MAUTH_INVALID);
        memcpy(copy, whole, sizeof(whole));
        copy[i] = '\0';
        assert_int_equal(
            invitation_link_parse((struct text){copy, sizeof(whole) - 1}, &link, NULL),
            MAUTH_INVALID);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_links),
        cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(refuses_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
