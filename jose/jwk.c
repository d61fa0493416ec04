#include "jose/jwk.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/b64.h"
#include "base/fail.h"
#include "keys/der.h"
#include "keys/signer.h"

enum {
    COORDINATE = 32,      /* bytes of x and of y on P-256 */
    MODULUS_MIN = 256,    /* bytes: 2048 bits */
    MODULUS_MAX = 512,    /* 4096 bits; OpenSSL's time grows with it */
    EXPONENT_MAX = 4,     /* bytes, as in our own keys */
    ENCODED_MAX = 1 << 16 /* characters of one member */
};

/*
 * Members that hold secrets (RFC 7518 6.2.2, 6.3.2, 6.4.1; "priv" of keys to
 * come). Who publishes one has lost the key; nothing of the set is used then.
 */
static const char *const private_members[] = {
    "d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"};

static enum mauth_rc
refuse_private(const json_t *json, struct mauth_err *err)
{
    for (size_t i = 0; i < sizeof(private_members) / sizeof(*private_members); i++)
        if (json_object_get(json, private_members[i]))
            return mauth_fail(err, MAUTH_MALFORMED, "jwk: the private member \"%s\"",
                private_members[i]);
    return MAUTH_OK;
}

/* The member as text; NULL in *out when it is not there. */
static enum mauth_rc
optional(const json_t *json, const char *name, const char **out, struct mauth_err *err)
{
    const json_t *v = json_object_get(json, name);

    *out = json_string_value(v);
    if (v && !*out)
        return mauth_fail(err, MAUTH_MALFORMED, "jwk: \"%s\" is not a string", name);
    return MAUTH_OK;
}

/* The bytes of a member that must be there; *len is 0 when they are more than cap. */
static enum mauth_rc
bytes(const json_t *json, const char *name, uint8_t *out, size_t cap, size_t *len,
    struct mauth_err *err)
{
    const json_t *v = json_object_get(json, name);
    const char *text = json_string_value(v);
    size_t n = json_string_length(v);
    uint8_t *all;
    bool ok;

    *len = 0;
    if (!text || n == 0 || n > ENCODED_MAX)
        return mauth_fail(
            err, MAUTH_MALFORMED, "jwk: \"%s\" missing or of no use", name);
    all = malloc(b64_decoded_max(n));
    if (!all)
        return mauth_fail(err, MAUTH_NO_MEMORY, "jwk: no memory");
    ok = b64_decode(B64_URL, text, n, all, b64_decoded_max(n), len);
    if (ok && *len <= cap)
        memcpy(out, all, *len);
    else
        *len = 0;
    free(all);
    if (!ok)
        return mauth_fail(err, MAUTH_MALFORMED, "jwk: \"%s\" is not base64url", name);
    return MAUTH_OK;
}

static enum mauth_rc
take_ec(const json_t *json, struct jwk *out, struct mauth_err *err)
{
    uint8_t xy[2 * COORDINATE], *x = xy, *y = xy + COORDINATE;
    cjose_jwk_ec_keyspec spec = {.crv = CJOSE_JWK_EC_P_256, .x = x, .y = y};
    uint8_t spki[DER_P256_LEN];
    const char *crv;
    enum mauth_rc rc;

    rc = optional(json, "crv", &crv, err);
    if (rc)
        return rc;
    if (!crv)
        return mauth_fail(err, MAUTH_MALFORMED, "jwk: EC without a curve");
    if (strcmp(crv, "P-256") != 0)
        return MAUTH_OK;
    rc = bytes(json, "x", x, COORDINATE, &spec.xlen, err);
    if (rc == MAUTH_OK)
        rc = bytes(json, "y", y, COORDINATE, &spec.ylen, err);
    if (rc)
        return rc;
    if (spec.xlen != COORDINATE || spec.ylen != COORDINATE)
        return mauth_fail(err, MAUTH_MALFORMED, "jwk: coordinates not of 32 bytes");
    out->alg = "ES256";
    out->signature_len = sizeof(xy);
    out->key = cjose_jwk_create_EC_spec(&spec, NULL); /* sees that it is on the curve */
    if (!out->key)
        return mauth_fail(err, MAUTH_MALFORMED, "jwk: not a point of P-256");
    der_make_p256(xy, spki);
    buf_put(&out->spki, spki, sizeof(spki));
    return MAUTH_OK;
}

