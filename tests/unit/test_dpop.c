#include "base/hash.h"
#include "tests/unit/token.h"
#include <meshauth/dpop.h>

#define URL        "https://storage.example/files/a"
#define CREDENTIAL "PHNhbWw6~AAAA"
#define NOW        1795341900

enum {
    NAMES = 1000
};

static _Alignas(64) char memory[1 << 16];
static struct mauth_replay *replay;
static char ath[44];
static struct signer *ec, *rsa;
static char *ec_jwk, *rsa_jwk;

/* The public half of a signer as a JSON Web Key. */
static char *
jwk_of(const struct signer *s)
{
    char *out = NULL;
    struct buf b;
    size_t len;
    const uint8_t *spki = mauth_key_spki(signer_key(s), &len);

    buf_init(&b);
    if (len == 91) {
        buf_str(&b, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"");
        token_put(&b, spki + 27, 32);
        buf_str(&b, "\",\"y\":\"");
        token_put(&b, spki + 59, 32);
        buf_str(&b, "\"}");
    } else { /* of 2048 bits and the exponent 65537: where they lie is known */
        buf_str(&b, "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"");
        token_put(&b, spki + len - 5 - 256, 256);
        buf_str(&b, "\"}");
    }
    out = buf_detach(&b, &len);
    assert_non_null(out);
    return out;
}

static int
set_up(void **state)
{
    uint8_t hash[HASH_LEN];

    (void)state;
    ec = golden_signer("p256");
    rsa = golden_signer("rsa2048");
    ec_jwk = jwk_of(ec);
    rsa_jwk = jwk_of(rsa);
    assert_int_equal(hash_bytes(CREDENTIAL, strlen(CREDENTIAL), hash, NULL), MAUTH_OK);
    ath[b64_encode(B64_URL, hash, HASH_LEN, ath)] = '\0';
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    signer_free(ec);
    signer_free(rsa);
    free(ec_jwk);
    free(rsa_jwk);
    return 0;
}

static struct mauth_dpop_want
wanted(void)
{
    struct mauth_dpop_want want = {.size = sizeof(want),
        .method = "GET",
        .url = URL,
        .credential = CREDENTIAL,
        .credential_len = strlen(CREDENTIAL),
        .now_s = NOW,
        .replay = replay};

    return want;
}

static void
forget(void)
{
    assert_int_equal(
        mauth_replay_init(memory, mauth_replay_bytes(NAMES), &replay, NULL), MAUTH_OK);
}

/* JWK and ATH stand for this run's; $K for the key, $A for the credential's hash. */
static char *
fill_in(const char *pattern, const char *jwk)
{
    struct buf b;
    size_t len;
    char *out;

    buf_init(&b);
    for (; *pattern; pattern++) {
        if (strncmp(pattern, "$K", 2) == 0)
            buf_str(&b, jwk);
        else if (strncmp(pattern, "$A", 2) == 0)
            buf_str(&b, ath);
        else
            buf_put(&b, pattern, 1);
        pattern += *pattern == '$';
    }
    out = buf_detach(&b, &len);
    assert_non_null(out);
    return out;
}

static enum mauth_rc
check(const char *proof, const struct mauth_dpop_want *want, const struct signer *s)
{
    struct mauth_key *key = NULL;
    enum mauth_rc rc = mauth_dpop_check(proof, strlen(proof), want, &key, NULL);

    assert_int_equal(rc == MAUTH_OK, key != NULL);
    if (key)
        assert_string_equal(mauth_key_id(key), mauth_key_id(signer_key(s)));
    mauth_key_free(key);
    return rc;
}

static enum mauth_rc
try(const char *header, const char *claims, const struct signer *s, const char *jwk)
{
    struct mauth_dpop_want want = wanted();
    char *h = fill_in(header, jwk), *c = fill_in(claims, jwk);
    char *proof = token_make(h, c, s);
    enum mauth_rc rc = check(proof, &want, s);

    free(proof);
    free(h);
    free(c);
    return rc;
}

#define ES     "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":$K}"
#define RS     "{\"typ\":\"dpop+jwt\",\"alg\":\"RS256\",\"jwk\":$K}"
#define TARGET "\"htm\":\"GET\",\"htu\":\"" URL "\","
#define REST   "\"jti\":\"a\",\"iat\":1795341900,\"ath\":\"$A\"}"
#define GOOD   "{" TARGET REST

static void
test_takes(void **state)
{
    (void)state;
    forget();
    assert_int_equal(try(ES, GOOD, ec, ec_jwk), MAUTH_OK);
    assert_int_equal(try(RS, GOOD, rsa, rsa_jwk), MAUTH_OK); /* its own jti */
    assert_int_equal(try(ES, GOOD, ec, ec_jwk), MAUTH_CONFLICT);
    assert_int_equal(
        try("{\"typ\":\"application/dpop+jwt\",\"alg\":\"ES256\",\"jwk\":"
            "$K,\"kid\":\"x\"}",
            "{\"jti\":\"b\",\"iat\":1795341840," TARGET "\"ath\":\"$A\",\"foo\":1}", ec,
            ec_jwk),
        MAUTH_OK);
}

static const struct {
    const char *name, *header, *claims;
    enum mauth_rc rc;
} refusals[] = {
    {"no type", "{\"alg\":\"ES256\",\"jwk\":$K}", GOOD, MAUTH_MALFORMED},
    {"type JWT", "{\"typ\":\"JWT\",\"alg\":\"ES256\",\"jwk\":$K}", GOOD,
        MAUTH_MALFORMED},
    {"alg none", "{\"typ\":\"dpop+jwt\",\"alg\":\"none\",\"jwk\":$K}", GOOD,
        MAUTH_MALFORMED},
    {"alg HS256", "{\"typ\":\"dpop+jwt\",\"alg\":\"HS256\",\"jwk\":$K}", GOOD,
        MAUTH_MALFORMED},
    {"alg of another key", RS, GOOD, MAUTH_MALFORMED},
    {"no key", "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\"}", GOOD, MAUTH_MALFORMED},
    {"key of no kind", "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":{}}", GOOD,
        MAUTH_MALFORMED},
    {"symmetric key",
        "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"}"
        "}",
        GOOD, MAUTH_MALFORMED},
    {"private key",
        "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-"
        "256\","
        "\"x\":\"AA\",\"y\":\"AA\",\"d\":\"AA\"}}",
        GOOD, MAUTH_MALFORMED},
    {"key for encryption",
        "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"use\":"
        "\"enc\"}}",
        GOOD, MAUTH_MALFORMED},
    {"crit", "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":$K,\"crit\":[\"b64\"]}",
        GOOD, MAUTH_MALFORMED},
    {"jku",
        "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":$K,\"jku\":\"https://x/\"}",
        GOOD, MAUTH_MALFORMED},
    {"x5c", "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":$K,\"x5c\":[\"AA\"]}",
        GOOD, MAUTH_MALFORMED},
    {"two keys", "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":$K,\"jwk\":$K}", GOOD,
        MAUTH_MALFORMED},
    {"no method", ES, "{\"htu\":\"" URL "\"," REST, MAUTH_MALFORMED},
    {"another method", ES, "{\"htm\":\"POST\",\"htu\":\"" URL "\"," REST, MAUTH_DENIED},
    {"method in another case", ES, "{\"htm\":\"get\",\"htu\":\"" URL "\"," REST,
        MAUTH_DENIED},
    {"method is a number", ES, "{\"htm\":1,\"htu\":\"" URL "\"," REST, MAUTH_MALFORMED},
    {"no URL", ES, "{\"htm\":\"GET\"," REST, MAUTH_MALFORMED},
    {"another URL", ES, "{\"htm\":\"GET\",\"htu\":\"" URL "b\"," REST, MAUTH_DENIED},
    {"URL with a query", ES, "{\"htm\":\"GET\",\"htu\":\"" URL "?x\"," REST,
        MAUTH_DENIED},
    {"URL and a NUL", ES, "{\"htm\":\"GET\",\"htu\":\"" URL "\\u0000\"," REST,
        MAUTH_MALFORMED},
    {"no credential", ES, "{" TARGET "\"jti\":\"c\",\"iat\":1795341900}",
        MAUTH_MALFORMED},
    {"another credential", ES,
        "{" TARGET "\"jti\":\"c\",\"iat\":1795341900,\"ath\":\"AAAA\"}", MAUTH_DENIED},
    {"no name", ES, "{" TARGET "\"iat\":1795341900,\"ath\":\"$A\"}", MAUTH_MALFORMED},
    {"empty name", ES, "{" TARGET "\"jti\":\"\",\"iat\":1795341900,\"ath\":\"$A\"}",
        MAUTH_MALFORMED},
    {"no time", ES, "{" TARGET "\"jti\":\"c\",\"ath\":\"$A\"}", MAUTH_MALFORMED},
    {"time is a string", ES,
        "{" TARGET "\"jti\":\"c\",\"iat\":\"1795341900\",\"ath\":\"$A\"}",
        MAUTH_MALFORMED},
    {"too old", ES, "{" TARGET "\"jti\":\"c\",\"iat\":1795341839,\"ath\":\"$A\"}",
        MAUTH_EXPIRED},
    {"from the future", ES,
        "{" TARGET "\"jti\":\"c\",\"iat\":1795341961,\"ath\":\"$A\"}", MAUTH_EXPIRED},
    {"claims are a list", ES, "[]", MAUTH_MALFORMED},
    {"two methods", ES, "{\"htm\":\"GET\"," TARGET REST, MAUTH_MALFORMED},
};

