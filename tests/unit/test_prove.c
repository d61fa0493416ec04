#include "jose/prove.h"
#include "tests/unit/token.h"
#include <meshauth/dpop.h>

#define URL        "https://auth.example/v1/token"
#define CREDENTIAL "PHNhbWw6~AAAA"
#define NOW        1795341900

static _Alignas(64) char memory[1 << 16];
static struct mauth_replay *replay;

static int
set_up(void **state)
{
    (void)state;
    return mauth_replay_init(memory, mauth_replay_bytes(1000), &replay, NULL) !=
           MAUTH_OK;
}

static char *
pem_of(const char *alg)
{
    char name[32];

    snprintf(name, sizeof(name), "signing-%s.pem", alg);
    return golden_file(name, "", NULL);
}

static char *
prove(const struct dpop_request *request, const char *alg)
{
    char *pem = pem_of(alg), *proof = NULL;
    struct mauth_err err = MAUTH_ERR_INIT;

    if (dpop_prove(request, pem, &proof, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
    free(pem);
    return proof;
}

static enum mauth_rc
check(const char *proof, const struct mauth_dpop_want *want, const char *alg)
{
    struct mauth_key *key = NULL;
    enum mauth_rc rc = mauth_dpop_check(proof, strlen(proof), want, &key, NULL);

    if (rc == MAUTH_OK) {
        struct signer *s = golden_signer(alg);

        assert_string_equal(mauth_key_id(key), mauth_key_id(signer_key(s)));
        signer_free(s);
    }
    mauth_key_free(key);
    return rc;
}

/* What one side makes the other takes, and for nothing but what it was made for. */
static void
test_proves(void **state)
{
    static const char *const algs[] = {"p256", "rsa2048"};

    (void)state;
    for (size_t i = 0; i < COUNT(algs); i++) {
        struct dpop_request request = {.method = "POST",
            .url = URL "?page=2#end",
            .credential = text_of(CREDENTIAL),
            .nonce = "n-1",
            .now_s = NOW};
        struct mauth_dpop_want want = {.size = sizeof(want),
            .method = "POST",
            .url = URL,
            .credential = CREDENTIAL,
            .credential_len = strlen(CREDENTIAL),
            .nonce = "n-1",
            .now_s = NOW,
            .replay = replay};
        struct mauth_dpop_want other = want;
        char *proof = prove(&request, algs[i]), *next = prove(&request, algs[i]);

        other.method = "GET";
        assert_int_equal(check(proof, &other, algs[i]), MAUTH_DENIED);
        other = want;
        other.url = URL "/";
        assert_int_equal(check(proof, &other, algs[i]), MAUTH_DENIED);
        other = want;
        other.credential_len--;
        assert_int_equal(check(proof, &other, algs[i]), MAUTH_DENIED);
        other = want;
        other.nonce = "n-2";
        assert_int_equal(check(proof, &other, algs[i]), MAUTH_EXPIRED);
        other = want;
        other.now_s = NOW + MAUTH_DPOP_WINDOW_S + 1;
        assert_int_equal(check(proof, &other, algs[i]), MAUTH_EXPIRED);
        assert_int_equal(check(proof, &want, algs[i]), MAUTH_OK);
        assert_int_equal(check(proof, &want, algs[i]), MAUTH_CONFLICT);
        assert_int_equal(check(next, &want, algs[i]), MAUTH_OK);
        free(proof);
        free(next);
    }
}

/* The first login: neither a ticket nor a nonce is at hand. */
static void
test_proves_without(void **state)
{
    struct dpop_request request = {.method = "POST", .url = URL, .now_s = NOW};
    struct mauth_dpop_want want = {.size = sizeof(want),
        .method = "POST",
        .url = URL,
        .now_s = NOW,
        .replay = replay};
    char *proof = prove(&request, "p256");

    (void)state;
    want.credential = CREDENTIAL;
    want.credential_len = strlen(CREDENTIAL);
    assert_int_equal(check(proof, &want, "p256"), MAUTH_MALFORMED);
    want.credential = NULL;
    want.credential_len = 0;
    assert_int_equal(check(proof, &want, "p256"), MAUTH_OK);
    free(proof);
}

static void
test_refuses(void **state)
{
    static char long_url[MAUTH_DPOP_MAX];
    char *private_key = pem_of("p256");
    char *public_key = golden_file("signing-p256.pub.pem", "", NULL);
    char *ed25519 = golden_file("root.pem", "", NULL);
    const struct {
        const char *name, *method, *url, *nonce, *pem;
        enum mauth_rc rc;
    } refusals[] = {
        {"no key", "GET", URL, NULL, "", MAUTH_MALFORMED},
        {"a public key", "GET", URL, NULL, public_key, MAUTH_MALFORMED},
        {"a key of another kind", "GET", URL, NULL, ed25519, MAUTH_MALFORMED},
        {"a method that is no UTF-8", "G\xff", URL, NULL, private_key, MAUTH_INVALID},
        {"a URL that is no UTF-8", "GET", URL "\xff", NULL, private_key, MAUTH_INVALID},
        {"a nonce that is no UTF-8", "GET", URL, "\xff", private_key, MAUTH_INVALID},
        {"more than is read", "GET", long_url, NULL, private_key, MAUTH_TOO_LARGE},
    };

    (void)state;
    memset(long_url, 'a', sizeof(long_url) - 1);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct dpop_request request = {.method = refusals[i].method,
            .url = refusals[i].url,
            .nonce = refusals[i].nonce,
            .now_s = NOW};
        char *proof = private_key;

        if (dpop_prove(&request, refusals[i].pem, &proof, NULL) != refusals[i].rc ||
            proof)
            fail_msg("%s", refusals[i].name);
    }
    free(ed25519);
    free(public_key);
    free(private_key);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proves),
        cmocka_unit_test(test_proves_without),
        cmocka_unit_test(test_refuses),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
