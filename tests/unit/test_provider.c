#include <unistd.h>

#include <openssl/bn.h>

#include "base/file.h"
#include "base/hash.h"
#include "tests/unit/providers.h"

static char *old_set;

static int
set_up(void **state)
{
    (void)state;
    buf_init(&logged);
    old_set = set_named("old");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    free(old_set);
    buf_clear(&logged);
    return 0;
}

/* A provider whose keys are in a file. */
static struct providers *
open_file(struct config *config, const char *set, char path[64], enum mauth_rc want)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct providers *p = NULL;
    int fd;

    strcpy(path, "/tmp/mauth-keys-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_replace(path, set, strlen(set), 0600, NULL), MAUTH_OK);
    memset(config, 0, sizeof(*config));
    config->providers = 1;
    config->provider[0] = (struct config_provider){
        .name = "demo",
        .issuer = "https://idp.example",
        .client_id = {"meshauth"},
        .client_ids = 1,
        .jwks_file = path,
        .max_age_s = 600,
    };
    assert_int_equal(providers_open(config, &p, &err), want);
    assert_int_equal(err.rc, want);
    assert_int_equal(unlink(path), 0); /* it was read once, for good */
    assert_int_equal(p != NULL, want == MAUTH_OK);
    return p;
}

static void
reads_keys_from_a_file(void **state)
{
    struct config config;
    char path[64], *token = token_of("https://idp.example", "old");
    char *unknown = token_of("https://idp.example", "new");
    struct providers *p = open_file(&config, old_set, path, MAUTH_OK);
    struct provider_identity who;
    struct waiter *w = waiter_new();
    const char *reason;
    int64_t now_s = time_now_s();
    bool wait = true;

    (void)state;
    assert_int_equal(
        providers_check(p, text_of(token), now_s, &who, &reason, &wait, NULL),
        MAUTH_OK);
    assert_ptr_equal(who.provider, &config.provider[0]);
    assert_string_equal(who.subject, "alice");
    assert_in_range(who.issued_s, now_s - 5, now_s);
    assert_int_equal(who.too_old_s, who.issued_s + 360);
    assert_string_equal(check(p, unknown, &wait), "token-key");
    assert_false(wait);
    providers_fetch(p, text_of(unknown), call, w);
    assert_int_equal(calls(w), 1);
    providers_close(p);
    waiter_free(w);
    free(token);
    free(unknown);
}

static void
opens_no_file_without_keys(void **state)
{
    static const char *const sets[] = {"", "{}", "{\"keys\":[]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}]}"};
    struct config config;
    struct providers *p;
    char path[64];

    (void)state;
    for (size_t i = 0; i < COUNT(sets); i++)
        open_file(&config, sets[i], path, MAUTH_MALFORMED);
    config.provider[0].jwks_file = "/nonexistent";
    assert_int_equal(providers_open(&config, &p, NULL), MAUTH_NOT_FOUND);
    assert_null(p);
    config.providers = 0;
    assert_int_equal(providers_open(&config, &p, NULL), MAUTH_OK);
    providers_close(p);
    providers_close(NULL);
}

#define CLAIMS(rest) "{\"iss\":\"https://idp.example\",\"sub\":\"alice\"" rest "}"
#define GOOD         CLAIMS(",\"aud\":\"meshauth\",\"iat\":1000,\"exp\":2000")

