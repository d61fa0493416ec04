#include "jose/prove.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/rand.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/hash.h"
#include "jose/jws.h"
#include <meshauth/dpop.h>

enum {
    JTI_BYTES = 16
};

static bool
put_base64(json_t *claims, const char *name, const uint8_t *data, size_t len)
{
    char text[4 * HASH_LEN / 3 + 4];
    size_t used = b64_encode(B64_URL, data, len, text);

    return json_object_set_new(claims, name, json_stringn(text, used)) == 0;
}

/* RFC 9449 4.2. "htu" is the URL without its query and fragment. */
static enum mauth_rc
put_claims(json_t *claims, const struct dpop_request *request, struct mauth_err *err)
{
    uint8_t jti[JTI_BYTES], ath[HASH_LEN];
    bool ok;

    if (RAND_bytes(jti, sizeof(jti)) != 1)
        return mauth_fail(err, MAUTH_INTERNAL, "dpop: no randomness");
    ok = put_base64(claims, "jti", jti, sizeof(jti)) &&
         json_object_set_new(claims, "htm", json_string(request->method)) == 0 &&
         json_object_set_new(claims, "htu",
             json_stringn(request->url, strcspn(request->url, "?#"))) == 0 &&
         json_object_set_new(claims, "iat", json_integer(request->now_s)) == 0;
    if (ok && request->credential.len) {
        enum mauth_rc rc = hash_sha256(&request->credential, 1, ath, err);

        if (rc)
            return rc;
        ok = put_base64(claims, "ath", ath, sizeof(ath));
    }
    if (ok && request->nonce)
        ok = json_object_set_new(claims, "nonce", json_string(request->nonce)) == 0;
    return ok ? MAUTH_OK
              : mauth_fail(err, MAUTH_INVALID, "dpop: cannot write the claims");
}

enum mauth_rc
dpop_prove(const struct dpop_request *request, const char *pem, char **out,
    struct mauth_err *err)
{
    json_t *claims = json_object();
    enum mauth_rc rc;

    *out = NULL;
    if (!claims)
        return mauth_fail(err, MAUTH_NO_MEMORY, "dpop: no memory");
    rc = put_claims(claims, request, err);
    if (rc == MAUTH_OK)
        rc = jws_sign_proof(claims, pem, out, err);
    json_decref(claims);
    if (rc == MAUTH_OK && strlen(*out) > MAUTH_DPOP_MAX) {
        rc = mauth_fail(err, MAUTH_TOO_LARGE, "dpop: %zu characters", strlen(*out));
        free(*out);
        *out = NULL;
    }
    return rc;
}
