#include <unistd.h>

#include <openssl/bn.h>

#include "base/file.h"
#include "jose/jws.h"
#include "keys/der.h"
#include "tests/unit/token.h"

#define ES(rest) "{\"alg\":\"ES256\"" rest "}"
#define RS(rest) "{\"alg\":\"RS256\"" rest "}"
#define CLAIMS   "{\"iss\":\"https://idp.example\",\"sub\":\"alice\"}"

/* The golden keys, in sets: "ec", "rsa", both, and some without names. */
struct fixture {
    struct signer *ec, *rsa;
    struct jwks *both, *nameless, *twins;
};

static struct fixture fix;

static char *
set_of(const char *alg, const char *kid)
{
    char name[32], *pem, *json = NULL;

    snprintf(name, sizeof(name), "signing-%s", alg);
    pem = golden_file(name, ".pub.pem", NULL);
    assert_int_equal(jwks_from_pem(pem, kid, &json, NULL), MAUTH_OK);
    free(pem);
    return json;
}

/* One set out of two, each of one key. */
static struct jwks *
join(char *a, char *b)
{
    struct jwks *s = NULL;
    struct buf json;

    buf_init(&json);
    buf_put(&json, a, strlen(a) - 2);
    buf_str(&json, ",");
    buf_str(&json, b + strlen("{\"keys\":["));
    assert_int_equal(jwks_parse(text_of(buf_cstr(&json)), &s, NULL), MAUTH_OK);
    assert_int_equal(jwks_count(s), 2);
    buf_clear(&json);
    free(a);
    free(b);
    return s;
}

static int
set_up(void **state)
{
    (void)state;
    fix.ec = golden_signer("p256");
    fix.rsa = golden_signer("rsa2048");
    fix.both = join(set_of("p256", "ec"), set_of("rsa2048", "rsa"));
    fix.nameless = join(set_of("p256", NULL), set_of("rsa2048", NULL));
    fix.twins = join(set_of("p256", "one"), set_of("p256", "two"));
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    signer_free(fix.ec);
    signer_free(fix.rsa);
    jwks_free(fix.both);
    jwks_free(fix.nameless);
    jwks_free(fix.twins);
    return 0;
}

/* Parse and verify; the refusal, JWS_FINE when taken. Nothing may be left behind. */
static enum jws_refusal
check(const char *token, size_t len, const struct jwks *keys)
{
    enum jws_refusal why = JWS_SIGNATURE;
    struct mauth_err err = MAUTH_ERR_INIT;
    const json_t *claims = NULL;
    struct jws *j = NULL;
    enum mauth_rc rc;

    rc = jws_parse((struct text){token, len}, &j, &why, &err);
    assert_int_equal(rc == MAUTH_OK, why == JWS_FINE);
    assert_int_equal(rc == MAUTH_OK, j != NULL);
    if (rc == MAUTH_OK) {
        rc = jws_verify(j, keys, &claims, &why, &err);
        assert_int_equal(rc == MAUTH_OK, why == JWS_FINE);
        assert_int_equal(rc == MAUTH_OK, claims != NULL);
    }
    assert_int_equal(err.rc, rc);
    jws_free(j);
    return why;
}

static void
takes(void **state)
{
    static const struct {
        const char *name, *header;
        struct signer **signer;
        struct jwks **keys;
    } cases[] = {
        {"ES256 by name", ES(",\"kid\":\"ec\""), &fix.ec, &fix.both},
        {"RS256 by name", RS(",\"kid\":\"rsa\""), &fix.rsa, &fix.both},
        {"ES256, the only one", ES(""), &fix.ec, &fix.both},
        {"RS256, the only one", RS(""), &fix.rsa, &fix.nameless},
        {"one of two by name", ES(",\"kid\":\"two\""), &fix.ec, &fix.twins},
        {"typ JWT", ES(",\"typ\":\"JWT\""), &fix.ec, &fix.both},
        {"typ in full", ES(",\"typ\":\"application/jwt\""), &fix.ec, &fix.both},
        {"unknown members", ES(",\"x5t\":\"AA\",\"foo\":[1]"), &fix.ec, &fix.both},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *token = token_make(cases[i].header, CLAIMS, *cases[i].signer);

        if (check(token, strlen(token), *cases[i].keys) != JWS_FINE)
            fail_msg("refused: %s", cases[i].name);
        free(token);
    }
}

