#include "keys/key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "keys/der.h"

struct mauth_key {
    enum key_alg alg;
    size_t signature_len;
    EVP_PKEY *pkey;
    EVP_MD_CTX *ready; /* set up to verify; copied for each check, never used */
    char id[MAUTH_KEY_ID_LEN + 1];
    size_t spki_len;
    uint8_t spki[];
};

bool
key_spki_is_well_formed(const uint8_t *der, size_t len)
{
    size_t modulus;

    return der_is_p256(der, len) || der_is_rsa(der, len, &modulus);
}

/*
 * Everything about the key that needs libcrypto. What libcrypto notes in its queue
 * of errors is taken out again, here and below: the queue is our host's too.
 */
static enum mauth_rc
load(struct mauth_key *key, struct mauth_err *err)
{
    const uint8_t *p = key->spki;
    uint8_t hash[HASH_LEN];
    enum mauth_rc rc;

    rc = hash_bytes(key->spki, key->spki_len, hash, err);
    if (rc)
        return rc;
    str_hex(hash, MAUTH_KEY_ID_LEN / 2, key->id);
    /* For P-256 this also refuses a point that is not on the curve. */
    ERR_set_mark();
    key->pkey = d2i_PUBKEY(NULL, &p, (long)key->spki_len);
    ERR_pop_to_mark();
    if (!key->pkey)
        return mauth_fail(err, MAUTH_MALFORMED, "key: no such point or modulus");
    key->ready = EVP_MD_CTX_new();
    if (!key->ready)
        return mauth_fail(err, MAUTH_NO_MEMORY, "key: no memory");
    if (EVP_DigestVerifyInit(key->ready, NULL, EVP_sha256(), NULL, key->pkey) != 1)
        return mauth_fail(err, MAUTH_INTERNAL, "key: cannot be used to verify");
    return MAUTH_OK;
}

enum mauth_rc
mauth_key_from_spki(
    const void *der, size_t len, struct mauth_key **out, struct mauth_err *err)
{
    struct mauth_key *key;
    enum mauth_rc rc;
    size_t modulus = 0;

    *out = NULL;
    if (!der_is_p256(der, len) && !der_is_rsa(der, len, &modulus))
        return mauth_fail(err, MAUTH_MALFORMED,
            "key: neither P-256 nor RSA of 2048 to 4096 bits in its one encoding");
    key = calloc(1, sizeof(*key) + len);
    if (!key)
        return mauth_fail(err, MAUTH_NO_MEMORY, "key: no memory");
    key->alg = modulus ? KEY_RSA_SHA256 : KEY_ECDSA_SHA256;
    key->signature_len = modulus ? modulus : DER_ECDSA_RAW;
    key->spki_len = len;
    memcpy(key->spki, der, len);
    rc = load(key, err);
    if (rc) {
        mauth_key_free(key);
        return rc;
    }
    *out = key;
    return MAUTH_OK;
}

void
mauth_key_free(struct mauth_key *key)
{
    if (!key)
        return;
    EVP_MD_CTX_free(key->ready);
    EVP_PKEY_free(key->pkey);
    free(key);
}

enum mauth_rc
mauth_key_from_certificate(
    const void *der, size_t len, struct mauth_key **out, struct mauth_err *err)
{
    const unsigned char *p = der;
    unsigned char *spki = NULL;
    enum mauth_rc rc;
    X509 *x509;
    int n;

    *out = NULL;
    if (len > (1 << 20))
        return mauth_fail(err, MAUTH_TOO_LARGE, "certificate: %zu bytes", len);
    ERR_set_mark();
    x509 = d2i_X509(NULL, &p, (long)len);
    ERR_pop_to_mark();
    if (!x509 || p != (const unsigned char *)der + len) {
        X509_free(x509);
        return mauth_fail(err, MAUTH_MALFORMED, "certificate: not X.509 in DER");
    }
    n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &spki);
    X509_free(x509);
    if (n <= 0)
        return mauth_fail(err, MAUTH_MALFORMED, "certificate: no usable public key");
    rc = mauth_key_from_spki(spki, (size_t)n, out, err);
    OPENSSL_free(spki);
    return rc;
}

