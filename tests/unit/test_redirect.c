#include "base/str.h"
#include "cli/redirect.h"
#include "tests/unit/unit.h"

#define ISSUER "https://login.example"
#define ISS    "&iss=https%3A%2F%2Flogin.example"

static const struct redirect_want plain = {"S", ISSUER, false};
static const struct redirect_want stating = {"S", ISSUER, true};

static const struct {
    const char *name, *query;
    const struct redirect_want *want;
    enum mauth_rc rc;
    const char *says;
} refusals[] = {
    {"nothing", "", &plain, MAUTH_UNTRUSTED, "its state"},
    {"no state", "code=C", &plain, MAUTH_UNTRUSTED, "its state"},
    {"empty state", "code=C&state=", &plain, MAUTH_UNTRUSTED, "its state"},
    {"another state", "code=C&state=s", &plain, MAUTH_UNTRUSTED, "its state"},
    {"a longer state", "code=C&state=SS", &plain, MAUTH_UNTRUSTED, "its state"},
    {"two states", "code=C&state=S&state=S", &plain, MAUTH_MALFORMED, "two of"},
    {"two codes", "code=C&code=D&state=S", &plain, MAUTH_MALFORMED, "two of"},
    {"two issuers", "code=C&state=S" ISS ISS, &plain, MAUTH_MALFORMED, "two of"},
    {"two errors", "error=a&error=b&state=S", &plain, MAUTH_MALFORMED, "two of"},
    {"neither", "state=S", &plain, MAUTH_MALFORMED, "neither"},
    {"empty code", "code=&state=S", &plain, MAUTH_MALFORMED, "neither"},
    {"a code and an error", "code=C&error=access_denied&state=S", &plain, MAUTH_DENIED,
        "(access_denied)"},
    {"an error of another state", "error=access_denied&state=x", &plain,
        MAUTH_UNTRUSTED, "its state"},
    {"refused in words", "error=access_denied&error_description=No+way&state=S", &plain,
        MAUTH_DENIED, "refused: No way (access_denied)"},
    {"words that steer", "error=a&error_description=%C2%9B2J&state=S", &plain,
        MAUTH_MALFORMED, "not a query"},
    {"words in another alphabet", "error=a&error_description=%D0%9D&state=S", &plain,
        MAUTH_DENIED, "refused: \\xd0\\x9d (a)"},
    {"it fails", "error=server_error&state=S", &plain, MAUTH_UNAVAILABLE,
        "(server_error)"},
    {"another issuer", "code=C&state=S&iss=https%3A%2F%2Fevil.example", &plain,
        MAUTH_UNTRUSTED, "not from the provider"},
    {"no issuer, which was announced", "code=C&state=S", &stating, MAUTH_UNTRUSTED,
        "not from the provider"},
    {"an error without it", "error=access_denied&state=S", &stating, MAUTH_UNTRUSTED,
        "not from the provider"},
    {"NUL", "code=C%00&state=S", &plain, MAUTH_MALFORMED, "not a query"},
    {"no UTF-8", "code=%FF&state=S", &plain, MAUTH_MALFORMED, "not a query"},
    {"half a byte", "code=%4&state=S", &plain, MAUTH_MALFORMED, "not a query"},
    {"a newline", "code=C%0A&state=S", &plain, MAUTH_MALFORMED, "not a query"},
};

static void
refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        struct buf code;
        enum mauth_rc rc;

        buf_init(&code);
        rc = redirect_read(text_of(refusals[i].query), refusals[i].want, &code, &err);
        if (rc != refusals[i].rc || code.len || !strstr(err.text, refusals[i].says))
            fail_msg("%s: %d %s", refusals[i].name, (int)rc, err.text);
        buf_clear(&code);
    }
}

static void
takes(void **state)
{
    static const struct {
        const char *query, *code;
        const struct redirect_want *want;
    } cases[] = {
        {"code=C&state=S", "C", &plain},
        {"state=S" ISS "&code=a%2Fb%2B+c", "a/b+ c", &plain},
        {"code=C&state=S" ISS, "C", &stating},
        {"session_state=x&code=C&state=S&scope=a&scope=b", "C", &plain},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf code;

        buf_init_secret(&code);
        assert_int_equal(
            redirect_read(text_of(cases[i].query), cases[i].want, &code, NULL),
            MAUTH_OK);
        assert_string_equal(buf_cstr(&code), cases[i].code);
        buf_clear(&code);
    }
}

static void
tells_strays(void **state)
{
    static const struct {
        const char *query;
        bool is_answer;
    } cases[] = {
        {"", false}, {"state=", false}, {"code=C", false}, {"code=C&state=s", false},
        {"state=SS", false}, {"xstate=S", false}, {"code=state=S", false},
        {"error=a&state=S%00", false}, {"state=S", true}, {"code=C&state=S", true},
        {"state=S&error=access_denied", true},
        {"state=x&state=S", true}, /* then it is refused */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (redirect_is_answer(text_of(cases[i].query), "S") != cases[i].is_answer)
            fail_msg("%s", cases[i].query);
    assert_false(redirect_is_answer(text_of(NULL), "S"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses),
        cmocka_unit_test(takes),
        cmocka_unit_test(tells_strays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