/* Each is signed by the key that a careless verifier would take. */
static void
refuses_headers_and_claims(void **state)
{
    static const struct {
        const char *name, *header, *claims;
        struct signer **signer;
        struct jwks **keys;
        enum jws_refusal why;
    } cases[] = {
        {"alg none", "{\"alg\":\"none\"}", CLAIMS, &fix.ec, &fix.both, JWS_ALG},
        {"alg None", "{\"alg\":\"None\"}", CLAIMS, &fix.ec, &fix.both, JWS_ALG},
        {"no alg", "{}", CLAIMS, &fix.ec, &fix.both, JWS_ALG},
        {"alg a number", "{\"alg\":256}", CLAIMS, &fix.ec, &fix.both, JWS_ALG},
        {"HS256", "{\"alg\":\"HS256\"}", CLAIMS, &fix.ec, &fix.both, JWS_ALG},
        {"PS256", "{\"alg\":\"PS256\",\"kid\":\"rsa\"}", CLAIMS, &fix.rsa, &fix.both,
            JWS_ALG},
        {"RS512", "{\"alg\":\"RS512\",\"kid\":\"rsa\"}", CLAIMS, &fix.rsa, &fix.both,
            JWS_ALG},
        {"ES384", "{\"alg\":\"ES384\",\"kid\":\"ec\"}", CLAIMS, &fix.ec, &fix.both,
            JWS_ALG},
        {"es256", "{\"alg\":\"es256\",\"kid\":\"ec\"}", CLAIMS, &fix.ec, &fix.both,
            JWS_ALG},
        {"RS256 for the EC key", RS(",\"kid\":\"ec\""), CLAIMS, &fix.ec, &fix.both,
            JWS_ALG},
        {"ES256 for the RSA key", ES(",\"kid\":\"rsa\""), CLAIMS, &fix.rsa, &fix.both,
            JWS_ALG},
        {"crit", ES(",\"crit\":[\"exp\"],\"exp\":1"), CLAIMS, &fix.ec, &fix.both,
            JWS_HEADER},
        {"crit empty", ES(",\"crit\":[]"), CLAIMS, &fix.ec, &fix.both, JWS_HEADER},
        {"jku", ES(",\"jku\":\"https://evil.example/jwks\""), CLAIMS, &fix.ec,
            &fix.both, JWS_HEADER},
        {"jwk", ES(",\"jwk\":{\"kty\":\"EC\"}"), CLAIMS, &fix.ec, &fix.both,
            JWS_HEADER},
        {"x5u", ES(",\"x5u\":\"https://evil.example/\""), CLAIMS, &fix.ec, &fix.both,
            JWS_HEADER},
        {"x5c", ES(",\"x5c\":[\"MII\"]"), CLAIMS, &fix.ec, &fix.both, JWS_HEADER},
        {"b64 false", ES(",\"b64\":false"), CLAIMS, &fix.ec, &fix.both, JWS_HEADER},
        {"b64 true", ES(",\"b64\":true"), CLAIMS, &fix.ec, &fix.both, JWS_HEADER},
        {"access token", ES(",\"typ\":\"at+jwt\""), CLAIMS, &fix.ec, &fix.both,
            JWS_HEADER},
        {"typ a number", ES(",\"typ\":1"), CLAIMS, &fix.ec, &fix.both, JWS_HEADER},
        {"kid a number", ES(",\"kid\":1"), CLAIMS, &fix.ec, &fix.both, JWS_HEADER},
        {"kid null", ES(",\"kid\":null"), CLAIMS, &fix.ec, &fix.both, JWS_HEADER},
        {"unknown kid", ES(",\"kid\":\"old\""), CLAIMS, &fix.ec, &fix.both, JWS_KEY},
        {"empty kid", ES(",\"kid\":\"\""), CLAIMS, &fix.ec, &fix.both, JWS_KEY},
        {"kid, keys without", ES(",\"kid\":\"ec\""), CLAIMS, &fix.ec, &fix.nameless,
            JWS_KEY},
        {"no kid, two fit", ES(""), CLAIMS, &fix.ec, &fix.twins, JWS_KEY},
        {"no kid, none fits", RS(""), CLAIMS, &fix.rsa, &fix.twins, JWS_KEY},
        {"another's signature", ES(",\"kid\":\"ec\""), CLAIMS, &fix.rsa, &fix.both,
            JWS_SIGNATURE},
        {"alg twice", "{\"alg\":\"ES256\",\"alg\":\"ES256\"}", CLAIMS, &fix.ec,
            &fix.both, JWS_FORM},
        {"kid twice", ES(",\"kid\":\"ec\",\"kid\":\"ec\""), CLAIMS, &fix.ec, &fix.both,
            JWS_FORM},
        {"claim twice", ES(""), "{\"sub\":\"a\",\"sub\":\"b\"}", &fix.ec, &fix.both,
            JWS_FORM},
        {"claim twice, deep", ES(""), "{\"a\":[{\"b\":1,\"b\":1}]}", &fix.ec, &fix.both,
            JWS_FORM},
        {"claims not JSON", ES(""), "alice", &fix.ec, &fix.both, JWS_FORM},
        {"claims an array", ES(""), "[]", &fix.ec, &fix.both, JWS_FORM},
        {"claims empty", ES(""), "", &fix.ec, &fix.both, JWS_FORM},
        {"claims and more", ES(""), CLAIMS "{}", &fix.ec, &fix.both, JWS_FORM},
        {"claims with NUL", ES(""), "{\"sub\":\"a\\u0000b\"}", &fix.ec, &fix.both,
            JWS_FORM},
        {"claims not UTF-8", ES(""), "{\"sub\":\"\xff\"}", &fix.ec, &fix.both,
            JWS_FORM},
        {"header not JSON", "alg", CLAIMS, &fix.ec, &fix.both, JWS_FORM},
        {"header an array", "[\"ES256\"]", CLAIMS, &fix.ec, &fix.both, JWS_FORM},
        {"header empty", "", CLAIMS, &fix.ec, &fix.both, JWS_FORM},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *token = token_make(cases[i].header, cases[i].claims, *cases[i].signer);
        enum jws_refusal why = check(token, strlen(token), *cases[i].keys);

        if (why != cases[i].why)
            fail_msg("%s: %d", cases[i].name, why);
        free(token);
    }
}

