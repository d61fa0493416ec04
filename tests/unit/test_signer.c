#include "base/fail.h"
#include "base/str.h"
#include "keys/signer.h"
#include "tests/unit/golden.h"

static void
signs_what_its_key_checks(void **state)
{
    static const enum signer_kind kinds[] = {
        SIGNER_P256, SIGNER_RSA2048, SIGNER_RSA3072};
    static const size_t sizes[] = {64, 256, 384};
    struct text pieces[2] = {{"hello, ", 7}, {"mesh", 4}}, whole = {"hello, mesh", 11};

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        uint8_t sig[KEY_SIGNATURE_MAX];
        struct signer *s = NULL;
        struct buf der;
        size_t len;

        buf_init_secret(&der);
        assert_int_equal(signer_generate(kinds[i], &der, NULL), MAUTH_OK);
        assert_int_equal(signer_from_pkcs8(der.data, der.len, &s, NULL), MAUTH_OK);
        buf_clear(&der);
        for (int n = 0; n < 32; n++) { /* low-S holds each time, or key_check refuses */
            assert_int_equal(signer_sign(s, pieces, 2, sig, &len, NULL), MAUTH_OK);
            assert_int_equal(len, sizes[i]);
            assert_int_equal(
                key_check(signer_key(s), &whole, 1, sig, len, NULL), MAUTH_OK);
        }
        for (size_t at = 0; at < len; at++) {
            sig[at] ^= 1;
            mauth_err_reset(&err);
            assert_int_not_equal(
                key_check(signer_key(s), &whole, 1, sig, len, &err), MAUTH_OK);
            assert_int_equal(err.reason, MAUTH_REASON_SIGNATURE);
            sig[at] ^= 1;
        }
        mauth_err_reset(&err);
        assert_int_not_equal(
            key_check(signer_key(s), &whole, 1, sig, len - 1, &err), MAUTH_OK);
        assert_int_equal(err.reason, MAUTH_REASON_SIGNATURE);
        signer_free(s);
    }
    signer_free(NULL);
}

static void
refuses_what_is_no_key(void **state)
{
    struct signer *s = NULL;
    uint8_t der[4096];
    size_t len;

    (void)state;
    assert_int_equal(signer_from_pkcs8("", 0, &s, NULL), MAUTH_MALFORMED);
    len = golden_der("root.pem", der, sizeof(der)); /* Ed25519 */
    assert_int_equal(signer_from_pkcs8(der, len, &s, NULL), MAUTH_MALFORMED);
    len = golden_der("device.pem", der, sizeof(der));
    assert_int_equal(signer_from_pkcs8(der, len - 1, &s, NULL), MAUTH_MALFORMED);
    assert_int_equal(signer_from_pkcs8(der, len + 1, &s, NULL), MAUTH_MALFORMED);
    assert_null(s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_what_its_key_checks),
        cmocka_unit_test(refuses_what_is_no_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
