#include <sys/prctl.h>
#include <sys/resource.h>

#include <openssl/crypto.h>

#include "base/process.h"
#include "keys/signer.h"
#include "tests/unit/memory_map.h"
#include "tests/unit/unit.h"

static void
leaves_no_core(void **state)
{
    struct rlimit core;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
    assert_int_equal(core.rlim_cur, 0);
    assert_int_equal(core.rlim_max, 0);
    assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
}

/* The private numbers of a key of each kind lie there as long as there is the key. */
static void
keeps_private_numbers_apart(void **state)
{
    static const enum signer_kind kinds[] = {
        SIGNER_P256, SIGNER_RSA2048, SIGNER_RSA3072};

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct signer *s = NULL;
        size_t before;
        struct buf der;

        buf_init_secret(&der);
        assert_int_equal(signer_generate(kinds[i], &der, NULL), MAUTH_OK);
        before = CRYPTO_secure_used();
        assert_int_equal(signer_from_pkcs8(der.data, der.len, &s, NULL), MAUTH_OK);
        assert_true(CRYPTO_secure_used() >= before + 32);
        signer_free(s);
        buf_clear(&der);
        assert_int_equal(CRYPTO_secure_used(), before);
    }
}

/* And secrets of our own, in no page that a dump would have. */
static void
keeps_secrets_out_of_dumps(void **state)
{
    struct mauth_secret *s = NULL;
    static uint8_t open[32];
    uint8_t raw[32];
    struct memory_found found;

    (void)state;
    assert_int_equal(mauth_random(raw, sizeof(raw), NULL), MAUTH_OK);
    assert_int_equal(mauth_secret_new(raw, sizeof(raw), &s, NULL), MAUTH_OK);
    memory_hide(raw, sizeof(raw));
    found = memory_find(raw, sizeof(raw));
    assert_int_equal(found.hidden, 1);
    assert_int_equal(found.open, 0);
    mauth_secret_free(s);
    assert_int_equal(memory_find(raw, sizeof(raw)).hidden, 0);
    /* It sees what lies open. */
    memcpy(open, raw, sizeof(open));
    memory_hide(open, sizeof(open));
    assert_true(memory_find(raw, sizeof(raw)).open > 0);
}

/* A P-256 key's private number in its PKCS#8, behind these bytes; RFC 5915. */
static void
take_number(const struct buf *der, uint8_t out[32])
{
    static const uint8_t before[] = {0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20};
    const uint8_t *p = memmem(der->data, der->len, before, sizeof(before));

    assert_non_null(p);
    memcpy(out, p + sizeof(before), 32);
}

/* In disguise; as it is written, and as libcrypto counts with it. */
static size_t
count_open(const uint8_t number[32])
{
    uint8_t turned[32];

    for (size_t i = 0; i < sizeof(turned); i++)
        turned[i] = number[sizeof(turned) - 1 - i];
    return memory_find(number, 32).open + memory_find(turned, 32).open;
}

/* Made, written, read, used and let go: nothing of it stays where it could be swapped. */
static void
leaves_no_private_number_behind(void **state)
{
    const struct text message = {"m", 1};
    uint8_t number[32], signature[KEY_SIGNATURE_MAX];
    struct signer *s = NULL;
    struct buf der;
    size_t len;

    (void)state;
    buf_init_secret(&der);
    assert_int_equal(signer_generate(SIGNER_P256, &der, NULL), MAUTH_OK);
    assert_int_equal(signer_from_pkcs8(der.data, der.len, &s, NULL), MAUTH_OK);
    assert_int_equal(signer_sign(s, &message, 1, signature, &len, NULL), MAUTH_OK);
    take_number(&der, number);
    memory_hide(number, sizeof(number));
    buf_clear(&der);
    assert_int_equal(count_open(number), 0); /* while it is used */
    signer_free(s);
    assert_int_equal(count_open(number), 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_no_core),
        cmocka_unit_test(keeps_private_numbers_apart),
        cmocka_unit_test(keeps_secrets_out_of_dumps),
        cmocka_unit_test(leaves_no_private_number_behind),
    };

    (void)process_harden(); /* locked or not, all of this holds */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
