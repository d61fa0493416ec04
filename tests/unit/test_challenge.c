#include "cli/challenge.h"
#include "tests/unit/unit.h"

#define ANSWER(headers)  "HTTP/1.1 401 Unauthorized\r\n" headers "\r\n\r\n"
#define CHALLENGE(value) ANSWER("WWW-Authenticate: " value)
#define LONG16           "aaaaaaaaaaaaaaaa"
#define LONG256                                                                  \
    LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 \
        LONG16 LONG16 LONG16 LONG16 LONG16

static const struct {
    const char *name, *headers;
    struct challenge want;
} cases[] = {
    {"nothing", "", {0}},
    {"no headers yet", "HTTP/1.1 401 Unauthorized\r\n", {0}},
    {"cut off", "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\n", {0}},
    {"no HTTP", "220 mail\r\n\r\n", {0}},
    {"status of two digits", "HTTP/1.1 40\r\n\r\n", {0}},
    {"status of letters", "HTTP/1.1 4O1 x\r\n\r\n", {0}},
    {"HTTP/2", "HTTP/2 200 \r\n\r\n", {.status = 200}},
    {"interim first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\n\r\n",
        {.status = 403}},
    {"a new answer forgets the last",
        CHALLENGE("DPoP error=\"x\"") "HTTP/1.1 200 OK\r\n\r\n", {.status = 200}},
    {"bearer", CHALLENGE("Bearer"), {.status = 401, .bearer = true}},
    {"any case", ANSWER("www-authenticate:dpop"), {.status = 401, .dpop = true}},
    {"line feeds alone", "HTTP/1.1 401 x\nWWW-Authenticate: Bearer\n\n",
        {.status = 401, .bearer = true}},
    {"another scheme", CHALLENGE("Basic realm=\"a\", error=\"b\""), {.status = 401}},
    {"a scheme inside a string", CHALLENGE("Basic realm=\"DPoP\""), {.status = 401}},
    {"a comma inside a string", CHALLENGE("Basic realm=\", DPoP error=x\""),
        {.status = 401}},
    {"members",
        CHALLENGE("Bearer realm=\"r\", error=\"invalid_token\", "
                  "error_description=\"gone, \\\"really\\\"\", scope=\"a b\""),
        {.status = 401,
            .bearer = true,
            .error = "invalid_token",
            .text = "gone, \"really\"",
            .scope = "a b"}},
    {"metadata", CHALLENGE("DPoP resource_metadata=\"https://a/b\""),
        {.status = 401, .dpop = true, .metadata = "https://a/b"}},
    {"blanks", CHALLENGE("Bearer  error =\t\"x\" ,,  scope= y"),
        {.status = 401, .bearer = true, .error = "x", .scope = "y"}},
    {"two in one", CHALLENGE("Bearer, DPoP algs=\"ES256\", error=\"use_dpop_nonce\""),
        {.status = 401, .bearer = true, .dpop = true, .error = "use_dpop_nonce"}},
    {"two headers",
        ANSWER("WWW-Authenticate: DPoP error=a\r\nWWW-Authenticate: Bearer error=b"),
        {.status = 401, .bearer = true, .dpop = true, .error = "a"}},
    {"a string without an end", CHALLENGE("Bearer error=\"abc"),
        {.status = 401, .bearer = true}},
    {"a backslash at the end", CHALLENGE("Bearer error=\"abc\\"),
        {.status = 401, .bearer = true}},
    {"control bytes", CHALLENGE("Bearer error=\"a\033[2J\""),
        {.status = 401, .bearer = true}},
    {"too long",
        CHALLENGE("Bearer error=\"" LONG256 "\", scope=" LONG256 ", "
                  "error_description=x"),
        {.status = 401, .bearer = true, .text = "x"}},
    {"token68", CHALLENGE("Negotiate abc==, DPoP"), {.status = 401}},
    {"rubbish", CHALLENGE("=,=\"\"@"), {.status = 401}},
    {"nonce", ANSWER("DPoP-Nonce: abc_-1"), {.status = 401, .nonce = "abc_-1"}},
    {"nonce with blanks", ANSWER("DPoP-Nonce: a b"), {.status = 401}},
    {"nonce with a quote", ANSWER("DPoP-Nonce: a\"b"), {.status = 401}},
    {"nonce too long", ANSWER("DPoP-Nonce: " LONG256), {.status = 401}},
};

static void
reads_what_is_of_its_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct challenge *want = &cases[i].want;
        struct challenge c;

        challenge_read(text_of(cases[i].headers), &c);
        if (c.status != want->status || c.bearer != want->bearer ||
            c.dpop != want->dpop || strcmp(c.error, want->error) != 0 ||
            strcmp(c.text, want->text) != 0 || strcmp(c.scope, want->scope) != 0 ||
            strcmp(c.nonce, want->nonce) != 0 ||
            strcmp(c.metadata, want->metadata) != 0)
            fail_msg("%s: %d %d %d '%s' '%s' '%s' '%s'", cases[i].name, c.status,
                c.bearer, c.dpop, c.error, c.text, c.scope, c.nonce);
    }
}

/* Wherever an answer is cut off, nothing is read behind its end. */
static void
reads_no_further_than_it_goes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t len = 0; len <= strlen(cases[i].headers); len++) {
            char *copy = malloc(len ? len : 1);
            struct challenge c;

            assert_non_null(copy);
            memcpy(copy, cases[i].headers, len);
            challenge_read((struct text){copy, len}, &c);
            assert_in_range(c.status, 0, 999);
            free(copy);
        }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_of_its_form),
        cmocka_unit_test(reads_no_further_than_it_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
