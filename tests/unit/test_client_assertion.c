#include <jansson.h>

#include "authsvc/client_assertion.h"
#include "authsvc/oauth.h"
#include "base/str.h"
#include "jose/jws.h"
#include "tests/unit/unit.h"

enum {
    NOW = 1000000
};

#define CLIENT "svc_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define ISSUER "https://auth.mesh.example"
#define NAMES  "\"iss\":\"" CLIENT "\",\"sub\":\"" CLIENT "\""
#define AUD    "\"aud\":\"" ISSUER "\""
#define EXP    "\"exp\":1000300"
#define JTI    "\"jti\":\"a\""
#define A64    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A256   A64 A64 A64 A64

static char *
sign_with(const char *members, const char *key, const char *kid)
{
    char text[2048], *pem = test_data(key, NULL), *token = NULL;
    json_t *claims;

    snprintf(text, sizeof(text), "{%s}", members);
    claims = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!claims)
        fail_msg("not JSON: %s", text);
    assert_int_equal(jws_sign(claims, pem, kid, &token, NULL), MAUTH_OK);
    json_decref(claims);
    free(pem);
    return token;
}

static struct mauth_key *
public_key(const char *name)
{
    struct mauth_key *key = NULL;
    size_t len;
    char *pem = test_data(name, &len);

    assert_int_equal(mauth_key_from_pem(pem, len, &key, NULL), MAUTH_OK);
    free(pem);
    return key;
}

static enum mauth_rc
check(
    const char *token, const char *key, struct client_assertion *a, const char **reason)
{
    struct mauth_key *registered = public_key(key);
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    *a = (struct client_assertion){
        .client = CLIENT, .issuer = ISSUER, .key = registered, .now_s = NOW};
    *reason = NULL;
    rc = client_assertion_check(a, text_of(token), reason, &err);
    assert_int_equal(rc, err.rc);
    assert_true((rc == MAUTH_OK) == (*reason == NULL));
    mauth_key_free(registered);
    return rc;
}

static void
takes(void **state)
{
    static const struct {
        const char *name, *claims;
        int64_t too_old_s;
    } cases[] = {
        {"plain", NAMES "," AUD "," EXP "," JTI, 1000360},
        {"aud in a list", NAMES ",\"aud\":[\"" ISSUER "\"]," EXP "," JTI, 1000360},
        {"with iat and nbf",
            NAMES "," AUD "," EXP "," JTI ",\"iat\":1000000,\"nbf\":999000", 1000360},
        {"the longest life", NAMES "," AUD ",\"exp\":1000360," JTI, 1000420},
        {"expired within the skew", NAMES "," AUD ",\"exp\":999941," JTI, 1000001},
        {"issued ahead, within the skew",
            NAMES "," AUD "," EXP "," JTI ",\"iat\":1000060", 1000360},
        {"a long jti", NAMES "," AUD "," EXP ",\"jti\":\"" A256 "\"", 1000360},
        {"more claims", NAMES "," AUD "," EXP "," JTI ",\"scope\":1", 1000360},
    };
    struct client_assertion a;
    const char *reason;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *ec = sign_with(cases[i].claims, "golden/device.pem", NULL);
        char *rsa = sign_with(cases[i].claims, "vectors/keys/device-rsa.pem", "any");

        if (check(ec, "golden/device.pub.pem", &a, &reason) != MAUTH_OK)
            fail_msg("%s: %s", cases[i].name, reason);
        assert_int_equal(a.too_old_s, cases[i].too_old_s);
        if (check(rsa, "vectors/keys/device-rsa.pub.pem", &a, &reason) != MAUTH_OK)
            fail_msg("%s: %s", cases[i].name, reason);
        free(ec);
        free(rsa);
    }
}

