#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/time.h"
#include "cli/certificate.h"
#include "tests/unit/golden.h"
#include <meshauth/key.h>

static X509 *
make(const struct certificate *c, struct buf *key, struct buf *cert)
{
    BIO *in;
    X509 *x;

    buf_init_secret(key);
    buf_init(cert);
    assert_int_equal(pem_new_p256(key, NULL), MAUTH_OK);
    assert_int_equal(certificate_self_sign(c, buf_slice(key), cert, NULL), MAUTH_OK);
    in = BIO_new_mem_buf(cert->data, (int)cert->len);
    x = PEM_read_bio_X509(in, NULL, NULL, NULL);
    BIO_free(in);
    assert_non_null(x);
    assert_int_equal(X509_verify(x, X509_get0_pubkey(x)), 1);
    assert_int_equal(X509_get_version(x), X509_VERSION_3);
    return x;
}

static void
check_time(const ASN1_TIME *got, int64_t want_s)
{
    ASN1_TIME *want = ASN1_TIME_set(NULL, want_s);

    assert_int_equal(ASN1_TIME_compare(got, want), 0);
    ASN1_TIME_free(want);
}

static void
makes_a_devices_certificate(void **state)
{
    struct certificate c = {
        .common_name = "a device", .from_s = 0, .until_s = TIME_MAX_S};
    struct mauth_key *holder = NULL;
    struct buf key, cert;
    X509 *x = make(&c, &key, &cert);

    (void)state;
    assert_int_equal(X509_get_ext_count(x), 0);
    check_time(X509_get0_notBefore(x), 0);
    check_time(X509_get0_notAfter(x), TIME_MAX_S);
    assert_int_equal(
        mauth_key_from_pem((const char *)cert.data, cert.len, &holder, NULL), MAUTH_OK);
    mauth_key_free(holder);
    X509_free(x);
    buf_clear(&cert);
    buf_clear(&key);
}

static void
makes_a_servers_certificate(void **state)
{
    static const struct {
        const char *host;
        bool is_address;
    } hosts[] = {{"auth.example.org", false}, {"127.0.0.1", true}, {"::1", true}};

    (void)state;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct certificate c = {.common_name = "meshauth",
            .host = hosts[i].host,
            .is_address = hosts[i].is_address,
            .from_s = 1000,
            .until_s = 2000};
        struct buf key, cert;
        X509 *x = make(&c, &key, &cert);

        if (hosts[i].is_address)
            assert_int_equal(X509_check_ip_asc(x, hosts[i].host, 0), 1);
        else
            assert_int_equal(X509_check_host(x, hosts[i].host, 0, 0, NULL), 1);
        assert_int_not_equal(X509_check_host(x, "other.example.org", 0, 0, NULL), 1);
        assert_int_equal(X509_check_purpose(x, X509_PURPOSE_SSL_SERVER, 0), 1);
        assert_int_equal(X509_check_ca(x), 0);
        check_time(X509_get0_notAfter(x), 2000);
        X509_free(x);
        buf_clear(&cert);
        buf_clear(&key);
    }
}

static void
writes_a_seed_as_openssl_does(void **state)
{
    uint8_t der[128];
    size_t len = golden_der("root.pem", der, sizeof(der)), want_len;
    char *want = golden_file("root.pem", "", &want_len);
    struct buf pem;

    (void)state;
    assert_true(len > 32);
    buf_init_secret(&pem);
    assert_int_equal(pem_from_seed(der + len - 32, &pem, NULL), MAUTH_OK);
    assert_int_equal(pem.len, want_len);
    assert_memory_equal(pem.data, want, want_len);
    buf_clear(&pem);
    free(want);
}

/* Encrypted with a passphrase, which nobody may be asked for. */
static char *
encrypted_key(void)
{
    char *data = NULL, *text, pass[] = "secret";
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *out = BIO_new(BIO_s_mem());
    long len;

    assert_int_equal(
        PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_128_cbc(), pass, 6, NULL, NULL),
        1);
    len = BIO_get_mem_data(out, &data);
    text = strndup(data, (size_t)len);
    assert_non_null(text);
    BIO_free(out);
    EVP_PKEY_free(key);
    return text;
}

static void
refuses_what_is_no_key(void **state)
{
    char *encrypted = encrypted_key(),
         *public = golden_file("device.pub.pem", "", NULL);
    const char *const bad[] = {"", "x", encrypted, public};
    struct certificate c = {.common_name = "x"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct buf out;

        buf_init(&out);
        assert_int_equal(certificate_self_sign(
                             &c, (struct text){bad[i], strlen(bad[i])}, &out, NULL),
            MAUTH_MALFORMED);
        assert_int_equal(out.len, 0);
        buf_clear(&out);
    }
    free(encrypted);
    free(public);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_a_devices_certificate),
        cmocka_unit_test(makes_a_servers_certificate),
        cmocka_unit_test(writes_a_seed_as_openssl_does),
        cmocka_unit_test(refuses_what_is_no_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
