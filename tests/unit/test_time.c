#include <time.h>

#include "base/time.h"
#include "tests/unit/unit.h"

static void
known_times(void **state)
{
    static const struct {
        const char *text;
        int64_t t_s;
    } known[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2000-02-29T23:59:59Z", 951868799},
        {"2026-11-22T10:00:00Z", 1795341600},
        {"9999-12-31T23:59:59Z", TIME_MAX_S},
    };
    char out[TIME_LEN + 1];
    int64_t t_s;

    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        assert_true(time_parse(known[i].text, TIME_LEN, &t_s));
        assert_true(t_s == known[i].t_s);
        time_format(t_s, out);
        assert_string_equal(out, known[i].text);
    }
}

/* Against the C library's calendar, a step that hits all months and leap years. */
static void
agrees_with_gmtime(void **state)
{
    char out[TIME_LEN + 1], theirs[32];
    int64_t back;

    (void)state;
    for (int64_t t = 0; t <= TIME_MAX_S; t += 1234567) {
        time_t c = (time_t)t;
        struct tm tm;

        gmtime_r(&c, &tm);
        strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%SZ", &tm);
        time_format(t, out);
        if (strcmp(out, theirs) != 0)
            fail_msg("%s is not %s", out, theirs);
        assert_true(time_parse(out, TIME_LEN, &back));
        assert_true(back == t);
    }
}

static void
refuses_every_other_spelling(void **state)
{
    static const char *const bad[] = {"", "2026-11-22T10:00:00", "2026-11-22t10:00:00Z",
        "2026-11-22T10:00:00z", "2026-11-22 10:00:00Z", "2026-11-22T10:00:00.0Z",
        "2026-11-22T10:00:00+00:00", "1969-12-31T23:59:59Z", "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-00-10T00:00:00Z",
        "2026-13-10T00:00:00Z", "2026-11-00T00:00:00Z", "2026-11-22T24:00:00Z",
        "2026-11-22T10:60:00Z", "2026-12-31T23:59:60Z", "+026-11-22T10:00:00Z",
        "2026-1 -22T10:00:00Z", "2026-11-22T10:00:0\xd9Z"};
    int64_t t_s;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        t_s = 1;
        if (time_parse(bad[i], strlen(bad[i]), &t_s))
            fail_msg("accepted: %s", bad[i]);
        assert_true(t_s == 0);
    }
}

static void
clamps_what_has_no_spelling(void **state)
{
    char out[TIME_LEN + 1];

    (void)state;
    time_format(-1, out);
    assert_string_equal(out, "1970-01-01T00:00:00Z");
    time_format(INT64_MAX, out);
    assert_string_equal(out, "9999-12-31T23:59:59Z");
    assert_true(time_now_s() > 1700000000);
    assert_true(time_monotonic_ms() > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times),
        cmocka_unit_test(agrees_with_gmtime),
        cmocka_unit_test(refuses_every_other_spelling),
        cmocka_unit_test(clamps_what_has_no_spelling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
