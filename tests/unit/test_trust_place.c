#include "base/str.h"
#include "keys/trust_place.h"
#include "tests/unit/unit.h"

static const char *const good[] = {
    "0.0", "1.17", "999999999999999999.999999999999999999"};

static const char *const bad[] = {"", ".", "1", "1.", ".1", "1.2.3", "01.2", "1.02",
    "-1.2", " 1.2", "1.2 ", "1,2", "1000000000000000000.1"};

static void
reads_what_it_writes(void **state)
{
    char text[TRUST_PLACE_MAX + 1];
    struct trust_place p;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(trust_place_read(text_of(good[i]), &p));
        trust_place_format(p, text);
        assert_string_equal(text, good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        if (trust_place_read(text_of(bad[i]), &p))
            fail_msg("accepted: %s", bad[i]);
    trust_place_format((struct trust_place){UINT64_MAX, UINT64_MAX}, text);
    assert_int_equal(strlen(text), TRUST_PLACE_MAX);
}

static void
puts_the_epoch_first(void **state)
{
    static const struct trust_place rising[] = {{0, 0}, {0, 9}, {1, 0}, {1, 1}, {2, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(rising); i++)
        for (size_t j = 0; j < COUNT(rising); j++) {
            int order = trust_place_compare(rising[i], rising[j]);

            assert_int_equal(order > 0, i > j);
            assert_int_equal(order < 0, i < j);
        }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(puts_the_epoch_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