enum mauth_rc
mauth_key_from_pem(
    const char *pem, size_t len, struct mauth_key **out, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;
    bool found = false;
    BIO *in;

    *out = NULL;
    if (len > (1 << 20))
        return mauth_fail(err, MAUTH_TOO_LARGE, "PEM: %zu bytes", len);
    in = BIO_new_mem_buf(pem, (int)len);
    if (!in)
        return mauth_fail(err, MAUTH_NO_MEMORY, "PEM: no memory");
    ERR_set_mark();
    while (!found) {
        unsigned char *der = NULL;
        char *name = NULL, *header = NULL;
        long n = 0;

        if (PEM_read_bio(in, &name, &header, &der, &n) != 1)
            break;
        if (strcmp(name, "PUBLIC KEY") == 0) {
            found = true;
            rc = mauth_key_from_spki(der, (size_t)n, out, err);
        } else if (strcmp(name, "CERTIFICATE") == 0) {
            found = true;
            rc = mauth_key_from_certificate(der, (size_t)n, out, err);
        }
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0); /* it may be a private key */
    }
    BIO_free(in);
    ERR_pop_to_mark();
    if (!found)
        return mauth_fail(
            err, MAUTH_MALFORMED, "PEM: no PUBLIC KEY and no CERTIFICATE in it");
    return rc;
}

const uint8_t *
mauth_key_spki(const struct mauth_key *key, size_t *len)
{
    *len = key->spki_len;
    return key->spki;
}

bool
key_equal(const struct mauth_key *a, const struct mauth_key *b)
{
    return a->spki_len == b->spki_len && memcmp(a->spki, b->spki, a->spki_len) == 0;
}

enum mauth_rc
key_copy(const struct mauth_key *key, struct mauth_key **out, struct mauth_err *err)
{
    return mauth_key_from_spki(key->spki, key->spki_len, out, err);
}

const char *
mauth_key_id(const struct mauth_key *key)
{
    return key->id;
}

enum key_alg
key_alg(const struct mauth_key *key)
{
    return key->alg;
}

const char *
key_alg_name(enum key_alg alg)
{
    return alg == KEY_RSA_SHA256 ? "rsa-sha256" : "ecdsa-sha256";
}

static enum mauth_rc
verify(const struct mauth_key *key, const struct text *pieces, size_t count,
    const uint8_t *signature, size_t len, struct mauth_err *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok;

    if (!ctx)
        return mauth_fail(err, MAUTH_NO_MEMORY, "signature: no memory");
    ok = EVP_MD_CTX_copy_ex(ctx, key->ready);
    for (size_t i = 0; ok == 1 && i < count; i++)
        ok = EVP_DigestVerifyUpdate(ctx, pieces[i].p, pieces[i].len);
    if (ok != 1) {
        EVP_MD_CTX_free(ctx);
        return mauth_fail(err, MAUTH_INTERNAL, "signature: cannot be checked");
    }
    ERR_set_mark();
    ok = EVP_DigestVerifyFinal(ctx, signature, len);
    ERR_pop_to_mark();
    EVP_MD_CTX_free(ctx);
    if (ok != 1) /* negative values are refusals as well */
        return mauth_refuse(
            err, MAUTH_REASON_SIGNATURE, "signature: not made by key %s", key->id);
    return MAUTH_OK;
}

enum mauth_rc
key_check(const struct mauth_key *key, const struct text *pieces, size_t count,
    const uint8_t *signature, size_t len, struct mauth_err *err)
{
    uint8_t der[DER_ECDSA_DER_MAX];

    if (len != key->signature_len)
        return mauth_refuse(err, MAUTH_REASON_SIGNATURE,
            "signature: %zu bytes, key %s makes %zu", len, key->id, key->signature_len);
    if (key->alg == KEY_ECDSA_SHA256) {
        if (!der_from_raw(signature, der, &len))
            return mauth_refuse(err, MAUTH_REASON_SIGNATURE,
                "signature: r or s out of range, or s in the upper half");
        signature = der;
    }
    return verify(key, pieces, count, signature, len, err);
}
