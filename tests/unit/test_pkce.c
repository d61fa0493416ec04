#include "cli/pkce.h"
#include "tests/unit/unit.h"

/* RFC 7636 appendix B. */
static void
is_the_standards(void **state)
{
    char challenge[PKCE_LEN + 1];

    (void)state;
    assert_int_equal(
        pkce_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", challenge, NULL),
        MAUTH_OK);
    assert_string_equal(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

/* Each is another, of the characters that 4.1 allows, and the challenge is its own. */
static void
is_new_each_time(void **state)
{
    char challenge[PKCE_LEN + 1], nonce[PKCE_LEN + 1];
    struct pkce a, b;

    (void)state;
    assert_int_equal(pkce_new(&a, NULL), MAUTH_OK);
    assert_int_equal(pkce_new(&b, NULL), MAUTH_OK);
    assert_int_equal(pkce_random(nonce, NULL), MAUTH_OK);
    assert_string_not_equal(a.verifier, b.verifier);
    assert_string_not_equal(a.verifier, nonce);
    assert_int_equal(strlen(a.verifier), PKCE_LEN);
    assert_int_equal(strlen(nonce), PKCE_LEN);
    assert_int_equal(
        strspn(a.verifier, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                           "0123456789-_"),
        PKCE_LEN);
    assert_int_equal(pkce_challenge(a.verifier, challenge, NULL), MAUTH_OK);
    assert_string_equal(challenge, a.challenge);
    pkce_clear(&a);
    for (size_t i = 0; i < sizeof(a); i++)
        assert_int_equal(((const uint8_t *)&a)[i], 0);
    pkce_clear(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_standards),
        cmocka_unit_test(is_new_each_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
