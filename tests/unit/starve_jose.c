/* DPoP proofs, made and checked, with each allocation failing in turn. */
#include "jose/prove.h"
#include "tests/unit/golden.h"
#include "tests/unit/starve.h"
#include <meshauth/dpop.h>

#define URL        "https://storage.example/files/a"
#define CREDENTIAL "PHNhbWw6~AAAA"
#define NOW        1795341900

static enum mauth_rc
prove(void *arg, struct mauth_err *err)
{
    const struct dpop_request request = {.method = "GET",
        .url = URL,
        .credential = {CREDENTIAL, sizeof(CREDENTIAL) - 1},
        .now_s = NOW};
    char *proof = NULL;
    enum mauth_rc rc = dpop_prove(&request, arg, &proof, err);

    assert_true((rc == MAUTH_OK) == (proof != NULL));
    free(proof);
    return rc;
}

/* A proof that is refused for want of memory has not been used up. */
static enum mauth_rc
check(void *arg, struct mauth_err *err)
{
    static _Alignas(64) char memory[1 << 14];
    const char *proof = arg;
    struct mauth_dpop_want want = {.size = sizeof(want),
        .method = "GET",
        .url = URL,
        .credential = CREDENTIAL,
        .credential_len = sizeof(CREDENTIAL) - 1,
        .now_s = NOW};
    struct mauth_key *key = NULL;
    enum mauth_rc rc;

    if (mauth_replay_attach(memory, sizeof(memory), &want.replay, NULL))
        assert_false(mauth_replay_init(memory, sizeof(memory), &want.replay, NULL));
    rc = mauth_dpop_check(proof, strlen(proof), &want, &key, err);
    assert_true((rc == MAUTH_OK) == (key != NULL));
    mauth_key_free(key);
    return rc;
}

static void
starves_proofs(void **state)
{
    static const char *const keys[] = {"signing-p256.pem", "signing-rsa2048.pem"};

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        const struct dpop_request request = {.method = "GET",
            .url = URL,
            .credential = {CREDENTIAL, sizeof(CREDENTIAL) - 1},
            .now_s = NOW};
        char *pem = golden_file(keys[i], "", NULL);
        char *proof = NULL;

        assert_int_equal(dpop_prove(&request, pem, &proof, NULL), MAUTH_OK);
        starve("prove", prove, pem);
        starve("check", check, proof);
        free(proof);
        free(pem);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(starves_proofs)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
