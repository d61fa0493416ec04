#include "base/secret.h"
#include "tests/unit/unit.h"

static void
keeps_its_bytes(void **state)
{
    struct mauth_secret *s = NULL;

    (void)state;
    assert_int_equal(mauth_secret_new("key", 3, &s, NULL), MAUTH_OK);
    assert_int_equal(mauth_secret_len(s), 3);
    assert_memory_equal(mauth_secret_bytes(s), "key", 3);
    mauth_secret_free(s);
    mauth_secret_free(NULL);
}

static void
refuses_what_is_no_key(void **state)
{
    struct mauth_secret *s = (struct mauth_secret *)&s;

    (void)state;
    assert_int_equal(mauth_secret_new("", (1 << 20) + 1, &s, NULL), MAUTH_INVALID);
    assert_null(s);
}

static void
compares_and_wipes(void **state)
{
    char bytes[8] = "secret";
    char random[2][32];

    (void)state;
    assert_true(mauth_equal_ct("abc", "abc", 3));
    assert_false(mauth_equal_ct("abc", "abd", 3));
    mauth_wipe(bytes, sizeof(bytes));
    assert_memory_equal(bytes, "\0\0\0\0\0\0\0\0", 8);
    assert_int_equal(mauth_random(random[0], 32, NULL), MAUTH_OK);
    assert_int_equal(mauth_random(random[1], 32, NULL), MAUTH_OK);
    assert_memory_not_equal(random[0], random[1], 32);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_its_bytes),
        cmocka_unit_test(refuses_what_is_no_key),
        cmocka_unit_test(compares_and_wipes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
