#include <stdbool.h>

#include "base/utf8.h"
#include "tests/unit/unit.h"

static size_t
encode(uint32_t rune, uint8_t out[4])
{
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t n = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;

    for (size_t i = n - 1; i > 0; i--, rune >>= 6)
        out[i] = (uint8_t)(0x80 | (rune & 0x3f));
    out[0] = (uint8_t)(lead[n] | rune);
    return n;
}

static void
takes_each_code_point(void **state)
{
    uint8_t p[4];
    uint32_t got;

    (void)state;
    for (uint32_t rune = 0; rune < 0x120000; rune++) {
        bool is = rune <= 0x10ffff && (rune < 0xd800 || rune > 0xdfff);
        size_t n = encode(rune, p);

        assert_int_equal(utf8_next(p, n, &got), is ? n : 0);
        assert_int_equal(got, is ? rune : 0);
        assert_int_equal(utf8_next(p, n - 1, &got), 0);
    }
}

/* Whatever is taken, encoded again, is what it was: there is no second spelling. */
static void
takes_each_in_one_form_only(void **state)
{
    static const uint8_t edges[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0xbf, 0xc0, 0xff};
    uint8_t again[4];
    uint32_t rune;

    (void)state;
    for (uint32_t i = 0; i < 0x10000 * COUNT(edges) * COUNT(edges); i++) {
        const uint8_t p[4] = {
            (uint8_t)i, (uint8_t)(i >> 8), edges[i >> 16 & 7], edges[i >> 19]};
        size_t n = utf8_next(p, 4, &rune);

        if (n == 0)
            continue;
        assert_int_equal(encode(rune, again), n);
        assert_memory_equal(again, p, n);
    }
}

static void
refuses_nothing_at_all(void **state)
{
    uint32_t rune = 1;

    (void)state;
    assert_int_equal(utf8_next("", 0, &rune), 0);
    assert_int_equal(rune, 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_each_code_point),
        cmocka_unit_test(takes_each_in_one_form_only),
        cmocka_unit_test(refuses_nothing_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
