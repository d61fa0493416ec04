#include "authsvc/pace.h"
#include "tests/unit/unit.h"

static const struct id alice = {{1, 2}}, bob = {{2, 1}};

static unsigned
take_all(struct pace *p, const struct id *who, int64_t now_ms)
{
    unsigned n = 0;

    while (n < 1000 && pace_take(p, who, now_ms))
        n++;
    return n;
}

static void
gives_so_many_a_minute(void **state)
{
    struct pace *p;

    (void)state;
    assert_int_equal(pace_new(60, &p, NULL), MAUTH_OK);
    assert_int_equal(take_all(p, &alice, 1000), 60);
    assert_int_equal(take_all(p, &alice, 1000), 0);
    assert_int_equal(take_all(p, &bob, 1000), 60); /* on its own */
    assert_int_equal(take_all(p, &alice, 1999), 0);
    assert_int_equal(take_all(p, &alice, 2000), 1);
    assert_int_equal(take_all(p, &alice, 12000), 10);
    assert_int_equal(
        take_all(p, &alice, 12000 + 100 * 60000), 60); /* no more than full */
    pace_free(p);
}

/* Looking often loses nothing, and gains nothing. */
static void
counts_small_steps(void **state)
{
    struct pace *p;
    unsigned n = 0;

    (void)state;
    assert_int_equal(pace_new(7, &p, NULL), MAUTH_OK);
    assert_int_equal(take_all(p, &alice, 1000), 7);
    for (int64_t ms = 1001; ms <= 61000; ms++)
        n += pace_take(p, &alice, ms);
    assert_int_equal(n, 7);
    pace_free(p);
}

/* What is spent beyond what is left is waited for. */
static void
counts_what_comes_to_light(void **state)
{
    struct pace *p;

    (void)state;
    assert_int_equal(pace_new(60, &p, NULL), MAUTH_OK);
    pace_spend(p, &alice, 50, 1000);
    assert_int_equal(take_all(p, &alice, 1000), 10);
    pace_spend(p, &alice, 254, 1000);
    assert_int_equal(take_all(p, &alice, 1000 + 254000), 0);
    assert_int_equal(take_all(p, &alice, 1000 + 255000), 1);
    pace_spend(p, &bob, 0, 1000);
    assert_int_equal(take_all(p, &bob, 1000), 60);
    pace_free(p);
}

static void
a_clock_that_stands_gives_none(void **state)
{
    struct pace *p;

    (void)state;
    assert_int_equal(pace_new(2, &p, NULL), MAUTH_OK);
    assert_int_equal(take_all(p, &alice, 0), 2);
    assert_int_equal(take_all(p, &alice, 0), 0);
    pace_free(p);
}

/* More than it remembers: the ones that were seen last are still held to their pace. */
static void
forgets_who_was_quiet(void **state)
{
    struct id id = {{0}};
    struct pace *p;

    (void)state;
    assert_int_equal(pace_new(3, &p, NULL), MAUTH_OK);
    for (unsigned i = 0; i < 9; i++) {
        id.b[0] = (uint8_t)i; /* all in one set */
        assert_int_equal(take_all(p, &id, 1000 + i), 3);
    }
    assert_int_equal(take_all(p, &id, 1009), 0);
    id.b[0] = 0;
    assert_int_equal(take_all(p, &id, 1009), 3);
    pace_free(p);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_so_many_a_minute),
        cmocka_unit_test(counts_small_steps),
        cmocka_unit_test(counts_what_comes_to_light),
        cmocka_unit_test(a_clock_that_stands_gives_none),
        cmocka_unit_test(forgets_who_was_quiet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
