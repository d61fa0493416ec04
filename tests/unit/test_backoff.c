#include "tests/unit/unit.h"
#include "updater/backoff.h"

/* The longest and the shortest wait of each failure in a row. */
static void
doubles_up_to_a_minute(void **state)
{
    static const int64_t high_ms[] = {2000, 4000, 8000, 16000, 32000, 60000, 60000};
    struct backoff b = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(high_ms); i++) {
        struct backoff again = b;
        int64_t low_ms = high_ms[i] / 8;

        assert_int_equal(backoff_wait_ms(&again, 0, 0), low_ms);
        again = b;
        assert_int_equal(
            backoff_wait_ms(&again, 0, (uint64_t)(high_ms[i] - low_ms)), high_ms[i]);
        assert_in_range(backoff_wait_ms(&b, 0, UINT64_MAX), low_ms, high_ms[i]);
    }
    b = (struct backoff){.failures = UINT32_MAX};
    assert_in_range(backoff_wait_ms(&b, 0, 12345), 7500, 60000);
    assert_int_equal(b.failures, UINT32_MAX);
}

/* A thousand that failed at one moment do not come back at one. */
static void
spreads_those_who_failed_together(void **state)
{
    size_t in_tenth[10] = {0};

    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        struct backoff b = {.failures = 9};
        int64_t ms = backoff_wait_ms(&b, 0, i * UINT64_C(0x9e3779b97f4a7c15));

        in_tenth[(ms - 7500) * 10 / (60000 - 7500 + 1)]++;
    }
    for (size_t i = 0; i < COUNT(in_tenth); i++)
        assert_in_range(in_tenth[i], 50, 150);
}

static void
waits_as_long_as_it_was_asked(void **state)
{
    struct backoff b = {0};

    (void)state;
    assert_in_range(backoff_wait_ms(&b, 1, 0), 1000, 2000);
    assert_in_range(backoff_wait_ms(&b, 1, UINT64_MAX), 1000, 4000);
    for (uint64_t i = 0; i < 50; i++) {
        b = (struct backoff){0};
        assert_in_range(backoff_wait_ms(&b, 40, i * 997), 40000, 50000);
        b = (struct backoff){0};
        assert_in_range(backoff_wait_ms(&b, INT64_MAX, i * 997), 600000, 750000);
        b = (struct backoff){0};
        assert_in_range(backoff_wait_ms(&b, -5, i * 997), 250, 2000);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_up_to_a_minute),
        cmocka_unit_test(spreads_those_who_failed_together),
        cmocka_unit_test(waits_as_long_as_it_was_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
