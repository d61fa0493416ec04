#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "keys/key_certificate.h"
#include "tests/unit/golden.h"

static struct signer *
make_signer(enum signer_kind kind)
{
    struct signer *s = NULL;
    struct buf der;

    buf_init_secret(&der);
    assert_int_equal(signer_generate(kind, &der, NULL), MAUTH_OK);
    assert_int_equal(signer_from_pkcs8(der.data, der.len, &s, NULL), MAUTH_OK);
    buf_clear(&der);
    return s;
}

static X509 *
make(const struct signer *s, int64_t from_s, int64_t until_s, struct buf *out)
{
    const unsigned char *p;
    X509 *x;

    buf_init(out);
    assert_int_equal(key_certificate_make(s, from_s, until_s, out, NULL), MAUTH_OK);
    p = out->data;
    x = d2i_X509(NULL, &p, (long)out->len);
    assert_non_null(x);
    assert_ptr_equal(p, out->data + out->len);
    return x;
}

/* In years that are written in either way. */
static void
check_window(X509 *x, const char *from, const char *until)
{
    const char *const want[] = {from, until};
    const ASN1_TIME *const got[] = {X509_get0_notBefore(x), X509_get0_notAfter(x)};

    for (size_t i = 0; i < COUNT(want); i++)
        assert_memory_equal(
            ASN1_STRING_get0_data(got[i]), want[i], strlen(want[i]) + 1);
}

static void
check_name(X509_NAME *name, const char *id)
{
    char cn[64];

    assert_int_equal(X509_NAME_entry_count(name), 1);
    assert_int_equal(X509_NAME_get_text_by_NID(name, NID_commonName, cn, sizeof(cn)),
        MAUTH_KEY_ID_LEN);
    assert_string_equal(cn, id);
}

static void
is_of_the_key(void **state)
{
    static const enum signer_kind kinds[] = {
        SIGNER_P256, SIGNER_RSA2048, SIGNER_RSA3072};

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct signer *s = make_signer(kinds[i]);
        const struct mauth_key *key = signer_key(s);
        struct buf der, again;
        unsigned char *written = NULL;
        const uint8_t *spki;
        X509 *x = make(s, golden_time("2026-11-22T10:00:00Z"),
            golden_time("2049-12-31T23:59:59Z"), &der);
        size_t len;
        int n;

        assert_int_equal(X509_verify(x, X509_get0_pubkey(x)), 1);
        n = i2d_PUBKEY(X509_get0_pubkey(x), &written);
        spki = mauth_key_spki(key, &len);
        assert_int_equal(n, len);
        assert_memory_equal(written, spki, len);
        OPENSSL_free(written);
        assert_int_equal(X509_get_version(x), X509_VERSION_3);
        assert_int_equal(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE);
        check_name(X509_get_subject_name(x), mauth_key_id(key));
        check_name(X509_get_issuer_name(x), mauth_key_id(key));
        check_window(x, "261122100000Z", "491231235959Z");
        X509_free(x);

        x = make(s, golden_time("2026-11-22T10:00:00Z"),
            golden_time("2049-12-31T23:59:59Z"), &again);
        if (kinds[i] != SIGNER_P256) {
            assert_int_equal(again.len, der.len);
            assert_memory_equal(again.data, der.data, der.len);
        }
        X509_free(x);
        buf_clear(&again);
        buf_clear(&der);
        signer_free(s);
    }
}

static void
has_years_in_full_from_2050(void **state)
{
    struct signer *s = make_signer(SIGNER_P256);
    struct buf der;
    X509 *x = make(s, golden_time("2050-01-01T00:00:00Z"),
        golden_time("9999-12-31T23:59:59Z"), &der);

    (void)state;
    check_window(x, "20500101000000Z", "99991231235959Z");
    X509_free(x);
    buf_clear(&der);
    signer_free(s);
}

static void
is_refused_without_a_window(void **state)
{
    static const int64_t bad[][2] = {{5, 5}, {6, 5}, {-1, 5}, {0, TIME_MAX_S + 1}};
    struct signer *s = make_signer(SIGNER_P256);
    struct buf der;

    (void)state;
    buf_init(&der);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(
            key_certificate_make(s, bad[i][0], bad[i][1], &der, NULL), MAUTH_INVALID);
        assert_int_equal(der.len, 0);
    }
    buf_clear(&der);
    signer_free(s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_of_the_key),
        cmocka_unit_test(has_years_in_full_from_2050),
        cmocka_unit_test(is_refused_without_a_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
