#include "keys/signer.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/fail.h"
#include "base/str.h"
#include "keys/der.h"

struct signer {
    const struct signer_ops *ops;
    void *state;
    struct mauth_key *key;
};

enum mauth_rc
signer_new(const struct signer_ops *ops, void *state, struct mauth_key *key,
    struct signer **out, struct mauth_err *err)
{
    struct signer *s = calloc(1, sizeof(*s));

    *out = NULL;
    if (!s) {
        ops->free(state);
        mauth_key_free(key);
        return mauth_fail(err, MAUTH_NO_MEMORY, "signer: no memory");
    }
    s->ops = ops;
    s->state = state;
    s->key = key;
    *out = s;
    return MAUTH_OK;
}

void
signer_free(struct signer *s)
{
    if (!s)
        return;
    s->ops->free(s->state);
    mauth_key_free(s->key);
    free(s);
}

const struct mauth_key *
signer_key(const struct signer *s)
{
    return s->key;
}

enum mauth_rc
signer_sign(const struct signer *s, const struct text *pieces, size_t count,
    uint8_t out[KEY_SIGNATURE_MAX], size_t *len, struct mauth_err *err)
{
    return s->ops->sign(s->state, pieces, count, out, len, err);
}

enum mauth_rc
signer_ready(const struct signer *s, struct mauth_err *err)
{
    return s->ops->ready ? s->ops->ready(s->state, err) : MAUTH_OK;
}

/* A key of libcrypto's. */
struct soft {
    EVP_PKEY *pkey;
    EVP_MD_CTX *ready; /* set up to sign; copied for each signature, never used */
    bool ecdsa;
};

static enum mauth_rc
soft_sign(void *state, const struct text *pieces, size_t count, uint8_t *out,
    size_t *len, struct mauth_err *err)
{
    const struct soft *soft = state;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t raw[KEY_SIGNATURE_MAX];
    size_t n = sizeof(raw);
    int ok;

    *len = 0;
    if (!ctx)
        return mauth_fail(err, MAUTH_NO_MEMORY, "signer: no memory");
    ok = EVP_MD_CTX_copy_ex(ctx, soft->ready);
    for (size_t i = 0; ok == 1 && i < count; i++)
        ok = EVP_DigestSignUpdate(ctx, pieces[i].p, pieces[i].len);
    ok = ok == 1 && EVP_DigestSignFinal(ctx, raw, &n) == 1;
    EVP_MD_CTX_free(ctx);
    if (ok && soft->ecdsa) {
        ok = der_to_raw(raw, n, out);
        *len = DER_ECDSA_RAW;
    } else if (ok) {
        memcpy(out, raw, n);
        *len = n;
    }
    if (!ok)
        return mauth_fail(err, MAUTH_INTERNAL, "signer: the key does not sign");
    return MAUTH_OK;
}

static void
soft_free(void *state)
{
    struct soft *soft = state;

    EVP_MD_CTX_free(soft->ready);
    EVP_PKEY_free(soft->pkey);
    free(soft);
}

static const struct signer_ops soft_ops = {.sign = soft_sign, .free = soft_free};

static enum mauth_rc
soft_load(struct soft *soft, const void *der, size_t len, struct mauth_key **key,
    struct mauth_err *err)
{
    const unsigned char *p = der;
    unsigned char *spki = NULL;
    PKCS8_PRIV_KEY_INFO *info;
    enum mauth_rc rc;
    int n;

    info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)len);
    if (info && p == (const unsigned char *)der + len)
        soft->pkey = EVP_PKCS82PKEY(info);
    PKCS8_PRIV_KEY_INFO_free(info);
    if (!soft->pkey)
        return mauth_fail(
            err, MAUTH_MALFORMED, "signer: not an unencrypted PKCS#8 key");
    n = i2d_PUBKEY(soft->pkey, &spki);
    if (n <= 0)
        return mauth_fail(err, MAUTH_MALFORMED, "signer: no public half");
    rc = mauth_key_from_spki(spki, (size_t)n, key, err);
    OPENSSL_free(spki);
    if (rc)
        return rc;
    soft->ecdsa = key_alg(*key) == KEY_ECDSA_SHA256;
    soft->ready = EVP_MD_CTX_new();
    if (!soft->ready ||
        EVP_DigestSignInit(soft->ready, NULL, EVP_sha256(), NULL, soft->pkey) != 1)
        return mauth_fail(
            err, MAUTH_INTERNAL, "signer: the key cannot be used to sign");
    return MAUTH_OK;
}

enum mauth_rc
signer_from_pkcs8(
    const void *der, size_t len, struct signer **out, struct mauth_err *err)
{
    struct mauth_key *key = NULL;
    struct soft *soft;
    enum mauth_rc rc;

    *out = NULL;
    if (len > (64 << 10))
        return mauth_fail(err, MAUTH_TOO_LARGE, "signer: a key of %zu bytes", len);
    soft = calloc(1, sizeof(*soft));
    if (!soft)
        return mauth_fail(err, MAUTH_NO_MEMORY, "signer: no memory");
    rc = soft_load(soft, der, len, &key, err);
    if (rc) {
        soft_free(soft);
        mauth_key_free(key);
        return rc;
    }
    return signer_new(&soft_ops, soft, key, out, err);
}

static const char *const kind_names[] = {"P-256", "RSA-2048", "RSA-3072"};

const char *
signer_kind_name(enum signer_kind kind)
{
    return kind_names[kind];
}

bool
signer_kind_parse(struct text name, enum signer_kind *out)
{
    for (size_t i = 0; i < sizeof(kind_names) / sizeof(*kind_names); i++) {
        if (text_is(name, kind_names[i])) {
            *out = (enum signer_kind)i;
            return true;
        }
    }
    return false;
}

enum signer_kind
signer_kind_of(const struct mauth_key *key)
{
    enum {
        BETWEEN = (2048 + 3072) / 2 / 8 /* bytes of a modulus */
    };
    size_t len;

    if (key_alg(key) == KEY_ECDSA_SHA256)
        return SIGNER_P256;
    (void)mauth_key_spki(key, &len);
    return len < BETWEEN + 38 ? SIGNER_RSA2048 : SIGNER_RSA3072;
}

enum mauth_rc
signer_generate(enum signer_kind kind, struct buf *pkcs8, struct mauth_err *err)
{
    PKCS8_PRIV_KEY_INFO *info = NULL;
    unsigned char *der = NULL;
    EVP_PKEY *pkey;
    int n = 0;

    if (kind == SIGNER_P256)
        pkey = EVP_EC_gen("P-256");
    else
        pkey = EVP_RSA_gen(kind == SIGNER_RSA2048 ? 2048 : 3072);
    if (pkey)
        info = EVP_PKEY2PKCS8(pkey);
    if (info)
        n = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    if (n > 0)
        buf_put(pkcs8, der, (size_t)n);
    OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(pkey);
    if (n <= 0)
        return mauth_fail(err, MAUTH_INTERNAL, "signer: cannot make a key");
    if (!buf_ok(pkcs8))
        return mauth_fail(err, MAUTH_NO_MEMORY, "signer: no memory");
    return MAUTH_OK;
}
