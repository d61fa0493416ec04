#include "cli/when.h"
#include "tests/unit/unit.h"

static void
says_times_as_people_do(void **state)
{
    static const struct {
        int64_t t_s;
        const char *says;
    } cases[] = {
        {1000000, "now"},
        {1000001, "in 1 s"},
        {999999, "1 s ago"},
        {1000000 + 59, "in 59 s"},
        {1000000 + 60, "in 1 min"},
        {1000000 + 598, "in 9 min 58 s"},
        {1000000 - 120, "2 min ago"},
        {1000000 + 3600, "in 1 h"},
        {1000000 + 3659, "in 1 h"},
        {1000000 + 3660, "in 1 h 1 min"},
        {1000000 + 86399, "in 23 h 59 min"},
        {1000000 + 86400, "in 1 d"},
        {1000000 - 90000, "1 d 1 h ago"},
        {1000000 + 31536000, "in 365 d"},
        {INT64_C(253402300799), "in 2932885 d 10 h"},
    };
    char out[WHEN_LEN];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        when_format(cases[i].t_s, 1000000, out);
        assert_string_equal(out, cases[i].says);
    }
}

static void
reads_spans(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: none */
    } cases[] = {
        {"90s", 90},
        {"30m", 1800},
        {"12h", 43200},
        {"7d", 604800},
        {"0s", 0},
        {"999999999d", INT64_C(86399999913600)},
        {"", -1},
        {"d", -1},
        {"7", -1},
        {"7w", -1},
        {"7D", -1},
        {"07d", -1},
        {"-7d", -1},
        {"+7d", -1},
        {" 7d", -1},
        {"7 d", -1},
        {"7d ", -1},
        {"7dd", -1},
        {"1.5d", -1},
        {"1d12h", -1},
        {"1000000000d", -1},
        {"99999999999999999999999d", -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t seconds = 1;
        bool ok = when_span(cases[i].text, &seconds);

        if (ok != (cases[i].seconds >= 0) || seconds != (ok ? cases[i].seconds : 0))
            fail_msg("'%s'", cases[i].text);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_times_as_people_do),
        cmocka_unit_test(reads_spans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
