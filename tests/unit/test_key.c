#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "keys/der.h"
#include "keys/key.h"
#include "tests/unit/golden.h"

static void
reads_golden_keys(void **state)
{
    struct mauth_key *p256 = golden_key("signing-p256.pub.pem");
    struct mauth_key *rsa = golden_key("signing-rsa2048.pub.pem");
    size_t len;

    (void)state;
    assert_string_equal(mauth_key_id(p256), "9feb3f281bcca060");
    assert_string_equal(mauth_key_id(rsa), "ae95e6d95bf7140f");
    assert_int_equal(key_alg(p256), KEY_ECDSA_SHA256);
    assert_int_equal(key_alg(rsa), KEY_RSA_SHA256);
    (void)mauth_key_spki(p256, &len);
    assert_int_equal(len, DER_P256_LEN);
    mauth_key_free(p256);
    mauth_key_free(rsa);
    mauth_key_free(NULL);
}

/* Every byte of the key changed: no other encoding of a key is taken, and what
 * is taken has another id. */
static void
has_one_encoding(void **state)
{
    static const char *const files[] = {"device.pub.pem", "signing-rsa2048.pub.pem"};

    (void)state;
    for (size_t f = 0; f < COUNT(files); f++) {
        struct mauth_key *good = golden_key(files[f]);
        uint8_t der[MAUTH_SPKI_MAX + 1];
        size_t len = golden_der(files[f], der, sizeof(der));

        for (size_t i = 0; i < len; i++) {
            struct mauth_key *key = NULL;

            der[i] ^= 0x80;
            if (mauth_key_from_spki(der, len, &key, NULL) == MAUTH_OK)
                assert_string_not_equal(mauth_key_id(key), mauth_key_id(good));
            else
                assert_null(key);
            mauth_key_free(key);
            der[i] ^= 0x80;
        }
        for (size_t n = 0; n < len; n++) {
            struct mauth_key *key = NULL;

            assert_int_equal(mauth_key_from_spki(der, n, &key, NULL), MAUTH_MALFORMED);
            assert_null(key);
        }
        der[len] = 0;
        assert_false(key_spki_is_well_formed(der, len + 1));
        assert_true(key_spki_is_well_formed(der, len));
        mauth_key_free(good);
    }
}

static void
compares_and_copies(void **state)
{
    static const char *const files[] = {
        "signing-p256.pub.pem", "signing-rsa2048.pub.pem", "device.pub.pem"};
    struct mauth_key *key[COUNT(files)], *copy = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(files); i++)
        key[i] = golden_key(files[i]);
    for (size_t i = 0; i < COUNT(files); i++) {
        assert_int_equal(key_copy(key[i], &copy, NULL), MAUTH_OK);
        assert_string_equal(mauth_key_id(copy), mauth_key_id(key[i]));
        for (size_t k = 0; k < COUNT(files); k++)
            assert_true(key_equal(copy, key[k]) == (i == k));
        mauth_key_free(copy);
    }
    for (size_t i = 0; i < COUNT(files); i++)
        mauth_key_free(key[i]);
}

static void
refuses_a_point_off_the_curve(void **state)
{
    struct mauth_key *key = NULL;
    uint8_t der[DER_P256_LEN];

    (void)state;
    golden_der("device.pub.pem", der, sizeof(der));
    der[90] ^= 1;
    assert_int_equal(
        mauth_key_from_spki(der, sizeof(der), &key, NULL), MAUTH_MALFORMED);
    assert_null(key);
}

/* SPKI of an RSA key of so many bits and this exponent, as libcrypto writes it. */
static size_t
make_rsa(int bits, unsigned long exponent, uint8_t *out)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
    EVP_PKEY *pkey = NULL;
    BIGNUM *e = BN_new();
    int len;

    BN_set_word(e, exponent);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits);
    EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e);
    assert_int_equal(EVP_PKEY_keygen(ctx, &pkey), 1);
    len = i2d_PUBKEY(pkey, &out);
    EVP_PKEY_free(pkey);
    EVP_PKEY_CTX_free(ctx);
    BN_free(e);
    assert_true(len > 0);
    return (size_t)len;
}

static void
bounds_rsa(void **state)
{
    static const struct {
        int bits;
        unsigned long exponent;
        bool good;
    } cases[] = {{2048, 65537, true}, {2048, 5, true}, {2048, 3, false},
        {2048, 0xffffffff, true}, {2048, 0x100000001, false}, {1024, 65537, false},
        {2047, 65537, false}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t der[1024];
        size_t len = make_rsa(cases[i].bits, cases[i].exponent, der);

        if (key_spki_is_well_formed(der, len) != cases[i].good)
            fail_msg("%d bits, exponent %lu", cases[i].bits, cases[i].exponent);
    }
}

