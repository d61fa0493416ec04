#include "base/time.h"
#include "cli/keys_line.h"
#include "tests/unit/unit.h"

enum {
    NOW = 1000 * KEYS_LINE_WIDTH,
    SPAN = 10 * NOW /* of ten windows, so that now is a tenth of the way */
};

/* The marks of a line as runs: "5= 3-". */
static const char *
runs(const char *line)
{
    static char out[128];
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0, n; line[i]; i += n) {
        for (n = 1; line[i + n] == line[i]; n++)
            continue;
        at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%zu%c", at ? " " : "", n,
            line[i] == ' ' ? '_' : line[i]);
    }
    return out;
}

static void
draws_what_each_does_when(void **state)
{
    static const struct {
        const char *name;
        struct keys_line k;
        const char *runs;
    } cases[] = {
        {"signs since it began", {TRUST_ACTIVE, 0, SPAN, 1, 0}, "58="},
        {"verified first", {TRUST_ACTIVE, 0, SPAN, NOW / 2, 0}, "2. 56="},
        {"comes later", {TRUST_NEXT, SPAN / 2, SPAN, 0, 0}, "28_ 30."},
        {"ends before the others", {TRUST_ACTIVE, 0, SPAN / 2, 1, 0}, "29= 29_"},
        {"retires", {TRUST_RETIRING, 0, SPAN, 1, SPAN / 5}, "5= 7- 46_"},
        {"retires so soon that it is a mark", {TRUST_RETIRING, 0, SPAN, 1, NOW + 1},
            "5= 1- 52_"},
        {"is revoked", {TRUST_REVOKED, 0, SPAN, 1, 0}, "58x"},
    };
    const struct keys_line all = {TRUST_ACTIVE, 0, SPAN, 0, 0};
    struct keys_line_scale scale;
    char line[KEYS_LINE_WIDTH + 1];

    (void)state;
    keys_line_scale(&all, 1, NOW, &scale);
    for (size_t i = 0; i < COUNT(cases); i++) {
        keys_line_draw(&cases[i].k, &scale, line);
        if (strcmp(runs(line), cases[i].runs) != 0)
            fail_msg("%s: %s, not %s", cases[i].name, runs(line), cases[i].runs);
    }
}

static void
scales_over_all_windows(void **state)
{
    static const struct keys_line k[] = {
        {TRUST_ACTIVE, 500, 900, 0, 0}, {TRUST_NEXT, 700, 1500, 0, 0}};
    struct keys_line_scale s;

    (void)state;
    keys_line_scale(k, COUNT(k), 800, &s);
    assert_int_equal(s.first_s, 500);
    assert_int_equal(s.last_s, 1500);
    assert_int_equal(keys_line_column(&s, 0), 0);
    assert_true(keys_line_column(&s, INT64_MAX) < KEYS_LINE_WIDTH);
    /* Now is always on it, also when all is over or nothing has begun. */
    keys_line_scale(k, COUNT(k), 2000, &s);
    assert_int_equal(s.last_s, 2000);
    keys_line_scale(k, COUNT(k), 100, &s);
    assert_int_equal(s.first_s, 100);
    keys_line_scale(k, 0, 100, &s);
    assert_int_equal(keys_line_column(&s, 100), 0);
    /* No time in which it would not fit. */
    s = (struct keys_line_scale){0, TIME_MAX_S, 5};
    assert_true(keys_line_column(&s, TIME_MAX_S) < KEYS_LINE_WIDTH);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_what_each_does_when),
        cmocka_unit_test(scales_over_all_windows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
