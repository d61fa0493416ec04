#include "jose/jwks.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/b64.h"
#include "base/fail.h"
#include "jose/jwk.h"
#include "keys/signer.h"

struct jwks {
    size_t count;
    struct jwk key[JWKS_KEYS];
};

size_t
jwks_count(const struct jwks *s)
{
    return s->count;
}

const struct jwk *
jwks_at(const struct jwks *s, size_t i)
{
    return &s->key[i];
}

void
jwks_free(struct jwks *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        jwk_clear(&s->key[i]);
    free(s);
}

/* Also among keys that we leave out: a name means one key, or nothing. */
static enum mauth_rc
refuse_twins(const json_t *keys, struct mauth_err *err)
{
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *kid = json_object_get(json_array_get(keys, i), "kid");
        char quoted[64];

        for (size_t j = 0; kid && j < i; j++)
            if (json_equal(kid, json_object_get(json_array_get(keys, j), "kid")))
                return mauth_fail(err, MAUTH_MALFORMED, "jwks: two keys named \"%s\"",
                    mauth_quote(json_string_value(kid), json_string_length(kid), quoted,
                        sizeof(quoted)));
    }
    return MAUTH_OK;
}

static enum mauth_rc
take_keys(const json_t *keys, struct jwks *s, struct mauth_err *err)
{
    size_t i;
    json_t *key;

    if (!json_is_array(keys))
        return mauth_fail(err, MAUTH_MALFORMED, "jwks: no array \"keys\"");
    if (json_array_size(keys) > JWKS_KEYS)
        return mauth_fail(
            err, MAUTH_TOO_LARGE, "jwks: %zu keys", json_array_size(keys));
    json_array_foreach(keys, i, key)
    {
        enum mauth_rc rc = jwk_parse(key, &s->key[s->count], err);

        if (rc)
            return rc;
        if (s->key[s->count].key)
            s->count++;
        else
            jwk_clear(&s->key[s->count]);
    }
    return refuse_twins(keys, err);
}

enum mauth_rc
jwks_parse(struct text json, struct jwks **out, struct mauth_err *err)
{
    json_t *root = NULL;
    struct jwks *s = NULL;
    enum mauth_rc rc;
    json_error_t e;

    *out = NULL;
    if (json.len > JWKS_MAX)
        return mauth_fail(err, MAUTH_TOO_LARGE, "jwks: %zu bytes", json.len);
    root = json_loadb(json.len ? json.p : "", json.len, JSON_REJECT_DUPLICATES, &e);
    if (!json_is_object(root)) {
        rc = mauth_fail(err, MAUTH_MALFORMED, "jwks: not a JSON object");
        goto out;
    }
    s = calloc(1, sizeof(*s));
    if (!s) {
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "jwks: no memory");
        goto out;
    }
    rc = take_keys(json_object_get(root, "keys"), s, err);
    if (rc)
        goto out;
    *out = s;
    s = NULL; /* now the caller's */
out:
    jwks_free(s);
    json_decref(root);
    return rc;
}

/* A number of the key as base64url, padded in front to len bytes when that is not 0. */
static bool
put_number(
    json_t *json, const char *name, const EVP_PKEY *key, const char *param, int len)
{
    char text[4 * JWK_SIGNATURE_MAX / 3 + 4];
    uint8_t raw[JWK_SIGNATURE_MAX];
    BIGNUM *n = NULL;
    size_t used;
    int size;

    if (EVP_PKEY_get_bn_param(key, param, &n) != 1)
        return false;
    size = BN_bn2binpad(n, raw, len ? len : BN_num_bytes(n));
    BN_free(n);
    if (size <= 0)
        return false;
    used = b64_encode(B64_URL, raw, (size_t)size, text);
    return json_object_set_new(json, name, json_stringn(text, used)) == 0;
}

/* The members that depend on the kind of key. */
static bool
put_key(json_t *json, const struct mauth_key *key)
{
    bool ecdsa = key_alg(key) == KEY_ECDSA_SHA256, ok;
    size_t len;
    const uint8_t *p = mauth_key_spki(key, &len);
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)len);

    ok = pkey &&
         json_object_set_new(json, "kty", json_string(ecdsa ? "EC" : "RSA")) == 0;
    ok = ok &&
         json_object_set_new(json, "alg", json_string(ecdsa ? "ES256" : "RS256")) == 0;
    if (ok && ecdsa)
        ok = json_object_set_new(json, "crv", json_string("P-256")) == 0 &&
             put_number(json, "x", pkey, OSSL_PKEY_PARAM_EC_PUB_X, 32) &&
             put_number(json, "y", pkey, OSSL_PKEY_PARAM_EC_PUB_Y, 32);
    else if (ok)
        ok = put_number(json, "n", pkey, OSSL_PKEY_PARAM_RSA_N, 0) &&
             put_number(json, "e", pkey, OSSL_PKEY_PARAM_RSA_E, 0);
    EVP_PKEY_free(pkey);
    return ok;
}

static enum mauth_rc
write_set(
    const struct mauth_key *key, const char *kid, char **out, struct mauth_err *err)
{
    json_t *json = json_pack("{s:s}", "use", "sig"), *set = NULL;

    if (json && (!kid || json_object_set_new(json, "kid", json_string(kid)) == 0) &&
        put_key(json, key))
        set = json_pack("{s:[O]}", "keys", json);
    if (set)
        *out = json_dumps(set, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(json);
    json_decref(set);
    if (!*out)
        return mauth_fail(err, MAUTH_INTERNAL, "jwks: cannot write the key");
    return MAUTH_OK;
}

enum mauth_rc
jwks_from_pem(const char *pem, const char *kid, char **out, struct mauth_err *err)
{
    struct mauth_key *public = NULL;
    struct signer *signer = NULL;
    enum mauth_rc rc;

    *out = NULL;
    if (mauth_key_from_pem(pem, strlen(pem), &public, NULL) == MAUTH_OK)
        rc = write_set(public, kid, out, err);
    else if ((rc = jwk_signer(pem, &signer, err)) == MAUTH_OK)
        rc = write_set(signer_key(signer), kid, out, err);
    mauth_key_free(public);
    signer_free(signer);
    return rc;
}
