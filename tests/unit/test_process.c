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

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_no_core),
        cmocka_unit_test(keeps_private_numbers_apart),
        cmocka_unit_test(keeps_secrets_out_of_dumps),
    };

    (void)process_harden(); /* locked or not, all of this holds */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
