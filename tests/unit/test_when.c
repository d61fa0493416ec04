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

static void
reads_times(void **state)
{
    static const struct {
        const char *text;
        int64_t ago_s, ahead_s; /* 0: none */
    } cases[] = {
        {"2026-11-22T10:05:00Z", 1795341900, 1795341900},
        {"2026-11-22", 1795305600, 1795305600},
        {"2028-02-29", 1835395200, 1835395200},
        {"7d", 2000000000 - 604800, 2000000000 + 604800},
        {"2026-11-31", 0, 0},
        {"2026-11-22T10:05:00", 0, 0},
        {"2026-11-22 ", 0, 0},
        {"26-11-22", 0, 0},
        {"2026-11", 0, 0},
        {"7", 0, 0},
        {"", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ago_s = 1, ahead_s = 1;

        if (when_read(cases[i].text, 2000000000, WHEN_AGO, &ago_s) !=
                (cases[i].ago_s != 0) ||
            when_read(cases[i].text, 2000000000, WHEN_AHEAD, &ahead_s) !=
                (cases[i].ahead_s != 0) ||
            ago_s != cases[i].ago_s || ahead_s != cases[i].ahead_s)
            fail_msg("'%s'", cases[i].text);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_times_as_people_do),
        cmocka_unit_test(reads_spans),
        cmocka_unit_test(reads_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