static bool
is_usable_rsa(const cjose_jwk_rsa_keyspec *k)
{
    if (k->nlen < MODULUS_MIN || k->nlen > MODULUS_MAX || !(k->n[k->nlen - 1] & 1))
        return false;
    if (k->nlen == MODULUS_MIN && !(k->n[0] & 0x80))
        return false;
    if (k->elen == 0 || k->elen > EXPONENT_MAX || !(k->e[k->elen - 1] & 1))
        return false;
    return k->elen > 1 || k->e[0] > 3;
}

static enum mauth_rc
take_rsa(const json_t *json, struct jwk *out, struct mauth_err *err)
{
    uint8_t n[MODULUS_MAX], e[EXPONENT_MAX];
    cjose_jwk_rsa_keyspec spec = {.n = n, .e = e};
    enum mauth_rc rc;

    rc = bytes(json, "n", n, sizeof(n), &spec.nlen, err);
    if (rc == MAUTH_OK)
        rc = bytes(json, "e", e, sizeof(e), &spec.elen, err);
    if (rc)
        return rc;
    /* RFC 7518 6.3.1.1: the minimum number of octets. */
    if ((spec.nlen && n[0] == 0) || (spec.elen && e[0] == 0))
        return mauth_fail(err, MAUTH_MALFORMED, "jwk: RSA numbers with zeros in front");
    if (!is_usable_rsa(&spec))
        return MAUTH_OK;
    out->alg = "RS256";
    out->signature_len = spec.nlen;
    out->key = cjose_jwk_create_RSA_spec(&spec, NULL);
    if (!out->key)
        return mauth_fail(err, MAUTH_NO_MEMORY, "jwk: no memory for an RSA key");
    der_make_rsa(n, spec.nlen, e, spec.elen, &out->spki);
    return MAUTH_OK;
}

static const struct {
    const char *kty, *alg;
    enum mauth_rc (*take)(const json_t *json, struct jwk *out, struct mauth_err *err);
} kinds[] = {
    {"EC", "ES256", take_ec},
    {"RSA", "RS256", take_rsa},
};

/* May it verify? *out says so, by "use" and "key_ops" (RFC 7517 4.2, 4.3). */
static enum mauth_rc
is_for_signatures(const json_t *json, bool *out, struct mauth_err *err)
{
    const json_t *ops = json_object_get(json, "key_ops"), *op;
    const char *use;
    enum mauth_rc rc;
    size_t i;

    rc = optional(json, "use", &use, err);
    if (rc)
        return rc;
    if (ops && !json_is_array(ops))
        return mauth_fail(err, MAUTH_MALFORMED, "jwk: \"key_ops\" is not an array");
    *out = !ops;
    json_array_foreach(ops, i, op)
    {
        const char *name = json_string_value(op);

        if (!name)
            return mauth_fail(err, MAUTH_MALFORMED, "jwk: an operation of no name");
        if (strcmp(name, "verify") == 0)
            *out = true;
    }
    if (use && strcmp(use, "sig") != 0)
        *out = false;
    return MAUTH_OK;
}

static enum mauth_rc
take_kid(const json_t *json, struct jwk *out, struct mauth_err *err)
{
    const char *kid;
    enum mauth_rc rc = optional(json, "kid", &kid, err);

    if (rc || !kid)
        return rc;
    if (strlen(kid) > JWK_KID_MAX)
        return mauth_fail(
            err, MAUTH_MALFORMED, "jwk: a name of %zu bytes", strlen(kid));
    out->kid = strdup(kid);
    if (!out->kid)
        return mauth_fail(err, MAUTH_NO_MEMORY, "jwk: no memory");
    return MAUTH_OK;
}