static void
test_refuses(void **state)
{
    (void)state;
    forget();
    for (size_t i = 0; i < COUNT(refusals); i++)
        if (try(refusals[i].header, refusals[i].claims, ec, ec_jwk) != refusals[i].rc)
            fail_msg("%s", refusals[i].name);
    /* None of them took a name: */
    assert_int_equal(try(ES, GOOD, ec, ec_jwk), MAUTH_OK);
    /* signed by another key than the one it shows */
    assert_int_equal(try(RS, GOOD, ec, rsa_jwk), MAUTH_UNTRUSTED);
}

static void
test_every_byte_counts(void **state)
{
    struct mauth_dpop_want want;
    char *h = fill_in(ES, ec_jwk), *c = fill_in(GOOD, ec_jwk);
    char *proof = token_make(h, c, ec);

    (void)state;
    forget();
    want = wanted();
    for (size_t i = 0; proof[i]; i++) {
        char kept = proof[i];

        proof[i] = kept == 'A' ? 'B' : 'A';
        assert_true(check(proof, &want, ec) != MAUTH_OK);
        proof[i] = kept;
    }
    for (size_t len = strlen(proof); len-- > 0;) {
        struct mauth_key *key;

        assert_true(mauth_dpop_check(proof, len, &want, &key, NULL) != MAUTH_OK);
        assert_null(key);
    }
    assert_int_equal(check(proof, &want, ec), MAUTH_OK);
    free(proof);
    free(h);
    free(c);
}

