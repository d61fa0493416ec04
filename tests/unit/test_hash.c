#include "base/hash.h"
#include "base/str.h"
#include "tests/unit/unit.h"

/* FIPS 180-4's example, in one piece and in three. */
static void
hashes(void **state)
{
    static const char want[] =
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    struct text pieces[3] = {{"a", 1}, {"", 0}, {"bc", 2}};
    char hex[2 * HASH_LEN + 1];
    uint8_t hash[HASH_LEN];

    (void)state;
    assert_int_equal(hash_bytes("abc", 3, hash, NULL), MAUTH_OK);
    str_hex(hash, HASH_LEN, hex);
    assert_string_equal(hex, want);
    assert_int_equal(hash_sha256(pieces, 3, hash, NULL), MAUTH_OK);
    str_hex(hash, HASH_LEN, hex);
    assert_string_equal(hex, want);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(hashes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