/* Other kinds of keys, and things that are no keys at all. */
static void
refuses_other_keys(void **state)
{
    static const char *const texts[] = {"", "x", "-----BEGIN PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"};
    struct mauth_key *key = NULL;
    size_t len;
    char *pem;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(mauth_key_from_pem(texts[i], strlen(texts[i]), &key, NULL),
            MAUTH_MALFORMED);
        assert_null(key);
    }
    pem = golden_file("root.pub.pem", "", &len); /* Ed25519 */
    assert_int_equal(mauth_key_from_pem(pem, len, &key, NULL), MAUTH_MALFORMED);
    free(pem);
    pem = golden_file("device.pem", "", &len); /* private */
    assert_int_equal(mauth_key_from_pem(pem, len, &key, NULL), MAUTH_MALFORMED);
    assert_null(key);
    free(pem);
    assert_int_equal(mauth_key_from_certificate("x", 1, &key, NULL), MAUTH_MALFORMED);
    assert_null(key);
}

/* From a certificate only the key is taken: this one expired in 1970. */
static void
takes_the_key_of_a_certificate(void **state)
{
    struct mauth_key *key = NULL;
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    unsigned char *der = NULL, *spki = NULL;
    X509 *x509 = X509_new();
    const uint8_t *taken;
    int n, len;
    size_t got;

    (void)state;
    X509_set_pubkey(x509, pkey);
    ASN1_TIME_set(X509_getm_notBefore(x509), 0);
    ASN1_TIME_set(X509_getm_notAfter(x509), 1);
    assert_true(X509_sign(x509, pkey, EVP_sha256()) > 0);
    n = i2d_X509(x509, &der);
    len = i2d_PUBKEY(pkey, &spki);
    assert_int_equal(mauth_key_from_certificate(der, (size_t)n, &key, NULL), MAUTH_OK);
    taken = mauth_key_spki(key, &got);
    assert_int_equal(got, len);
    assert_memory_equal(taken, spki, got);
    mauth_key_free(key);
    OPENSSL_free(der);
    OPENSSL_free(spki);
    X509_free(x509);
    EVP_PKEY_free(pkey);
}

/* Calls that fail in libcrypto, each in its way. */
static void
fail_in_libcrypto(void)
{
    static const char junk[] = "-----BEGIN CERTIFICATE-----\nAAAA\n"
                               "-----END CERTIFICATE-----\n";
    struct text pieces[1] = {{"text", 4}};
    struct mauth_key *p256 = golden_key("signing-p256.pub.pem");
    struct mauth_key *rsa = golden_key("signing-rsa2048.pub.pem");
    uint8_t der[MAUTH_SPKI_MAX], signature[256] = {1};
    struct mauth_trust *trust = NULL;
    struct mauth_key *key = NULL;
    size_t len = golden_der("device.pub.pem", der, sizeof(der));
    char *vkey = golden_vkey(), *file;

    der[len - 1] ^= 1; /* off the curve */
    assert_int_not_equal(mauth_key_from_spki(der, len, &key, NULL), MAUTH_OK);
    assert_int_not_equal(mauth_key_from_pem("x", 1, &key, NULL), MAUTH_OK);
    assert_int_not_equal(
        mauth_key_from_pem(junk, sizeof(junk) - 1, &key, NULL), MAUTH_OK);
    assert_int_not_equal(mauth_key_from_certificate("x", 1, &key, NULL), MAUTH_OK);
    assert_int_not_equal(key_check(rsa, pieces, 1, signature, 256, NULL), MAUTH_OK);
    signature[63] = 1;
    assert_int_not_equal(key_check(p256, pieces, 1, signature, 64, NULL), MAUTH_OK);
    file = golden_file("trust", "", &len);
    file[len / 2] ^= 1;
    assert_int_not_equal(mauth_trust_parse(file, len, vkey, &trust, NULL), MAUTH_OK);
    free(file);
    free(vkey);
    mauth_key_free(p256);
    mauth_key_free(rsa);
}

/* Our host may look at libcrypto's queue of errors to learn how its own TLS went. */
static void
leaves_the_hosts_errors_alone(void **state)
{
    (void)state;
    ERR_clear_error();
    fail_in_libcrypto();
    assert_int_equal(ERR_peek_error(), 0);
    ERR_raise(ERR_LIB_USER, 77);
    fail_in_libcrypto();
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), 77);
    ERR_clear_error();
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_golden_keys),
        cmocka_unit_test(compares_and_copies),
        cmocka_unit_test(has_one_encoding),
        cmocka_unit_test(refuses_a_point_off_the_curve),
        cmocka_unit_test(bounds_rsa),
        cmocka_unit_test(refuses_other_keys),
        cmocka_unit_test(takes_the_key_of_a_certificate),
        cmocka_unit_test(leaves_the_hosts_errors_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
