#include "base/siphash.h"
#include "tests/unit/unit.h"

/* From the paper's appendix and its reference implementation: key 00..0f, input 00.. */
static void
agrees_with_the_paper(void **state)
{
    static const struct {
        size_t len;
        uint64_t hash;
    } cases[] = {{0, UINT64_C(0x726fdb47dd0e0e31)}, {1, UINT64_C(0x74f839c593dc67fd)},
        {7, UINT64_C(0xab0200f58b01d137)}, {8, UINT64_C(0x93f5f5799a932462)},
        {15, UINT64_C(0xa129ca6149be45e5)}};
    uint8_t key[SIPHASH_KEY], in[16];

    (void)state;
    for (size_t i = 0; i < sizeof(in); i++)
        key[i] = in[i] = (uint8_t)i;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_true(siphash(key, in, cases[i].len) == cases[i].hash);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_paper),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
