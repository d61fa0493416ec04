#include "jose/jws.h"
#include "tests/fuzz/fuzz.h"

/* {"alg":"ES256"}.{}. and a signature of 64 zero bytes, which no key makes. */
static const char TOKEN[] = "eyJhbGciOiJFUzI1NiJ9.e30."
                            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jwks *keys = NULL;
    const json_t *claims;
    enum jws_refusal why;
    struct jws *j = NULL;

    if (jwks_parse((struct text){(const char *)data, size}, &keys, NULL) != MAUTH_OK) {
        MUST(!keys);
        return 0;
    }
    MUST(keys && jwks_count(keys) <= JWKS_KEYS);
    MUST(
        jws_parse((struct text){TOKEN, sizeof(TOKEN) - 1}, &j, &why, NULL) == MAUTH_OK);
    MUST(jws_verify(j, keys, &claims, &why, NULL) == MAUTH_UNTRUSTED && !claims);
    jws_free(j);
    jwks_free(keys);
    return 0;
}