/* A good token with one thing done to its characters. */
static void
refuses_garbled_tokens(void **state)
{
    static const struct {
        const char *name, *form; /* $h header, $c claims, $s signature */
        enum jws_refusal why;
    } cases[] = {
        {"two parts", "$h.$c", JWS_FORM},
        {"one part", "$h", JWS_FORM},
        {"only dots", "..", JWS_FORM},
        {"no header", ".$c.$s", JWS_FORM},
        {"no claims", "$h..$s", JWS_FORM},
        {"no signature", "$h.$c.", JWS_SIGNATURE},
        {"a dot in front", ".$h.$c.$s", JWS_FORM},
        {"a dot behind", "$h.$c.$s.", JWS_FORM},
        {"a fourth part", "$h.$c.$s.$s", JWS_FORM},
        {"five parts, as JWE", "$h.$c.$s.$s.$s", JWS_FORM},
        {"padded", "$h.$c.$s==", JWS_FORM},
        {"padded header", "$h=.$c.$s", JWS_FORM},
        {"newline behind", "$h.$c.$s\n", JWS_FORM},
        {"space in front", " $h.$c.$s", JWS_FORM},
        {"space between", "$h .$c.$s", JWS_FORM},
        {"plus", "$h.$c.++$s", JWS_FORM},
        {"slash", "$h.$c.//$s", JWS_FORM},
        {"a byte more", "$h.$c.AA$s", JWS_SIGNATURE},
        {"signature twice", "$h.$c.$s$s", JWS_SIGNATURE},
        {"another header", "eyJhbGciOiJFUzI1NiIsImEiOjF9.$c.$s", JWS_SIGNATURE},
        {"other claims", "$h.e30.$s", JWS_SIGNATURE},
        {"zeros",
            "$h.$c.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            JWS_SIGNATURE},
    };
    char *token = token_make(ES(""), CLAIMS, fix.ec);
    char *header = strtok(token, "."), *claims = strtok(NULL, ".");
    char *signature = strtok(NULL, ".");

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf b;
        enum jws_refusal why;

        buf_init(&b);
        for (const char *f = cases[i].form; *f; f++) {
            if (*f != '$')
                buf_put(&b, f, 1);
            else
                buf_str(&b, *++f == 'h' ? header : *f == 'c' ? claims : signature);
        }
        assert_non_null(buf_cstr(&b));
        why = check((const char *)b.data, b.len, fix.both);
        if (why != cases[i].why)
            fail_msg("%s: %d", cases[i].name, why);
        buf_clear(&b);
    }
    free(token);
}

