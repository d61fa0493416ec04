#include "keys/der.h"
#include "tests/unit/unit.h"

static const char ORDER[] =
    "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff"
    "\xff\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63"
    "\x25\x51";
static const char HALF[] =
    "\x7f\xff\xff\xff\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff"
    "\xff\xde\x73\x7d\x56\xd3\x8b\xcf\x42\x79\xdc\xe5\x61\x7e\x31"
    "\x92\xa8";

static void
set(uint8_t raw[64], const char *r, const char *s)
{
    memcpy(raw, r, 32);
    memcpy(raw + 32, s, 32);
}

static void
refuses_values_out_of_range(void **state)
{
    static const char zero[32] = {0}, one[32] = {[31] = 1};
    uint8_t raw[64], der[DER_ECDSA_DER_MAX];
    char above[32], below[32];
    size_t len;

    (void)state;
    memcpy(above, HALF, 32);
    above[31]++;
    memcpy(below, ORDER, 32);
    below[31]--;
    set(raw, one, one);
    assert_true(der_from_raw(raw, der, &len));
    assert_int_equal(len, 8);
    set(raw, below, HALF);
    assert_true(der_from_raw(raw, der, &len));
    set(raw, zero, one);
    assert_false(der_from_raw(raw, der, &len));
    set(raw, one, zero);
    assert_false(der_from_raw(raw, der, &len));
    set(raw, ORDER, one);
    assert_false(der_from_raw(raw, der, &len));
    set(raw, one, above); /* high s */
    assert_false(der_from_raw(raw, der, &len));
    assert_int_equal(len, 0);
}

static void
goes_there_and_back(void **state)
{
    uint8_t raw[64], back[64], der[DER_ECDSA_DER_MAX];
    size_t len;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        for (unsigned j = 0; j < 64; j++)
            raw[j] = (uint8_t)((i * 2654435761U >> (j % 13)) + j * i);
        raw[0] &= 0xfe; /* in range, with short values now and then */
        raw[32] &= 0x7e;
        memset(raw + 1, 0, i % 31);
        if (!der_from_raw(raw, der, &len))
            continue;
        assert_true(der_to_raw(der, len, back));
        assert_memory_equal(raw, back, 64);
        for (size_t cut = 0; cut < len; cut++)
            assert_false(der_to_raw(der, cut, back));
    }
}

/* n - 1 is a high s; its other form is 1. */
static void
chooses_the_lower_s(void **state)
{
    uint8_t der[] = {0x30, 0x26, 0x02, 0x01, 0x01, 0x02, 0x21, 0x00, 0xff, 0xff, 0xff,
        0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc,
        0x63, 0x25, 0x50};
    uint8_t raw[64], want[64] = {[31] = 1, [63] = 1};

    (void)state;
    assert_true(der_to_raw(der, sizeof(der), raw));
    assert_memory_equal(raw, want, 64);
}

/* As others make r || s: n - 1 and 1 are the same, what is out of range is refused. */
static void
lowers_what_others_made(void **state)
{
    static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
        0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    uint8_t raw[64] = {[31] = 1}, want[64] = {[31] = 1, [63] = 1};

    (void)state;
    assert_false(der_lower_s(raw)); /* s is 0 */
    memcpy(raw + 32, order, 32);
    assert_false(der_lower_s(raw));
    raw[63]--;
    assert_true(der_lower_s(raw));
    assert_memory_equal(raw, want, 64);
    assert_true(der_lower_s(raw)); /* and stays so */
    assert_memory_equal(raw, want, 64);
    memcpy(raw, order, 32);
    assert_false(der_lower_s(raw));
    memset(raw, 0, 32);
    assert_false(der_lower_s(raw));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_values_out_of_range),
        cmocka_unit_test(goes_there_and_back),
        cmocka_unit_test(chooses_the_lower_s),
        cmocka_unit_test(lowers_what_others_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