static void
refuses_claims(void **state)
{
    static const struct {
        const char *name, *claims, *reason;
    } cases[] = {
        {"nothing", "", "assertion-subject"},
        {"no iss", "\"sub\":\"" CLIENT "\"," AUD "," EXP "," JTI, "assertion-subject"},
        {"no sub", "\"iss\":\"" CLIENT "\"," AUD "," EXP "," JTI, "assertion-subject"},
        {"another iss",
            "\"iss\":\"svc_0b\",\"sub\":\"" CLIENT "\"," AUD "," EXP "," JTI,
            "assertion-subject"},
        {"another sub",
            "\"iss\":\"" CLIENT "\",\"sub\":\"" CLIENT "x\"," AUD "," EXP "," JTI,
            "assertion-subject"},
        {"sub is a list",
            "\"iss\":\"" CLIENT "\",\"sub\":[\"" CLIENT "\"]," AUD "," EXP "," JTI,
            "assertion-subject"},
        {"no aud", NAMES "," EXP "," JTI, "assertion-audience"},
        {"the endpoint as aud", NAMES ",\"aud\":\"" ISSUER "/v1/token\"," EXP "," JTI,
            "assertion-audience"},
        {"a slash behind aud", NAMES ",\"aud\":\"" ISSUER "/\"," EXP "," JTI,
            "assertion-audience"},
        {"others in aud",
            NAMES ",\"aud\":[\"" ISSUER "\",\"https://x.example\"]," EXP "," JTI,
            "assertion-audience"},
        {"aud twice", NAMES ",\"aud\":[\"" ISSUER "\",\"" ISSUER "\"]," EXP "," JTI,
            "assertion-audience"},
        {"aud is empty", NAMES ",\"aud\":[]," EXP "," JTI, "assertion-audience"},
        {"aud is an object", NAMES ",\"aud\":{\"a\":\"" ISSUER "\"}," EXP "," JTI,
            "assertion-audience"},
        {"no exp", NAMES "," AUD "," JTI, "assertion-claims"},
        {"exp is text", NAMES "," AUD ",\"exp\":\"1000300\"," JTI, "assertion-claims"},
        {"exp before time began", NAMES "," AUD ",\"exp\":-1," JTI, "assertion-claims"},
        {"exp beyond all time", NAMES "," AUD ",\"exp\":1e300," JTI,
            "assertion-claims"},
        {"expired", NAMES "," AUD ",\"exp\":999940," JTI, "assertion-expired"},
        {"too long a life", NAMES "," AUD ",\"exp\":1000361," JTI,
            "assertion-lifetime"},
        {"issued too far ahead", NAMES "," AUD "," EXP "," JTI ",\"iat\":1000061",
            "assertion-not-yet"},
        {"not before later", NAMES "," AUD "," EXP "," JTI ",\"nbf\":1000061",
            "assertion-not-yet"},
        {"iat is text", NAMES "," AUD "," EXP "," JTI ",\"iat\":\"now\"",
            "assertion-claims"},
        {"nbf is null", NAMES "," AUD "," EXP "," JTI ",\"nbf\":null",
            "assertion-claims"},
        {"no jti", NAMES "," AUD "," EXP, "assertion-claims"},
        {"an empty jti", NAMES "," AUD "," EXP ",\"jti\":\"\"", "assertion-claims"},
        {"jti is a number", NAMES "," AUD "," EXP ",\"jti\":1", "assertion-claims"},
        {"too long a jti", NAMES "," AUD "," EXP ",\"jti\":\"" A256 "a\"",
            "assertion-claims"},
    };
    struct client_assertion a;
    const char *reason;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *token = sign_with(cases[i].claims, "golden/device.pem", NULL);

        if (check(token, "golden/device.pub.pem", &a, &reason) == MAUTH_OK)
            fail_msg("taken: %s", cases[i].name);
        if (strcmp(reason, cases[i].reason) != 0)
            fail_msg("%s: %s", cases[i].name, reason);
        assert_string_equal(oauth_refusal_named(reason)->reason, reason);
        assert_string_equal(oauth_refusal_named(reason)->error, "invalid_client");
        free(token);
    }
}

static void
refuses_tokens(void **state)
{
    static const char claims[] = NAMES "," AUD "," EXP "," JTI;
    struct client_assertion a;
    const char *reason;
    char *token = sign_with(claims, "golden/device.pem", "kid");
    size_t len = strlen(token);

    (void)state;
    assert_int_equal(check(token, "golden/device.pub.pem", &a, &reason), MAUTH_OK);
    assert_int_not_equal(
        check(token, "vectors/keys/stranger.pub.pem", &a, &reason), MAUTH_OK);
    assert_string_equal(reason, "assertion-signature");
    /* The algorithm is the key's. */
    assert_int_not_equal(
        check(token, "vectors/keys/device-rsa.pub.pem", &a, &reason), MAUTH_OK);
    assert_string_equal(reason, "assertion-form");
    token[len - 2] = token[len - 2] == 'A' ? 'B' : 'A';
    assert_int_not_equal(check(token, "golden/device.pub.pem", &a, &reason), MAUTH_OK);
    assert_string_equal(reason, "assertion-signature");
    *strrchr(token, '.') = '\0';
    assert_int_not_equal(check(token, "golden/device.pub.pem", &a, &reason), MAUTH_OK);
    assert_string_equal(reason, "assertion-form");
    assert_int_not_equal(check("x", "golden/device.pub.pem", &a, &reason), MAUTH_OK);
    assert_string_equal(reason, "assertion-form");
    free(token);
}

/* Each jti of a client is a name of its own. */
static void
names_each(void **state)
{
    static const char first[] = NAMES "," AUD "," EXP "," JTI;
    static const char other[] = NAMES "," AUD "," EXP ",\"jti\":\"b\"";
    struct client_assertion a, b, c;
    const char *reason;
    char *token = sign_with(first, "golden/device.pem", NULL);
    char *again = sign_with(first, "golden/device.pem", "other");
    char *another = sign_with(other, "golden/device.pem", NULL);

    (void)state;
    assert_int_equal(check(token, "golden/device.pub.pem", &a, &reason), MAUTH_OK);
    assert_int_equal(check(again, "golden/device.pub.pem", &b, &reason), MAUTH_OK);
    assert_int_equal(check(another, "golden/device.pub.pem", &c, &reason), MAUTH_OK);
    assert_memory_equal(a.name, b.name, sizeof(a.name));
    assert_memory_not_equal(a.name, c.name, sizeof(a.name));
    free(token);
    free(again);
    free(another);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes),
        cmocka_unit_test(refuses_claims),
        cmocka_unit_test(refuses_tokens),
        cmocka_unit_test(names_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