/* Every character of a token matters, and there is no second way to write it. */
static void
refuses_each_changed_character(void **state)
{
    static const char digits[] = "Aw-0.=\n";
    const struct signer *signers[] = {fix.ec, fix.rsa};
    static const char *const headers[] = {ES(""), RS("")};

    (void)state;
    for (size_t k = 0; k < COUNT(signers); k++) {
        char *token = token_make(headers[k], CLAIMS, signers[k]);
        size_t len = strlen(token);

        assert_int_equal(check(token, len, fix.both), JWS_FINE);
        for (size_t i = 0; i < len; i++) {
            char was = token[i];

            assert_int_not_equal(check(token, i, fix.both), JWS_FINE);
            for (const char *d = digits; *d; d++) {
                token[i] = *d;
                if (*d != was && check(token, len, fix.both) == JWS_FINE)
                    fail_msg("taken with %d changed to %d", (int)i, *d);
            }
            token[i] = was;
        }
        free(token);
    }
}

/* A token whose signature is other bytes than the signer's raw ones. */
static enum jws_refusal
check_signature(const struct buf *part, const uint8_t *raw, size_t len)
{
    enum jws_refusal why;
    struct buf token;

    buf_init(&token);
    buf_put(&token, part->data, part->len);
    buf_str(&token, ".");
    token_put(&token, raw, len);
    why = check((const char *)token.data, token.len, fix.both);
    buf_clear(&token);
    return why;
}