static void
test_nonce(void **state)
{
    char *h = fill_in(ES, ec_jwk), *c = fill_in(GOOD, ec_jwk);
    char *without = token_make(h, c, ec), *with;
    struct mauth_dpop_want want;

    (void)state;
    forget();
    want = wanted();
    free(c);
    c = fill_in("{\"nonce\":\"n1\"," TARGET REST, ec_jwk);
    with = token_make(h, c, ec);
    want.nonce = "n1";
    assert_int_equal(check(without, &want, ec), MAUTH_EXPIRED);
    want.nonce = "n2";
    assert_int_equal(check(with, &want, ec), MAUTH_EXPIRED);
    want.older_nonce = "n0";
    assert_int_equal(check(with, &want, ec), MAUTH_EXPIRED);
    want.older_nonce = "n1";
    assert_int_equal(check(with, &want, ec), MAUTH_OK);
    want.nonce = "n1";
    want.older_nonce = NULL;
    assert_int_equal(check(with, &want, ec), MAUTH_CONFLICT);
    free(without);
    free(with);
    free(h);
    free(c);
}

/* At the token endpoint there is no credential yet. */
static void
test_wants(void **state)
{
    char *h = fill_in(ES, ec_jwk);
    char *proof = token_make(h, "{" TARGET "\"jti\":\"a\",\"iat\":1795341900}", ec);
    struct mauth_dpop_want want;

    (void)state;
    forget();
    want = wanted();
    want.credential = NULL;
    assert_int_equal(check(proof, &want, ec), MAUTH_INVALID);
    want.credential_len = 0;
    want.window_s = 301;
    assert_int_equal(check(proof, &want, ec), MAUTH_INVALID);
    want.window_s = 0;
    want.replay = NULL;
    assert_int_equal(check(proof, &want, ec), MAUTH_INVALID);
    want.replay = replay;
    want.size--;
    assert_int_equal(check(proof, &want, ec), MAUTH_INVALID);
    want.size++;
    assert_int_equal(check(proof, &want, ec), MAUTH_OK);
    free(proof);
    free(h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_every_byte_counts),
        cmocka_unit_test(test_nonce),
        cmocka_unit_test(test_wants),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
