#include "jose/key_nonce.h"
#include "tests/unit/golden.h"
#include "tests/unit/unit.h"

static void
is_of_its_key_alone(void **state)
{
    struct mauth_key *mine = golden_key("device.pub.pem");
    struct mauth_key *other = golden_key("signing-rsa2048.pub.pem");
    char nonce[KEY_NONCE_LEN + 1], again[KEY_NONCE_LEN + 1];

    (void)state;
    assert_int_equal(key_nonce_new(mine, nonce, NULL), MAUTH_OK);
    assert_int_equal(key_nonce_new(mine, again, NULL), MAUTH_OK);
    assert_int_equal(strlen(nonce), KEY_NONCE_LEN);
    assert_string_not_equal(nonce, again);
    assert_string_not_equal(nonce + KEY_NONCE_PART, again + KEY_NONCE_PART);
    assert_true(key_nonce_is_of(nonce, mine));
    assert_true(key_nonce_is_of(again, mine));
    assert_false(key_nonce_is_of(nonce, other));
    mauth_key_free(other);
    mauth_key_free(mine);
}

static void
is_read_strictly(void **state)
{
    struct mauth_key *mine = golden_key("device.pub.pem");
    char nonce[KEY_NONCE_LEN + 2], changed[KEY_NONCE_LEN + 2];

    (void)state;
    assert_int_equal(key_nonce_new(mine, nonce, NULL), MAUTH_OK);
    for (size_t i = 0; i < KEY_NONCE_LEN; i++) {
        memcpy(changed, nonce, KEY_NONCE_LEN + 1);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_false(key_nonce_is_of(changed, mine));
    }
    memcpy(changed, nonce, KEY_NONCE_LEN + 1);
    changed[KEY_NONCE_LEN - 1] = '\0';
    assert_false(key_nonce_is_of(changed, mine));
    memcpy(changed, nonce, KEY_NONCE_LEN);
    memcpy(changed + KEY_NONCE_LEN, "A", 2);
    assert_false(key_nonce_is_of(changed, mine));
    assert_false(key_nonce_is_of("", mine));
    mauth_key_free(mine);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_of_its_key_alone),
        cmocka_unit_test(is_read_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
