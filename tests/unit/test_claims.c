#include "authsvc/claims.h"
#include "tests/unit/unit.h"

enum {
    NOW = 1000000
};

static const struct config_provider provider = {
    .name = "idp",
    .issuer = "https://idp.example",
    .client_id = {"meshauth", "meshauth-cli"},
    .client_ids = 2,
    .email_domain = {"example.org", "example.net"},
    .email_domains = 2,
    .max_age_s = 600,
};

#define SUB  "\"sub\":\"alice\""
#define AUD  "\"aud\":\"meshauth\""
#define TIME "\"exp\":1000300,\"iat\":999900"

#define A51  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A255 A51 A51 A51 A51 A51

static enum mauth_rc
check(const char *members, struct provider_identity *out, const char **reason)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc;
    char text[2048];
    json_t *claims;

    snprintf(text, sizeof(text), "{%s}", members);
    claims = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!claims)
        fail_msg("not JSON: %s", text);
    memset(out, 0, sizeof(*out));
    *reason = NULL;
    rc = claims_check(claims, &provider, NOW, out, reason, &err);
    assert_int_equal(rc, err.rc);
    json_decref(claims);
    return rc;
}

static void
takes(void **state)
{
    static const struct {
        const char *name, *claims;
        int64_t issued_s, too_old_s;
    } cases[] = {
        {"plain", SUB "," AUD "," TIME, 999900, 1000360},
        {"age before exp", SUB "," AUD ",\"exp\":2000000,\"iat\":999900", 999900,
            1000560},
        {"one in a list", SUB ",\"aud\":[\"meshauth\"]," TIME, 999900, 1000360},
        {"the other client", SUB ",\"aud\":\"meshauth-cli\"," TIME, 999900, 1000360},
        {"both clients", SUB ",\"aud\":[\"meshauth\",\"meshauth-cli\"]," TIME, 999900,
            1000360},
        {"another, but azp is ours",
            SUB ",\"aud\":[\"api\",\"meshauth\"],\"azp\":\"meshauth\"," TIME, 999900,
            1000360},
        {"azp ours", SUB "," AUD ",\"azp\":\"meshauth-cli\"," TIME, 999900, 1000360},
        {"nbf now", SUB "," AUD "," TIME ",\"nbf\":1000000", 999900, 1000360},
        {"nbf within the skew", SUB "," AUD "," TIME ",\"nbf\":1000060", 999900,
            1000360},
        {"expired within the skew", SUB "," AUD ",\"exp\":999941,\"iat\":999900",
            999900, 1000001},
        {"issued ahead, within the skew",
            SUB "," AUD ",\"exp\":1000300,\"iat\":1000060", 1000060, 1000360},
        {"just young enough", SUB "," AUD ",\"exp\":1000300,\"iat\":999341", 999341,
            1000001},
        {"fractions", SUB "," AUD ",\"exp\":1000300.9,\"iat\":999900.5", 999900,
            1000360},
        {"a subject with a space and marks", "\"sub\":\"a b|~!\"," AUD "," TIME, 999900,
            1000360},
        {"a subject of 255", "\"sub\":\"" A255 "\"," AUD "," TIME, 999900, 1000360},
        {"said to be an ID token", SUB "," AUD "," TIME ",\"typ\":\"ID\"", 999900,
            1000360},
        {"said so in another way", SUB "," AUD "," TIME ",\"token_use\":\"id\"", 999900,
            1000360},
        {"more claims", SUB "," AUD "," TIME ",\"email\":1,\"nonce\":null", 999900,
            1000360},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct provider_identity who;
        const char *reason;

        if (check(cases[i].claims, &who, &reason) != MAUTH_OK || reason)
            fail_msg("%s: %s", cases[i].name, reason ? reason : "(no reason)");
        if (who.issued_s != cases[i].issued_s || who.too_old_s != cases[i].too_old_s)
            fail_msg(
                "%s: %d, %d", cases[i].name, (int)who.issued_s, (int)who.too_old_s);
        assert_true(who.subject[0] == 'a');
    }
}

