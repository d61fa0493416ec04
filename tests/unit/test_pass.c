#include "base/str.h"
#include "tests/unit/unit.h"
#include "tickets/pass.h"

/* One little form: id, time, bytes, and any number of further names. */
struct said {
    struct text name;
    int64_t at_s;
    struct text raw;
    struct text more[3];
    size_t count;
};

static void
go(struct pass *p, struct said *s)
{
    size_t i = 0;

    PASS_FIXED(p, "<a>");
    pass_value(p, &s->name, str_is_uri, '<');
    pass_instant(p, &s->at_s, '|');
    pass_bytes(p, &s->raw, '|');
    for (; PASS_ANOTHER(p, i < s->count, "+"); i++) {
        if (i == COUNT(s->more)) {
            p->failed = true;
            return;
        }
        pass_value(p, &s->more[i], str_is_name, ';');
    }
    s->count = i;
    PASS_FIXED(p, "</a>");
}

static bool
read_from(const char *text, struct said *s, uint8_t pool[256])
{
    struct pass p = {.reading = true};
    struct buf b;

    buf_init_fixed(&b, pool, 256);
    memset(s, 0, sizeof(*s));
    p.pool = &b;
    reader_init(&p.in, text, strlen(text));
    go(&p, s);
    return pass_ok(&p) && reader_done(&p.in);
}

#define GOOD "<a>x:a&amp;b&amp;<2026-11-22T10:00:00Z|AQID|+one;+two;</a>"

static void
goes_both_ways(void **state)
{
    uint8_t pool[256];
    struct said s;
    struct pass p = {0};
    struct buf b;

    (void)state;
    assert_true(read_from(GOOD, &s, pool));
    assert_true(text_is(s.name, "x:a&b&"));
    assert_int_equal(s.name.p[s.name.len], '\0');
    assert_int_equal(s.at_s, 1795341600);
    assert_true(text_is(s.raw, "\1\2\3"));
    assert_int_equal(s.count, 2);
    assert_true(text_is(s.more[1], "two"));
    buf_init(&b);
    p.out = &b;
    go(&p, &s);
    assert_true(pass_ok(&p));
    assert_string_equal(buf_cstr(&b), GOOD);
    buf_clear(&b);
}

static void
refuses_other_bytes(void **state)
{
    static const char *const bad[] = {"", "<a>",
        "<b>x:a<2026-11-22T10:00:00Z|AQID|</a>",
        "<a>x a<2026-11-22T10:00:00Z|AQID|</a>", "<a>x:a<2026-11-22T10:00:0Z|AQID|</a>",
        "<a>x:a<2026-11-22T10:00:00Z|AQI|</a>",
        "<a>x:a<2026-11-22T10:00:00Z|AQID|+;</a>",
        "<a>x:a<2026-11-22T10:00:00Z|AQID|+One;</a>",
        "<a>x:a<2026-11-22T10:00:00Z|AQID|+a;+b;+c;+d;</a>",
        "<a>x:a<2026-11-22T10:00:00Z|AQID|</a> ",
        "<a>x:&<2026-11-22T10:00:00Z|AQID|</a>",
        "<a>x:&amp<2026-11-22T10:00:00Z|AQID|</a>",
        "<a>x:&#38;<2026-11-22T10:00:00Z|AQID|</a>"};
    uint8_t pool[256];
    struct said s;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (read_from(bad[i], &s, pool))
            fail_msg("accepted: %s", bad[i]);
}

/* What reading would refuse is not written either. */
static void
refuses_other_values(void **state)
{
    static const struct said bad[] = {
        {.name = {"no uri", 6}},
        {.name = {"x:a", 3}, .at_s = -1},
        {.name = {"x:a", 3}, .at_s = INT64_MAX},
        {.name = {"x:a", 3}, .more = {{"One", 3}}, .count = 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct said s = bad[i];
        struct pass p = {0};
        struct buf b;

        buf_init(&b);
        p.out = &b;
        go(&p, &s);
        if (pass_ok(&p))
            fail_msg("case %zu", i);
        buf_clear(&b);
    }
}

static void
notices_a_lack_of_room(void **state)
{
    struct said s = {.name = {"x:a", 3}};
    struct pass p = {0};
    uint8_t small[8];
    struct buf b;

    (void)state;
    buf_init_fixed(&b, small, sizeof(small));
    p.out = &b;
    go(&p, &s);
    assert_false(pass_ok(&p));
    assert_false(p.failed);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_both_ways),
        cmocka_unit_test(refuses_other_bytes),
        cmocka_unit_test(refuses_other_values),
        cmocka_unit_test(notices_a_lack_of_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
