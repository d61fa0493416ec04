#include "base/b64.h"
#include "base/str.h"
#include "cli/token_answer.h"
#include "tests/unit/unit.h"

#define ISSUER "https://login.example"
#define HEADER "{\"alg\":\"ES256\",\"kid\":\"1\"}"
#define CLAIMS "{\"iss\":\"" ISSUER "\",\"aud\":\"app\",\"nonce\":\"N\"}"

static const struct token_want want = {ISSUER, "app", "N"};
static const struct token_want no_nonce = {ISSUER, "app", NULL};

/* A token whose signature nobody looks at here. */
static void
put_token(struct buf *out, const char *header, const char *claims)
{
    char part[1024];

    buf_put(out, part, b64_encode(B64_URL, header, strlen(header), part));
    buf_str(out, ".");
    buf_put(out, part, b64_encode(B64_URL, claims, strlen(claims), part));
    buf_str(out, ".AAAA");
}

/* header NULL: the answer as it stands, else with such a token for %s. */
static enum mauth_rc
answer(long status, const char *json, const char *header, const char *claims,
    const struct token_want *w, struct buf *out, struct mauth_err *err)
{
    struct buf token, text;
    enum mauth_rc rc;

    buf_init(&token);
    buf_init(&text);
    if (header)
        put_token(&token, header, claims);
    for (; *json; json++)
        if (*json == '$')
            buf_put(&text, token.data, token.len);
        else
            buf_u8(&text, (uint8_t)*json);
    rc = token_answer_read(
        status, (struct text){(const char *)text.data, text.len}, w, out, err);
    buf_clear(&text);
    buf_clear(&token);
    return rc;
}

#define GOOD "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"id_token\":\"$\"}"

static const struct {
    const char *name;
    long status;
    const char *json, *header, *claims;
    enum mauth_rc rc;
    const char *says;
} refusals[] = {
    {"nothing", 200, "", NULL, NULL, MAUTH_MALFORMED, "no JSON object"},
    {"a page", 200, "<html>", NULL, NULL, MAUTH_MALFORMED, "no JSON object"},
    {"a list", 200, "[]", NULL, NULL, MAUTH_MALFORMED, "no JSON object"},
    {"a member twice", 200, "{\"id_token\":\"$\",\"id_token\":\"$\"}", HEADER, CLAIMS,
        MAUTH_MALFORMED, "no JSON object"},
    {"no ID token", 200, "{\"access_token\":\"a\"}", NULL, NULL, MAUTH_MALFORMED,
        "gave no ID token"},
    {"one that is no text", 200, "{\"id_token\":1}", NULL, NULL, MAUTH_MALFORMED,
        "gave no ID token"},
    {"an empty one", 200, "{\"id_token\":\"\"}", NULL, NULL, MAUTH_MALFORMED,
        "is none"},
    {"one of two parts", 200, "{\"id_token\":\"e30.e30\"}", NULL, NULL, MAUTH_MALFORMED,
        "is none"},
    {"unsigned", 200, GOOD, "{\"alg\":\"none\"}", CLAIMS, MAUTH_DENIED,
        "neither ES256 nor RS256"},
    {"by HMAC", 200, GOOD, "{\"alg\":\"HS256\"}", CLAIMS, MAUTH_DENIED,
        "neither ES256 nor RS256"},
    {"claims twice", 200, GOOD, HEADER,
        "{\"iss\":\"" ISSUER "\",\"iss\":\"" ISSUER "\",\"aud\":\"app\"}",
        MAUTH_MALFORMED, "is none"},
    {"another issuer", 200, GOOD, HEADER,
        "{\"iss\":\"https://evil.example\",\"aud\":\"app\",\"nonce\":\"N\"}",
        MAUTH_UNTRUSTED, "another issuer"},
    {"no issuer", 200, GOOD, HEADER, "{\"aud\":\"app\",\"nonce\":\"N\"}",
        MAUTH_UNTRUSTED, "another issuer"},
    {"another client", 200, GOOD, HEADER,
        "{\"iss\":\"" ISSUER "\",\"aud\":[\"web\"],\"nonce\":\"N\"}", MAUTH_UNTRUSTED,
        "another client"},
    {"no client", 200, GOOD, HEADER, "{\"iss\":\"" ISSUER "\",\"nonce\":\"N\"}",
        MAUTH_UNTRUSTED, "another client"},
    {"another nonce", 200, GOOD, HEADER,
        "{\"iss\":\"" ISSUER "\",\"aud\":\"app\",\"nonce\":\"n\"}", MAUTH_UNTRUSTED,
        "its nonce"},
    {"no nonce", 200, GOOD, HEADER, "{\"iss\":\"" ISSUER "\",\"aud\":\"app\"}",
        MAUTH_UNTRUSTED, "its nonce"},
    {"a nonce that is no text", 200, GOOD, HEADER,
        "{\"iss\":\"" ISSUER "\",\"aud\":\"app\",\"nonce\":[\"N\"]}", MAUTH_UNTRUSTED,
        "its nonce"},
    {"refused", 400, "{\"error\":\"invalid_grant\",\"error_description\":\"Too late\"}",
        NULL, NULL, MAUTH_DENIED, "refused: Too late (invalid_grant)"},
    {"refused and given", 200, "{\"error\":\"x\",\"id_token\":\"$\"}", HEADER, CLAIMS,
        MAUTH_DENIED, "(x)"},
    {"a good token with another status", 400, GOOD, HEADER, CLAIMS, MAUTH_DENIED,
        "status 400"},
    {"words that steer", 400, "{\"error\":\"\\u001b[2J\"}", NULL, NULL, MAUTH_DENIED,
        "(\\x1b[2J)"},
    {"it fails", 503, "{\"error\":\"temporarily_unavailable\"}", NULL, NULL,
        MAUTH_UNAVAILABLE, "(temporarily_unavailable)"},
    {"it fails without words", 502, "<html>", NULL, NULL, MAUTH_UNAVAILABLE,
        "status 502"},
    {"a redirect", 302, "", NULL, NULL, MAUTH_DENIED, "status 302"},
};

