#include <jansson.h>

#include "base/str.h"
#include "jose/jwk.h"
#include "jose/jwks.h"
#include "tests/unit/golden.h"

/* The numbers of the golden keys. */
#define X "wA7-JC4hnmKs4vss_9qxcnWgb3c6md-FJgeJw4_JRFs"
#define Y "8sEg7VMr3zPrFFwsEsofKTwsei_i5iRPacL_ezMywWQ"
#define N                                                                              \
    "uE6XXoOm0KQKm8wfBtD6Xy3qA5MMOdOWwse9hbOMPQB0yVnV5dmshrw9xOH0lr1lQjQ8yWBcOaXUtK37" \
    "z-g3zFFwGRc3Mabbqh5i2Op9E2sxy-WfKZrEdU49lTkxbXNyk9dUhe7h_mzHfNhqrqiRN2hSOnsQ3BmT" \
    "v6h5TT1hv_w2HNx3CW0HhiXsbcws216xopGmCXrw9TCMUPBRV1GuooAs6whnTQswNpAK5xctRrK--3F8" \
    "Se4-5krMTThYhRBxVm-ilTU0iQEnCkCaVj40cVLZuC1XejWsUUXm2VHG-Hd0dsuBLy7iPujgMV8JOmUO" \
    "XbYWodew8Kp9FY1PImmePw"

#define SET(keys) "{\"keys\":[" keys "]}"
#define EC_(x, y) "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" x "\",\"y\":\"" y "\""
#define EC        EC_(X, Y)
#define RSA_(n)   "\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" n "\""
#define RSA       RSA_(N)
#define A43       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" /* 32 zero bytes */
#define B64_64    "ubububububububububububububububububububububububububububububububu9"
#define B64_256   B64_64 B64_64 B64_64 B64_64

static enum mauth_rc
parse(const char *json, struct jwks **out)
{
    return jwks_parse(text_of(json), out, NULL);
}

static const struct {
    const char *name, *json;
    size_t count;
} taken[] = {
    {"no keys", SET(""), 0},
    {"others beside \"keys\"", "{\"next\":1,\"keys\":[]}", 0},
    {"a bare P-256 key", SET("{" EC "}"), 1},
    {"a bare RSA key", SET("{" RSA "}"), 1},
    {"both, with names",
        SET("{" EC ",\"kid\":\"a\",\"use\":\"sig\",\"alg\":\"ES256\"},{" RSA
            ",\"kid\":\"b\",\"key_ops\":[\"sign\",\"verify\"],\"alg\":\"RS256\"}"),
        2},
    {"two without a name", SET("{" EC "},{" EC "}"), 2},
    {"unknown members", SET("{" EC ",\"x5c\":[\"MII\"],\"exp\":1}"), 1},
    {"for encryption", SET("{" RSA ",\"use\":\"enc\"}"), 0},
    {"for wrapping", SET("{" RSA ",\"key_ops\":[\"wrapKey\"]}"), 0},
    {"RSA for PS256", SET("{" RSA ",\"alg\":\"PS256\"}"), 0},
    {"RSA for ES256", SET("{" RSA ",\"alg\":\"ES256\"}"), 0},
    {"EC for RS256", SET("{" EC ",\"alg\":\"RS256\"}"), 0},
    {"EC for none", SET("{" EC ",\"alg\":\"none\"}"), 0},
    {"P-384", SET("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}"), 0},
    {"Ed25519", SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" A43 "\"}"), 0},
    {"a kind to come", SET("{\"kty\":\"ZKP\",\"kid\":\"z\"}"), 0},
    {"RSA of 512 bits", SET("{" RSA_(B64_64) "}"), 0},
    {"RSA of 6144 bits", SET("{" RSA_(B64_256 B64_256 B64_256 B64_256) "}"), 0},
    {"an even modulus", SET("{" RSA_(N "AA") "}"), 0},
    {"an even exponent", SET("{\"kty\":\"RSA\",\"e\":\"AQAA\",\"n\":\"" N "\"}"), 0},
    {"the exponent 1", SET("{\"kty\":\"RSA\",\"e\":\"AQ\",\"n\":\"" N "\"}"), 0},
    {"the exponent 3", SET("{\"kty\":\"RSA\",\"e\":\"Aw\",\"n\":\"" N "\"}"), 0},
    {"a long exponent", SET("{\"kty\":\"RSA\",\"e\":\"AQAAAAAB\",\"n\":\"" N "\"}"), 0},
    {"useless beside useful", SET("{\"kty\":\"OKP\",\"kid\":\"o\"},{" EC "}"), 1},
};

