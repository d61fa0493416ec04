#include "base/fail.h"
#include "tests/unit/unit.h"

static enum mauth_rc
refuse_late(struct mauth_err *err)
{
    return mauth_refuse(err, MAUTH_REASON_EXPIRED, "closed at %d", 7);
}

static void
keeps_the_first_failure(void **state)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    (void)state;
    assert_int_equal(refuse_late(&err), MAUTH_EXPIRED);
    assert_int_equal(mauth_fail(&err, MAUTH_INTERNAL, "later"), MAUTH_INTERNAL);
    assert_int_equal(err.rc, MAUTH_EXPIRED);
    assert_int_equal(err.reason, MAUTH_REASON_EXPIRED);
    assert_string_equal(err.text, "closed at 7");
    assert_non_null(strstr(err.where, "test_err.c:"));
    mauth_err_reset(&err);
    assert_int_equal(err.rc, MAUTH_OK);
}

static void
may_be_omitted(void **state)
{
    (void)state;
    assert_int_equal(refuse_late(NULL), MAUTH_EXPIRED);
    mauth_err_reset(NULL);
}

static void
names_are_frozen(void **state)
{
    static const char *const names[] = {"", "size", "form", "trust-expired", "clock",
        "issuer", "key-unknown", "key-revoked", "key-window", "signature", "not-yet",
        "expired", "lifetime", "audience", "revoked", "holder", "no-proof", "mixed-set",
        "no-rule", "bound"};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        assert_string_equal(mauth_reason_name((enum mauth_reason)i), names[i]);
    assert_string_equal(mauth_reason_name((enum mauth_reason)COUNT(names)), "");
    assert_string_equal(mauth_rc_name(MAUTH_OK), "ok");
    assert_string_equal(mauth_rc_name(MAUTH_UNAVAILABLE), "unavailable");
    assert_string_equal(mauth_rc_name((enum mauth_rc)99), "internal");
    assert_int_equal(mauth_reason_rc(MAUTH_REASON_NONE), MAUTH_INTERNAL);
}

static void
quotes_foreign_text(void **state)
{
    char out[16];
    char tiny[8];

    (void)state;
    assert_string_equal(mauth_quote("abc", 3, out, sizeof(out)), "abc");
    assert_string_equal(mauth_quote("a\n\"", 3, out, sizeof(out)), "a\\x0a\\x22");
    assert_string_equal(
        mauth_quote("abcdefghijklmnopq", 17, out, sizeof(out)), "abcdefghi...");
    assert_string_equal(mauth_quote("\x1b[31m", 5, tiny, sizeof(tiny)), "\\x1b...");
    assert_string_equal(mauth_quote("", 0, out, sizeof(out)), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_first_failure),
        cmocka_unit_test(may_be_omitted),
        cmocka_unit_test(names_are_frozen),
        cmocka_unit_test(quotes_foreign_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
