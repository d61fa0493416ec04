/* What a request proves is driven over TLS, in tests/e2e/test_dpop.py. */
#include "authsvc/proof.h"
#include "tests/unit/unit.h"

static void
nonce_at(const struct proofs *p, int64_t now_s, char out[PROOF_NONCE])
{
    memset(out, 0, PROOF_NONCE);
    assert_int_equal(proofs_nonce(p, now_s, out, NULL), MAUTH_OK);
    assert_int_equal(strlen(out), PROOF_NONCE - 1);
}

static void
test_nonces(void **state)
{
    char first[PROOF_NONCE], other[PROOF_NONCE];
    struct proofs *p, *q;

    (void)state;
    assert_int_equal(proofs_new(&p, NULL), MAUTH_OK);
    assert_int_equal(proofs_new(&q, NULL), MAUTH_OK);
    nonce_at(p, 6000, first);
    nonce_at(p, 6059, other);
    assert_string_equal(first, other);
    nonce_at(p, 6060, other);
    assert_string_not_equal(first, other);
    nonce_at(q, 6000, other); /* another process, another secret */
    assert_string_not_equal(first, other);
    proofs_free(p);
    proofs_free(q);
    proofs_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nonces)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