static const struct {
    const char *name, *json;
} refused[] = {
    {"nothing", ""},
    {"not JSON", "keys"},
    {"cut short", "{\"keys\":[{" EC "}]"},
    {"something behind", SET("{" EC "}") "x"},
    {"an array", "[]"},
    {"no \"keys\"", "{}"},
    {"\"keys\" an object", "{\"keys\":{}}"},
    {"\"keys\" twice", "{\"keys\":[],\"keys\":[]}"},
    {"a member twice", SET("{" EC ",\"y\":\"" Y "\"}")},
    {"a key that is text", SET("\"key\"")},
    {"no type", SET("{\"kid\":\"a\"}")},
    {"type a number", SET("{\"kty\":1}")},
    {"kid a number", SET("{" EC ",\"kid\":1}")},
    {"kid null", SET("{" EC ",\"kid\":null}")},
    {"kid with NUL", SET("{" EC ",\"kid\":\"a\\u0000b\"}")},
    {"kid of 257 bytes", SET("{" EC ",\"kid\":\"" B64_256 "x\"}")},
    {"alg a number", SET("{" EC ",\"alg\":256}")},
    {"use a list", SET("{" EC ",\"use\":[\"sig\"]}")},
    {"key_ops text", SET("{" EC ",\"key_ops\":\"verify\"}")},
    {"key_ops of numbers", SET("{" EC ",\"key_ops\":[1]}")},
    {"one kid twice", SET("{" EC ",\"kid\":\"a\"},{" RSA ",\"kid\":\"a\"}")},
    {"one kid twice, one of no use",
        SET("{" EC ",\"kid\":\"a\"},{" RSA ",\"kid\":\"a\",\"use\":\"enc\"}")},
    {"private EC", SET("{" EC ",\"d\":\"" X "\"}")},
    {"private RSA", SET("{" RSA ",\"d\":\"" N "\"}")},
    {"a prime", SET("{" RSA ",\"p\":\"" X "\"}")},
    {"a coefficient", SET("{" RSA ",\"qi\":\"" X "\"}")},
    {"other primes", SET("{" RSA ",\"oth\":[]}")},
    {"a symmetric key", SET("{" EC "},{\"kty\":\"oct\",\"k\":\"" X "\"}")},
    {"private of a kind to come", SET("{\"kty\":\"AKP\",\"priv\":\"AA\"}")},
    {"EC without a curve", SET("{\"kty\":\"EC\",\"x\":\"" X "\",\"y\":\"" Y "\"}")},
    {"EC without x", SET("{\"kty\":\"EC\",\"crv\":\"P-256\",\"y\":\"" Y "\"}")},
    {"EC without y", SET("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\"}")},
    {"off the curve", SET("{" EC_(X, X) "}")},
    {"the point at zero", SET("{" EC_(A43, A43) "}")},
    {"x of 31 bytes",
        SET("{" EC_("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Y) "}")},
    {"x of 33 bytes",
        SET("{" EC_("AA7-JC4hnmKs4vss_9qxcnWgb3c6md-FJgeJw4_JRFs_", Y) "}")},
    {"x with padding", SET("{" EC_(X "=", Y) "}")},
    {"x with standard digits",
        SET("{" EC_("wA7+JC4hnmKs4vss/9qxcnWgb3c6md+FJgeJw4/JRFs", Y) "}")},
    {"x with a space", SET("{" EC_(" " X, Y) "}")},
    {"RSA without n", SET("{\"kty\":\"RSA\",\"e\":\"AQAB\"}")},
    {"RSA without e", SET("{\"kty\":\"RSA\",\"n\":\"" N "\"}")},
    {"n with zeros in front", SET("{" RSA_("AAAA" N) "}")},
    {"n not base64url", SET("{" RSA_("*" N) "}")},
};

static void
takes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(taken); i++) {
        struct jwks *s = NULL;

        if (parse(taken[i].json, &s) != MAUTH_OK)
            fail_msg("refused: %s", taken[i].name);
        if (jwks_count(s) != taken[i].count)
            fail_msg("%zu keys: %s", jwks_count(s), taken[i].name);
        jwks_free(s);
    }
}

static void
refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        struct jwks *s = (struct jwks *)&err;
        enum mauth_rc rc = jwks_parse(text_of(refused[i].json), &s, &err);

        if (rc != MAUTH_MALFORMED || s || err.rc != rc)
            fail_msg("%s: %s", refused[i].name, mauth_rc_name(rc));
    }
}

