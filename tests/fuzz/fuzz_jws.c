#include "jose/jws.h"
#include "tests/fuzz/fuzz.h"

/*
 * Two keys that nobody has. The point's x is SHA-256("meshauth: nobody's key"),
 * counted up to the curve; the modulus is SHA-256("meshauth: nobody's modulus 0")
 * to 7, its highest and lowest bits set.
 */
static const char NOBODY[] =
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"ec\","
    "\"x\":\"6OWf_LQCj_21X_t4_vNXJONbp_IdbH0tdqfjoDKCGdg\","
    "\"y\":\"rK_WFr_bhf9EOs5Ws3qF1TlExFd8alhAhSW9Z2io8LE\"},"
    "{\"kty\":\"RSA\",\"kid\":\"rsa\",\"e\":\"AQAB\","
    "\"n\":\"7p20rG7FkX-o5AUqqnvqTY67L2SkUYLG3LVMCLO5nDaHfJntJT26iWY6DPVUTudtS8p0MaF"
    "mAay__J7G4Ex9lN396OvZ_cl604TbOA1I9tXgeV6wW4rs5oasGzmQ-1v89qoQJjwrGycWAyhRXVwMUZi1"
    "VbcorTJ1qrrMzE0F3X3Ubb_n-RPVA6zMZGdPx7oiS6aSCZyKcSn8OEsoD77thbKXZXGTeye682pk4GxO"
    "e9ggU4gpdyg8BNQxlzEC3PQP4R3HJSsTwDV4p_6w_vp5GhX09RwvzCxTbF-F-CxayQE7gv9azIa9_unl"
    "HicwAyvQxOjxMeKhvmqTJU4XS5qRjw\"}]}";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct jwks *keys;
    struct text token = {(const char *)data, size};
    const json_t *claims;
    enum jws_refusal why;
    struct jws *j = NULL;

    if (!keys)
        MUST(jwks_parse((struct text){NOBODY, sizeof(NOBODY) - 1}, &keys, NULL) ==
                 MAUTH_OK &&
             jwks_count(keys) == 2);
    if (jws_parse(token, &j, &why, NULL) != MAUTH_OK) {
        MUST(!j && why != JWS_FINE);
        return 0;
    }
    MUST(j && why == JWS_FINE);
    MUST(jws_verify(j, keys, &claims, &why, NULL) != MAUTH_OK);
    MUST(!claims && why != JWS_FINE);
    jws_free(j);
    return 0;
}
