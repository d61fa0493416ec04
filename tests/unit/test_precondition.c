#include "authsvc/precondition.h"
#include "tests/unit/unit.h"

static void
test_if_match(void **state)
{
    static const struct {
        const char *value;
        uint64_t version;
        bool matches;
    } cases[] = {
        {"\"3\"", 3, true},
        {"*", 3, true},
        {" * ", 3, true},
        {"\"1\", \"3\"", 3, true},
        {"\"1\",\t\"2\"", 3, false},
        {"\"33\"", 3, false},
        {"3", 3, false},
        {"W/\"3\"", 3, false}, /* weak tags never match strongly */
        {"\"03\"", 3, false},
        {"\"3", 3, false},
        {"", 3, false},
        {",", 3, false},
        {"\"18446744073709551615\"", UINT64_MAX, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (precondition_matches(cases[i].value, cases[i].version) != cases[i].matches)
            fail_msg("%s", cases[i].value);
}

static void
test_if_none_match(void **state)
{
    (void)state;
    assert_true(precondition_none_match("\"3\"", 3));
    assert_true(precondition_none_match("W/\"3\"", 3));
    assert_true(precondition_none_match("\"1\", W/\"3\"", 3));
    assert_true(precondition_none_match("*", 3));
    assert_false(precondition_none_match("\"2\"", 3));
    assert_false(precondition_none_match("W/3", 3));
    assert_true(precondition_none_match_tag("\"1\", W/\"ab\"", "\"ab\""));
    assert_true(precondition_none_match_tag("*", "\"ab\""));
    assert_false(precondition_none_match_tag("\"abc\"", "\"ab\""));
}

static void
test_fresh(void **state)
{
    (void)state;
    assert_true(precondition_is_fresh("*"));
    assert_true(precondition_is_fresh("\t* "));
    assert_false(precondition_is_fresh(NULL));
    assert_false(precondition_is_fresh(""));
    assert_false(precondition_is_fresh("\"*\""));
    assert_false(precondition_is_fresh("*, *"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_if_match),
        cmocka_unit_test(test_if_none_match),
        cmocka_unit_test(test_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
