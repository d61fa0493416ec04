#include "base/str.h"
#include "tests/unit/unit.h"

static void
compares(void **state)
{
    (void)state;
    assert_true(text_is(text_of("abc"), "abc"));
    assert_false(text_is(text_of("abc"), "ab"));
    assert_true(text_equal(text_of(NULL), text_of("")));
    assert_true(text_compare(text_of("ab"), text_of("abc")) < 0);
    assert_true(text_compare(text_of("b"), text_of("abc")) > 0);
    assert_true(text_compare(text_of("\xff"), text_of("a")) > 0);
    assert_true(text_starts(text_of("urn:x"), "urn:"));
    assert_false(text_starts(text_of("ur"), "urn:"));
}

static void
knows_names(void **state)
{
    static const char *const good[] = {"a", "read", "x0_.-",
        "a234567890123456789012345678901234567890123456789012345678901234"};
    static const char *const bad[] = {"", "A", "0a", "_a", "a b", "a\n", "\xc3\xa4",
        "a2345678901234567890123456789012345678901234567890123456789012345"};

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(str_is_name(text_of(good[i])));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(str_is_name(text_of(bad[i])));
}

static void
knows_uris(void **state)
{
    static const char *const good[] = {"https://a.example/b?c=d&e#f", "urn:x",
        "a:", "a+b.c-1:x", "https://a/R&D/a'b(1)", "x:%2F%aB"};
    static const char *const bad[] = {"", "a", ":x", "1a:b", "a b:c", "https://a b",
        "https://a/<", "https://a/\"", "x:%", "x:%2", "x:%2g", "x:\xc3\xa4", "x:^",
        "x:\\", "x:{}", "x:|", "x:`"};

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(str_is_uri(text_of(good[i])));
    for (size_t i = 0; i < COUNT(bad); i++)
        if (str_is_uri(text_of(bad[i])))
            fail_msg("taken for a URI: %s", bad[i]);
}

static void
reads_numbers(void **state)
{
    static const char *const bad[] = {
        "", "00", "01", "-1", "+1", "1 ", "1a", "1000000000000000000"};
    uint64_t n;

    (void)state;
    assert_true(str_number(text_of("0"), &n));
    assert_int_equal(n, 0);
    assert_true(str_number(text_of("999999999999999999"), &n));
    assert_true(n == UINT64_C(999999999999999999));
    for (size_t i = 0; i < COUNT(bad); i++) {
        n = 7;
        assert_false(str_number(text_of(bad[i]), &n));
        assert_int_equal(n, 0);
    }
}

static void
cuts_and_writes_hex(void **state)
{
    struct text rest = text_of("a,,b"), part;
    char hex[5];

    (void)state;
    assert_true(text_cut(&rest, ',', &part));
    assert_true(text_is(part, "a"));
    assert_true(text_cut(&rest, ',', &part));
    assert_int_equal(part.len, 0);
    assert_false(text_cut(&rest, ',', &part));
    assert_true(text_is(rest, "b"));
    str_hex("\x00\xfe", 2, hex);
    assert_string_equal(hex, "00fe");
    assert_true(str_is_hex(text_of("00fe"), 4));
    assert_false(str_is_hex(text_of("00FE"), 4));
    assert_false(str_is_hex(text_of("00fe"), 5));
}

static void
knows_what_is_near(void **state)
{
    size_t least = STR_FAR;

    (void)state;
    assert_false(str_is_nearer("order", "limit", &least));
    assert_int_equal(least, STR_FAR);
    assert_false(str_is_nearer("x", "a", &least)); /* all of it is another */
    assert_true(str_is_nearer("limits", "lymit", &least));
    assert_int_equal(least, 2);
    assert_true(str_is_nearer("limits", "limit", &least));
    assert_int_equal(least, 1);
    assert_false(
        str_is_nearer("limits", "limitz", &least)); /* no nearer than another */
    assert_false(str_is_nearer("a word of more than thirty-two bytes",
        "a word of more than thirty-two bytez", &(size_t){STR_FAR}));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(knows_names),
        cmocka_unit_test(knows_uris),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(cuts_and_writes_hex),
        cmocka_unit_test(knows_what_is_near),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