static void
refuses(void **state)
{
    static const struct {
        const char *name, *claims, *reason;
        enum mauth_rc rc;
    } cases[] = {
        {"no sub", AUD "," TIME, "token-claims", MAUTH_MALFORMED},
        {"sub empty", "\"sub\":\"\"," AUD "," TIME, "token-claims", MAUTH_MALFORMED},
        {"sub a number", "\"sub\":1," AUD "," TIME, "token-claims", MAUTH_MALFORMED},
        {"sub of 256", "\"sub\":\"" A255 "a\"," AUD "," TIME, "token-claims",
            MAUTH_MALFORMED},
        {"sub not ASCII",
            "\"sub\":\"\xc3\xa1"
            "lice\"," AUD "," TIME,
            "token-claims", MAUTH_MALFORMED},
        {"sub with a newline", "\"sub\":\"a\\nb\"," AUD "," TIME, "token-claims",
            MAUTH_MALFORMED},
        {"sub with DEL", "\"sub\":\"a\\u007f\"," AUD "," TIME, "token-claims",
            MAUTH_MALFORMED},
        {"a logout token", SUB "," AUD "," TIME ",\"events\":{}", "token-claims",
            MAUTH_MALFORMED},
        {"an access token", SUB "," AUD "," TIME ",\"typ\":\"Bearer\"", "token-claims",
            MAUTH_MALFORMED},
        {"a type that is no text", SUB "," AUD "," TIME ",\"typ\":null", "token-claims",
            MAUTH_MALFORMED},
        {"a token for access", SUB "," AUD "," TIME ",\"token_use\":\"access\"",
            "token-claims", MAUTH_MALFORMED},
        {"no aud", SUB "," TIME, "token-claims", MAUTH_MALFORMED},
        {"aud a number", SUB ",\"aud\":1," TIME, "token-claims", MAUTH_MALFORMED},
        {"aud an object", SUB ",\"aud\":{\"meshauth\":1}," TIME, "token-claims",
            MAUTH_MALFORMED},
        {"aud a list with a number", SUB ",\"aud\":[\"meshauth\",1]," TIME,
            "token-claims", MAUTH_MALFORMED},
        {"aud an empty list", SUB ",\"aud\":[]," TIME, "token-audience", MAUTH_DENIED},
        {"aud empty", SUB ",\"aud\":\"\"," TIME, "token-audience", MAUTH_DENIED},
        {"another client", SUB ",\"aud\":\"api\"," TIME, "token-audience",
            MAUTH_DENIED},
        {"others", SUB ",\"aud\":[\"api\",\"web\"]," TIME, "token-audience",
            MAUTH_DENIED},
        {"a longer name", SUB ",\"aud\":\"meshauth2\"," TIME, "token-audience",
            MAUTH_DENIED},
        {"capitals", SUB ",\"aud\":\"Meshauth\"," TIME, "token-audience", MAUTH_DENIED},
        {"another, azp ours", SUB ",\"aud\":\"api\",\"azp\":\"meshauth\"," TIME,
            "token-audience", MAUTH_DENIED},
        {"ours and another, no azp", SUB ",\"aud\":[\"meshauth\",\"api\"]," TIME,
            "token-audience", MAUTH_DENIED},
        {"azp another", SUB "," AUD ",\"azp\":\"api\"," TIME, "token-party",
            MAUTH_DENIED},
        {"ours and another, azp another",
            SUB ",\"aud\":[\"meshauth\",\"api\"],\"azp\":\"api\"," TIME, "token-party",
            MAUTH_DENIED},
        {"azp empty", SUB "," AUD ",\"azp\":\"\"," TIME, "token-party", MAUTH_DENIED},
        {"azp a list", SUB "," AUD ",\"azp\":[\"meshauth\"]," TIME, "token-claims",
            MAUTH_MALFORMED},
        {"azp null", SUB "," AUD ",\"azp\":null," TIME, "token-claims",
            MAUTH_MALFORMED},
        {"no exp", SUB "," AUD ",\"iat\":999900", "token-claims", MAUTH_MALFORMED},
        {"exp text", SUB "," AUD ",\"exp\":\"1000300\",\"iat\":999900", "token-claims",
            MAUTH_MALFORMED},
        {"exp negative", SUB "," AUD ",\"exp\":-1,\"iat\":999900", "token-claims",
            MAUTH_MALFORMED},
        {"exp beyond all time", SUB "," AUD ",\"exp\":1e300,\"iat\":999900",
            "token-claims", MAUTH_MALFORMED},
        {"exp the largest integer",
            SUB "," AUD ",\"exp\":9223372036854775807,\"iat\":999900", "token-claims",
            MAUTH_MALFORMED},
        {"no iat", SUB "," AUD ",\"exp\":1000300", "token-claims", MAUTH_MALFORMED},
        {"iat true", SUB "," AUD ",\"exp\":1000300,\"iat\":true", "token-claims",
            MAUTH_MALFORMED},
        {"iat the largest integer",
            SUB "," AUD ",\"exp\":1000300,\"iat\":9223372036854775807", "token-claims",
            MAUTH_MALFORMED},
        {"nbf text", SUB "," AUD "," TIME ",\"nbf\":\"0\"", "token-claims",
            MAUTH_MALFORMED},
        {"expired", SUB "," AUD ",\"exp\":999940,\"iat\":999900", "token-expired",
            MAUTH_EXPIRED},
        {"expired long ago", SUB "," AUD ",\"exp\":0,\"iat\":0", "token-expired",
            MAUTH_EXPIRED},
        {"nbf ahead", SUB "," AUD "," TIME ",\"nbf\":1000061", "token-not-yet",
            MAUTH_EXPIRED},
        {"iat ahead", SUB "," AUD ",\"exp\":1000300,\"iat\":1000061", "token-not-yet",
            MAUTH_EXPIRED},
        {"too old", SUB "," AUD ",\"exp\":1000300,\"iat\":999340", "token-age",
            MAUTH_EXPIRED},
        {"issued in 1970", SUB "," AUD ",\"exp\":1000300,\"iat\":0", "token-age",
            MAUTH_EXPIRED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct provider_identity who;
        const char *reason;
        enum mauth_rc rc = check(cases[i].claims, &who, &reason);

        if (rc != cases[i].rc || !reason || strcmp(reason, cases[i].reason) != 0)
            fail_msg("%s: %s, %s", cases[i].name, mauth_rc_name(rc),
                reason ? reason : "(no reason)");
    }
}

static void
believes_an_email_of_its_domains(void **state)
{
    static const struct {
        const char *claims, *email;
    } cases[] = {
        {"\"email\":\"a@example.org\",\"email_verified\":true", "a@example.org"},
        {"\"email\":\"A@EXAMPLE.net\",\"email_verified\":true", "A@EXAMPLE.net"},
        {"\"email\":\"a@example.org\"", ""},
        {"\"email\":\"a@example.org\",\"email_verified\":false", ""},
        {"\"email\":\"a@example.org\",\"email_verified\":\"true\"", ""},
        {"\"email\":\"a@other.org\",\"email_verified\":true", ""},
        {"\"email\":\"a@sub.example.org\",\"email_verified\":true", ""},
        {"\"email\":\"a@example.org@evil.org\",\"email_verified\":true", ""},
        {"\"email\":\"example.org\",\"email_verified\":true", ""},
        {"\"email\":7,\"email_verified\":true", ""},
        {"\"email\":\"" A255 "@example.org\",\"email_verified\":true", ""},
    };
    struct provider_identity who;
    const char *reason;
    char text[1024];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(text, sizeof(text), SUB "," AUD "," TIME ",%s", cases[i].claims);
        assert_int_equal(check(text, &who, &reason), MAUTH_OK);
        assert_string_equal(who.email, cases[i].email);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes),
        cmocka_unit_test(believes_an_email_of_its_domains),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
