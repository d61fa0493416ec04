#include "policy/utf8.h"
#include "tests/unit/unit.h"

/* Every code point has one form, and nothing but those forms is taken. */
static void
takes_each_code_point_in_one_form(void **state)
{
    uint32_t rune, forms = 0;

    (void)state;
    for (uint32_t first = 0; first < 0x100; first++) {
        for (uint32_t rest = 0; rest < 0x1000000; rest += 1) {
            uint8_t p[4] = {(uint8_t)first, (uint8_t)(rest >> 16), (uint8_t)(rest >> 8),
                (uint8_t)rest};
            size_t n = utf8_next(p, 4, &rune);

            if (n == 0) { /* the second byte decides, or the third, or the fourth */
                assert_int_equal(rune, 0);
                if (first < 0xe0 && rest % 0x10000 == 0)
                    rest |= 0xffff;
                else if (first >= 0xe0 && (p[1] & 0xc0) != 0x80)
                    rest |= 0xffff;
                continue;
            }
            assert_true(rune <= 0x10ffff && (rune < 0xd800 || rune > 0xdfff));
            assert_int_equal(n, rune < 0x80      ? 1
                                : rune < 0x800   ? 2
                                : rune < 0x10000 ? 3
                                                 : 4);
            assert_int_equal(utf8_next(p, n, &rune), n);
            assert_int_equal(utf8_next(p, n - 1, &rune), 0);
            forms++;
            rest |= (1U << 8 * (4 - n)) - 1;
        }
    }
    assert_int_equal(forms, 0x110000 - 0x800);
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
        cmocka_unit_test(takes_each_code_point_in_one_form),
        cmocka_unit_test(refuses_nothing_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