/* One case for each reason; jose's and the claims' own tests have the others. */
static void
refuses_by_reason(void **state)
{
    static const struct {
        const char *reason, *header, *claims;
        enum mauth_rc rc;
    } cases[] = {
        {"token-form", "{\"alg\":\"ES256\"}", "[]", MAUTH_MALFORMED},
        {"token-alg", "{\"alg\":\"none\"}", GOOD, MAUTH_MALFORMED},
        {"token-alg", "{\"alg\":\"RS256\",\"kid\":\"old\"}", GOOD, MAUTH_UNTRUSTED},
        {"token-header", "{\"alg\":\"ES256\",\"crit\":[]}", GOOD, MAUTH_MALFORMED},
        {"token-issuer", "{\"alg\":\"ES256\"}", "{}", MAUTH_UNTRUSTED},
        {"token-issuer", "{\"alg\":\"ES256\"}", "{\"iss\":\"https://idp.example/\"}",
            MAUTH_UNTRUSTED},
        {"token-key", "{\"alg\":\"ES256\",\"kid\":\"x\"}", GOOD, MAUTH_UNTRUSTED},
        {"token-claims", "{\"alg\":\"ES256\"}", CLAIMS(",\"aud\":\"meshauth\""),
            MAUTH_MALFORMED},
        {"token-audience", "{\"alg\":\"ES256\"}",
            CLAIMS(",\"aud\":\"x\",\"iat\":1000,\"exp\":2000"), MAUTH_DENIED},
        {"token-party", "{\"alg\":\"ES256\"}",
            CLAIMS(",\"aud\":\"meshauth\",\"azp\":\"x\",\"iat\":1000,\"exp\":2000"),
            MAUTH_DENIED},
        {"token-expired", "{\"alg\":\"ES256\"}",
            CLAIMS(",\"aud\":\"meshauth\",\"iat\":1000,\"exp\":1000"), MAUTH_EXPIRED},
        {"token-not-yet", "{\"alg\":\"ES256\"}",
            CLAIMS(",\"aud\":\"meshauth\",\"iat\":1900,\"exp\":2000"), MAUTH_EXPIRED},
        {"token-age", "{\"alg\":\"ES256\"}",
            CLAIMS(",\"aud\":\"meshauth\",\"iat\":100,\"exp\":2000"), MAUTH_EXPIRED},
    };
    struct config config;
    char path[64];
    struct providers *p = open_file(&config, old_set, path, MAUTH_OK);
    struct signer *signer = golden_signer("p256");

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *token = token_make(cases[i].header, cases[i].claims, signer);
        struct provider_identity who;
        const char *reason = "";
        bool wait = true;
        enum mauth_rc rc =
            providers_check(p, text_of(token), 1100, &who, &reason, &wait, NULL);

        if (rc != cases[i].rc || !reason || strcmp(reason, cases[i].reason) != 0)
            fail_msg("%s: %s, %s", cases[i].reason, mauth_rc_name(rc),
                reason ? reason : "(no reason)");
        assert_false(wait);
        assert_null(who.provider);
        free(token);
    }
    signer_free(signer);
    providers_close(p);
}

/* The same token with the other of the two ECDSA signatures that it then has. */
static char *
other_half(const char *token)
{
    const char *signature = strrchr(token, '.') + 1;
    BIGNUM *order = NULL, *s;
    struct buf b;
    uint8_t raw[64];
    size_t len;
    char *out;

    assert_true(
        b64_decode(B64_URL, signature, strlen(signature), raw, sizeof(raw), &len));
    assert_int_equal(len, 64);
    BN_hex2bn(
        &order, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
    s = BN_bin2bn(raw + 32, 32, NULL);
    assert_true(BN_sub(s, order, s));
    BN_bn2binpad(s, raw + 32, 32);
    BN_free(s);
    BN_free(order);
    buf_init(&b);
    buf_put(&b, token, (size_t)(signature - token));
    token_put(&b, raw, 64);
    out = buf_detach(&b, &len);
    assert_string_not_equal(out, token);
    return out;
}

static void
knows_a_token_by_what_is_signed(void **state)
{
    struct config config;
    char path[64];
    struct providers *p = open_file(&config, old_set, path, MAUTH_OK);
    struct signer *signer = golden_signer("p256");
    char *one = token_make("{\"alg\":\"ES256\"}", GOOD, signer);
    char *same = other_half(one);
    char *another = token_make("{\"alg\":\"ES256\",\"kid\":\"old\"}", GOOD, signer);
    const char *tokens[] = {one, same, another}, *reason;
    struct provider_identity who[3];
    uint8_t want[HASH_LEN];
    bool wait;

    (void)state;
    for (size_t i = 0; i < COUNT(tokens); i++)
        assert_int_equal(
            providers_check(p, text_of(tokens[i]), 1100, &who[i], &reason, &wait, NULL),
            MAUTH_OK);
    assert_memory_equal(who[0].token_hash, who[1].token_hash, 32);
    assert_memory_not_equal(who[0].token_hash, who[2].token_hash, 32);
    assert_int_equal(
        hash_bytes(one, (size_t)(strrchr(one, '.') - one), want, NULL), MAUTH_OK);
    assert_memory_equal(who[0].token_hash, want, 32);
    signer_free(signer);
    providers_close(p);
    free(one);
    free(same);
    free(another);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_keys_from_a_file),
        cmocka_unit_test(opens_no_file_without_keys),
        cmocka_unit_test(refuses_by_reason),
        cmocka_unit_test(knows_a_token_by_what_is_signed),
    };

    json_object_seed(0);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