static void
refuses_too_much(void **state)
{
    struct jwks *s = NULL;
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_str(&b, "{\"keys\":[{" EC "}");
    for (int i = 1; i < JWKS_KEYS; i++)
        buf_str(&b, ",{" EC "}");
    buf_str(&b, "]}");
    assert_int_equal(parse(buf_cstr(&b), &s), MAUTH_OK);
    assert_int_equal(jwks_count(s), JWKS_KEYS);
    jwks_free(s);
    b.len -= 2;
    buf_str(&b, ",{\"kty\":\"OKP\"}]}");
    assert_int_equal(parse(buf_cstr(&b), &s), MAUTH_TOO_LARGE);
    assert_null(s);
    buf_rewind(&b);
    buf_str(&b, SET(""));
    while (b.len <= JWKS_MAX)
        buf_str(&b, "    ");
    assert_int_equal(parse(buf_cstr(&b), &s), MAUTH_TOO_LARGE);
    assert_null(s);
    b.len = JWKS_MAX;
    assert_int_equal(parse(buf_cstr(&b), &s), MAUTH_OK);
    jwks_free(s);
    buf_clear(&b);
}

/* From the private half, the public half and the numbers known beforehand: one text. */
static void
writes_the_public_half(void **state)
{
    static const struct {
        const char *pem, *json;
    } cases[] = {
        {"signing-p256", "{\"keys\":[{\"alg\":\"ES256\",\"crv\":\"P-256\",\"kid\":\"k"
                         "\\\"1\",\"kty\":\"EC\",\"use\":\"sig\",\"x\":\"" X
                         "\",\"y\":\"" Y "\"}]}"},
        {"signing-rsa2048",
            "{\"keys\":[{\"alg\":\"RS256\",\"e\":\"AQAB\",\"kid\":\"k\\\""
            "1\",\"kty\":\"RSA\",\"n\":\"" N "\",\"use\":\"sig\"}]}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        static const char *const halves[] = {".pem", ".pub.pem"};

        for (size_t k = 0; k < COUNT(halves); k++) {
            char *pem = golden_file(cases[i].pem, halves[k], NULL), *json = NULL;
            struct jwks *s = NULL;

            assert_int_equal(jwks_from_pem(pem, "k\"1", &json, NULL), MAUTH_OK);
            assert_string_equal(json, cases[i].json);
            assert_int_equal(parse(json, &s), MAUTH_OK);
            assert_int_equal(jwks_count(s), 1);
            jwks_free(s);
            free(json);
            free(pem);
        }
    }
}

/* RFC 7638 3.1, RFC 9449 6.1. */
static void
has_thumbprints(void **state)
{
    static const struct {
        const char *json, *thumbprint;
    } cases[] = {
        {SET("{"
             "\"kty\":\"RSA\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\",\"e\":\"AQAB\","
             "\"n\":"
             "\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7a"
             "PFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-"
             "5JsGY4Hc5n9yBXArwl93"
             "lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
             "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHz"
             "u6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"
             "bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksI"
             "NHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\"}"),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
        {SET("{" EC_("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
             "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA") "}"),
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char thumbprint[JWKS_THUMBPRINT + 1];
        struct mauth_key *key = NULL;
        struct jwks *s = NULL;
        const struct buf *spki;

        assert_int_equal(parse(cases[i].json, &s), MAUTH_OK);
        spki = &jwks_at(s, 0)->spki;
        assert_int_equal(
            mauth_key_from_spki(spki->data, spki->len, &key, NULL), MAUTH_OK);
        assert_int_equal(jwks_thumbprint(key, thumbprint, NULL), MAUTH_OK);
        assert_string_equal(thumbprint, cases[i].thumbprint);
        mauth_key_free(key);
        jwks_free(s);
    }
}

static void
writes_nothing_of_other_keys(void **state)
{
    static const char *const pems[] = {"", "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n"
         "-----END ENCRYPTED PRIVATE KEY-----\n")};
    char *ed25519 = golden_file("root", ".pem", NULL), *json = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(pems); i++) {
        assert_int_equal(jwks_from_pem(pems[i], "k", &json, NULL), MAUTH_MALFORMED);
        assert_null(json);
    }
    assert_int_equal(jwks_from_pem(ed25519, "k", &json, NULL), MAUTH_MALFORMED);
    assert_null(json);
    free(ed25519);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes),
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_too_much),
        cmocka_unit_test(writes_the_public_half),
        cmocka_unit_test(has_thumbprints),
        cmocka_unit_test(writes_nothing_of_other_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