enum mauth_rc
jwk_parse(const json_t *json, struct jwk *out, struct mauth_err *err)
{
    const char *kty, *alg;
    bool fits = false;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    buf_init(&out->spki);
    if (!json_is_object(json))
        return mauth_fail(err, MAUTH_MALFORMED, "jwk: not an object");
    rc = refuse_private(json, err);
    if (rc == MAUTH_OK)
        rc = optional(json, "kty", &kty, err);
    if (rc == MAUTH_OK && !kty)
        rc = mauth_fail(err, MAUTH_MALFORMED, "jwk: without a type");
    if (rc == MAUTH_OK)
        rc = optional(json, "alg", &alg, err);
    if (rc == MAUTH_OK)
        rc = is_for_signatures(json, &fits, err);
    if (rc == MAUTH_OK)
        rc = take_kid(json, out, err);
    for (size_t i = 0; rc == MAUTH_OK && fits && i < sizeof(kinds) / sizeof(*kinds);
         i++)
        if (strcmp(kty, kinds[i].kty) == 0 && (!alg || strcmp(alg, kinds[i].alg) == 0))
            rc = kinds[i].take(json, out, err);
    if (rc == MAUTH_OK && !buf_ok(&out->spki))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "jwk: no memory");
    if (rc)
        jwk_clear(out);
    ERR_clear_error(); /* cjose leaves what went wrong in libcrypto's queue */
    return rc;
}

void
jwk_clear(struct jwk *k)
{
    cjose_jwk_release(k->key);
    free(k->kid);
    buf_clear(&k->spki);
    memset(k, 0, sizeof(*k));
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

enum mauth_rc
jwk_write(const struct mauth_key *key, json_t **out, struct mauth_err *err)
{
    bool ecdsa = key_alg(key) == KEY_ECDSA_SHA256, ok;
    size_t len;
    const uint8_t *p = mauth_key_spki(key, &len);
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)len);
    json_t *json = json_pack("{s:s}", "kty", ecdsa ? "EC" : "RSA");

    *out = NULL;
    ok = pkey && json;
    if (ok && ecdsa)
        ok = json_object_set_new(json, "crv", json_string("P-256")) == 0 &&
             put_number(json, "x", pkey, OSSL_PKEY_PARAM_EC_PUB_X, COORDINATE) &&
             put_number(json, "y", pkey, OSSL_PKEY_PARAM_EC_PUB_Y, COORDINATE);
    else if (ok)
        ok = put_number(json, "n", pkey, OSSL_PKEY_PARAM_RSA_N, 0) &&
             put_number(json, "e", pkey, OSSL_PKEY_PARAM_RSA_E, 0);
    EVP_PKEY_free(pkey);
    if (ok)
        *out = json;
    else
        json_decref(json);
    return ok ? MAUTH_OK : mauth_fail(err, MAUTH_INTERNAL, "jwk: cannot write the key");
}

enum mauth_rc
jwk_signer(const char *pem, struct signer **out, struct mauth_err *err)
{
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    size_t pem_len = strlen(pem);
    enum mauth_rc rc;
    BIO *bio = NULL;
    long len = 0;

    *out = NULL;
    if (pem_len <= INT_MAX)
        bio = BIO_new_mem_buf(pem, (int)pem_len);
    if (bio && PEM_read_bio(bio, &name, &header, &der, &len) == 1 &&
        strcmp(name, PEM_STRING_PKCS8INF) == 0)
        rc = signer_from_pkcs8(der, (size_t)len, out, err);
    else
        rc = mauth_fail(err, MAUTH_MALFORMED,
            "pem: not an unencrypted private key in PKCS#8 (\"BEGIN PRIVATE KEY\")");
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(der, (size_t)len);
    BIO_free(bio);
    ERR_clear_error();
    return rc;
}