static void
refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        struct buf out;
        enum mauth_rc rc;

        buf_init_secret(&out);
        rc = answer(refusals[i].status, refusals[i].json, refusals[i].header,
            refusals[i].claims, &want, &out, &err);
        if (rc != refusals[i].rc || out.len || !strstr(err.text, refusals[i].says))
            fail_msg("%s: %d %s", refusals[i].name, (int)rc, err.text);
        buf_clear(&out);
    }
}

static void
refuses_much(void **state)
{
    char *json = malloc(TOKEN_ANSWER_MAX + 1);
    struct buf out;

    (void)state;
    assert_non_null(json);
    memset(json, ' ', TOKEN_ANSWER_MAX + 1);
    buf_init_secret(&out);
    assert_int_equal(token_answer_read(200, (struct text){json, TOKEN_ANSWER_MAX + 1},
                         &want, &out, NULL),
        MAUTH_TOO_LARGE);
    buf_clear(&out);
    free(json);
}

static void
takes(void **state)
{
    static const struct {
        const char *claims;
        const struct token_want *want;
    } cases[] = {
        {CLAIMS, &want},
        {CLAIMS, &no_nonce},
        {"{\"iss\":\"" ISSUER "\",\"aud\":[\"web\",\"app\"]}", &no_nonce},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf out, expected;

        buf_init_secret(&out);
        buf_init(&expected);
        put_token(&expected, HEADER, cases[i].claims);
        assert_int_equal(
            answer(200, GOOD, HEADER, cases[i].claims, cases[i].want, &out, NULL),
            MAUTH_OK);
        assert_string_equal(buf_cstr(&out), buf_cstr(&expected));
        buf_clear(&expected);
        buf_clear(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_much),
        cmocka_unit_test(takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
