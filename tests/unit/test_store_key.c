/* store/key.h */
#include "base/str.h"
#include "store/key.h"
#include "tests/unit/unit.h"

static void
makes_keys(void **state)
{
    struct store_key k;

    (void)state;
    store_key(&k, SPACE_USER, "name", 4);
    assert_true(text_is(store_key_text(&k), "uname"));
    buf_u8(&k.b, '!');
    assert_true(text_is(store_key_text(&k), "uname!"));
    store_key(&k, SPACE_AUDIT_HEAD, NULL, 0);
    assert_true(text_is(store_key_text(&k), "H"));
}

/* A name that is too long is not cut, so that it meets no other. */
static void
refuses_a_long_name(void **state)
{
    static const char name[KV_KEY_MAX];
    struct store_key k;

    (void)state;
    store_key(&k, SPACE_USER, name, KV_KEY_MAX - 1);
    assert_int_equal(store_key_text(&k).len, KV_KEY_MAX);
    store_key(&k, SPACE_USER, name, KV_KEY_MAX);
    assert_int_equal(store_key_text(&k).len, 0);
    store_key(&k, SPACE_USER, name, KV_KEY_MAX - 4);
    buf_u64(&k.b, 1);
    assert_int_equal(store_key_text(&k).len, 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_keys),
        cmocka_unit_test(refuses_a_long_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