static void
knows_the_forms_of_ecdsa(void **state)
{
    uint8_t raw[KEY_SIGNATURE_MAX], other[2 * KEY_SIGNATURE_MAX] = {0};
    BIGNUM *order = NULL, *s;
    struct buf part;
    size_t len;

    (void)state;
    buf_init(&part);
    token_put(&part, ES(""), strlen(ES("")));
    buf_str(&part, ".");
    token_put(&part, CLAIMS, strlen(CLAIMS));
    len = token_signature(&part, fix.ec, raw);
    assert_int_equal(len, 64);
    assert_int_equal(check_signature(&part, raw, 64), JWS_FINE);

    /* JOSE allows either half of s; others make tokens with the upper one. */
    memcpy(other, raw, 32);
    BN_hex2bn(
        &order, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
    s = BN_bin2bn(raw + 32, 32, NULL);
    assert_true(BN_sub(s, order, s));
    assert_int_equal(BN_bn2binpad(s, other + 32, 32), 32);
    assert_int_equal(check_signature(&part, other, 64), JWS_FINE);
    BN_free(s);
    BN_free(order);

    /* As DER, which X.509 and TLS would use. */
    len = 0;
    other[len++] = 0x30;
    other[len++] = 0;
    for (int i = 0; i < 2; i++) {
        other[len++] = 0x02;
        other[len++] = 33;
        other[len++] = 0;
        memcpy(other + len, raw + 32 * i, 32);
        len += 32;
    }
    other[1] = (uint8_t)(len - 2);
    assert_int_equal(check_signature(&part, other, len), JWS_SIGNATURE);

    /* Longer halves of the same numbers, and shorter ones. */
    memset(other, 0, sizeof(other));
    memcpy(other + 1, raw, 32);
    memcpy(other + 34, raw + 32, 32);
    assert_int_equal(check_signature(&part, other, 66), JWS_SIGNATURE);
    assert_int_equal(check_signature(&part, raw, 63), JWS_SIGNATURE);
    assert_int_equal(check_signature(&part, raw, 32), JWS_SIGNATURE);
    buf_clear(&part);
}

static void
bounds_the_token(void **state)
{
    enum jws_refusal why = JWS_FINE;
    char *claims = malloc(JWS_MAX), *token;
    struct jws *j = NULL;
    size_t room = JWS_MAX - b64_encoded_len(B64_URL, strlen(ES(""))) - 2 - 86;

    (void)state;
    assert_non_null(claims);
    memset(claims, ' ', JWS_MAX);
    claims[0] = '{';
    claims[1] = '}';
    claims[room / 4 * 3] = '\0';
    token = token_make(ES(""), claims, fix.ec);
    assert_in_range(strlen(token), JWS_MAX - 3, JWS_MAX);
    assert_int_equal(check(token, strlen(token), fix.both), JWS_FINE);
    free(token);
    claims[room / 4 * 3] = ' ';
    claims[room / 4 * 3 + 4] = '\0';
    token = token_make(ES(""), claims, fix.ec);
    assert_true(strlen(token) > JWS_MAX);
    assert_int_equal(jws_parse(text_of(token), &j, &why, NULL), MAUTH_TOO_LARGE);
    assert_int_equal(why, JWS_FORM);
    assert_null(j);
    assert_int_equal(check("", 0, fix.both), JWS_FORM);
    free(token);
    free(claims);
}

static void
tells_the_issuer_beforehand(void **state)
{
    static const struct {
        const char *claims, *issuer;
    } cases[] = {{CLAIMS, "https://idp.example"}, {"{}", NULL}, {"{\"iss\":1}", NULL}};
    enum jws_refusal why;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *token = token_make(ES(""), cases[i].claims, fix.ec);
        struct jws *j = NULL;

        assert_int_equal(jws_parse(text_of(token), &j, &why, NULL), MAUTH_OK);
        if (cases[i].issuer)
            assert_string_equal(jws_untrusted_issuer(j), cases[i].issuer);
        else
            assert_null(jws_untrusted_issuer(j));
        jws_free(j);
        free(token);
    }
}

static void
signs(void **state)
{
    static const char *const keys[] = {"signing-p256", "signing-rsa2048"};
    static const char *const kids[] = {"ec", "rsa", NULL};
    json_t *said = json_pack("{s:s, s:i}", "sub", "alice", "iat", 1);

    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        for (size_t k = 0; k < COUNT(kids); k++) {
            char *pem = golden_file(keys[i], ".pem", NULL), *token = NULL;
            const json_t *claims = NULL;
            enum jws_refusal why;
            struct jws *j = NULL;
            enum mauth_rc rc;

            assert_int_equal(jws_sign(said, pem, kids[k], &token, NULL), MAUTH_OK);
            assert_int_equal(jws_parse(text_of(token), &j, &why, NULL), MAUTH_OK);
            rc = jws_verify(j, fix.both, &claims, &why, NULL);
            assert_int_equal(rc, !kids[k] || i == k ? MAUTH_OK : MAUTH_UNTRUSTED);
            if (rc == MAUTH_OK)
                assert_true(json_equal(claims, said));
            jws_free(j);
            free(token);
            free(pem);
        }
    }
    json_decref(said);
}

static void
signs_nothing_else(void **state)
{
    char *pem = golden_file("signing-p256", ".pem", NULL), *token = NULL;
    char *public = golden_file("signing-p256", ".pub.pem", NULL);
    char *ed25519 = golden_file("root", ".pem", NULL);
    json_t *claims = json_object();
    char *large = calloc(1, JWS_MAX);

    (void)state;
    assert_non_null(large);
    assert_int_equal(jws_sign(claims, "", "k", &token, NULL), MAUTH_MALFORMED);
    assert_int_equal(jws_sign(claims, public, "k", &token, NULL), MAUTH_MALFORMED);
    assert_int_equal(jws_sign(claims, ed25519, "k", &token, NULL), MAUTH_MALFORMED);
    assert_int_equal(jws_sign(NULL, pem, "k", &token, NULL), MAUTH_INVALID);
    memset(large, 'a', JWS_MAX - 1);
    assert_int_equal(json_object_set_new(claims, "a", json_string(large)), 0);
    assert_int_equal(jws_sign(claims, pem, "k", &token, NULL), MAUTH_TOO_LARGE);
    assert_null(token);
    json_decref(claims);
    free(large);
    free(ed25519);
    free(public);
    free(pem);
}

/* The "jose" command, which we did not write, in a folder of its own. */
static void
run(const char *dir, const char *command)
{
    struct buf line;

    buf_init(&line);
    buf_printf(&line, "cd '%s' && %s", dir, command);
    if (system(buf_cstr(&line)) != 0)
        fail_msg("failed: %s", command);
    buf_clear(&line);
}

static char *
read_back(const char *dir, const char *name)
{
    char *path = file_join(dir, name), *text;
    struct buf b;
    size_t len;

    buf_init(&b);
    assert_int_equal(file_read(path, JWKS_MAX, &b, NULL), MAUTH_OK);
    text = buf_detach(&b, &len);
    assert_non_null(text);
    text[strcspn(text, "\n")] = '\0';
    free(path);
    return text;
}

static void
write_out(const char *dir, const char *name, const char *text)
{
    char *path = file_join(dir, name);

    assert_int_equal(file_replace(path, text, strlen(text), 0600, NULL), MAUTH_OK);
    free(path);
}

static void
take_theirs(const char *dir, const char *alg)
{
    char command[512], *json, *token;
    struct jwks *s = NULL;

    snprintf(command, sizeof(command),
        "jose jwk gen -i '{\"alg\":\"%s\",\"kid\":\"j\"}' -o key &&"
        " jose jwk pub -s -i key -o set && printf %%s '" CLAIMS "' |"
        " jose jws sig -c -I - -k key -s '{\"protected\":{\"kid\":\"j\"}}' -o token",
        alg);
    run(dir, command);
    json = read_back(dir, "set");
    token = read_back(dir, "token");
    assert_int_equal(jwks_parse(text_of(json), &s, NULL), MAUTH_OK);
    assert_int_equal(jwks_count(s), 1);
    assert_int_equal(check(token, strlen(token), s), JWS_FINE);
    assert_int_equal(check(token, strlen(token), fix.both), JWS_KEY);
    jwks_free(s);
    free(json);
    free(token);
}

static void
give_ours(const char *dir, const char *alg, const char *kid)
{
    json_t *claims = json_pack("{s:s}", "sub", "alice");
    char name[32], *pem, *json, *token = NULL, *said;

    snprintf(name, sizeof(name), "signing-%s", alg);
    pem = golden_file(name, ".pem", NULL);
    assert_int_equal(jws_sign(claims, pem, kid, &token, NULL), MAUTH_OK);
    json = set_of(alg, kid);
    write_out(dir, "set", json);
    write_out(dir, "token", token);
    run(dir, "jose jws ver -i token -k set -O said");
    said = read_back(dir, "said");
    assert_string_equal(said, "{\"sub\":\"alice\"}");
    token[strlen(token) / 2] ^= 1;
    write_out(dir, "token", token);
    run(dir, "! jose jws ver -i token -k set -O said 2>/dev/null");
    json_decref(claims);
    free(said);
    free(token);
    free(json);
    free(pem);
}

static void
agrees_with_the_jose_command(void **state)
{
    char dir[] = "/tmp/mauth-jose-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(dir));
    take_theirs(dir, "ES256");
    take_theirs(dir, "RS256");
    give_ours(dir, "p256", "ec");
    give_ours(dir, "rsa2048", "rsa");
    run(dir, "rm -f key set token said");
    assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes),
        cmocka_unit_test(refuses_headers_and_claims),
        cmocka_unit_test(refuses_garbled_tokens),
        cmocka_unit_test(refuses_each_changed_character),
        cmocka_unit_test(knows_the_forms_of_ecdsa),
        cmocka_unit_test(bounds_the_token),
        cmocka_unit_test(tells_the_issuer_beforehand),
        cmocka_unit_test(signs),
        cmocka_unit_test(signs_nothing_else),
        cmocka_unit_test(agrees_with_the_jose_command),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
