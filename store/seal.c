#include "store/seal.h"

#include <limits.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/fail.h"

/* What is bound to the secret, as if it were one. */
struct bound {
    struct text kind, before;
};

static bool
bind(EVP_CIPHER_CTX *ctx, struct text t)
{
    int n = 0;

    return EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)t.p, (int)t.len) == 1;
}

/* Key, nonce, bound data, then the whole text. */
static bool
run_cipher(EVP_CIPHER_CTX *ctx, const struct mauth_secret *seal, const uint8_t *nonce,
    const struct bound *b, const uint8_t *in, size_t len, uint8_t *out, bool encrypt)
{
    int n = 0;

    return EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, mauth_secret_bytes(seal),
               nonce, encrypt) == 1 &&
           bind(ctx, b->kind) && bind(ctx, b->before) &&
           EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1 && n == (int)len;
}

static enum mauth_rc
check_sizes(const struct mauth_secret *seal, const struct bound *b, size_t secret_len,
    struct mauth_err *err)
{
    if (mauth_secret_len(seal) != SEAL_KEY || b->kind.len < 1 ||
        b->kind.len > INT_MAX || b->before.len > INT_MAX || secret_len < 1 ||
        secret_len > SEAL_SECRET_MAX)
        return mauth_fail(err, MAUTH_INVALID, "seal: sizes that are none");
    return MAUTH_OK;
}

enum mauth_rc
seal_wrap(const struct mauth_secret *seal, const uint8_t nonce[SEAL_NONCE],
    struct text kind, struct text secret, struct buf *record, struct mauth_err *err)
{
    size_t len = SEAL_NONCE + secret.len + SEAL_TAG;
    struct bound b = {kind, buf_slice(record)};
    EVP_CIPHER_CTX *ctx;
    enum mauth_rc rc;
    uint8_t *at;
    int n = 0;
    bool ok;

    rc = check_sizes(seal, &b, secret.len, err);
    if (rc)
        return rc;
    buf_u16(record, (uint16_t)len);
    at = buf_space(record, len);
    b.before.p = (const char *)record->data; /* it may have moved */
    ctx = EVP_CIPHER_CTX_new();
    if (!at || !ctx) {
        EVP_CIPHER_CTX_free(ctx);
        return mauth_fail(err, MAUTH_NO_MEMORY, "seal: no memory");
    }
    memcpy(at, nonce, SEAL_NONCE);
    at += SEAL_NONCE;
    ok = run_cipher(
             ctx, seal, nonce, &b, (const uint8_t *)secret.p, secret.len, at, true) &&
         EVP_CipherFinal_ex(ctx, at + secret.len, &n) == 1 && n == 0 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, SEAL_TAG, at + secret.len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (!ok)
        return mauth_fail(err, MAUTH_INTERNAL, "seal: cannot seal");
    return MAUTH_OK;
}

enum mauth_rc
seal_unwrap(const struct mauth_secret *seal, struct text kind, struct text before,
    struct text sealed, struct buf *out, struct mauth_err *err)
{
    const struct bound b = {kind, before};
    uint8_t nonce[SEAL_NONCE], tag[SEAL_TAG], none[EVP_MAX_BLOCK_LENGTH], *at;
    const uint8_t *text;
    EVP_CIPHER_CTX *ctx;
    struct reader r;
    size_t len;
    int n = 0;
    bool ok;

    reader_init(&r, sealed.p, sealed.len);
    reader_copy(&r, nonce, sizeof(nonce));
    len = r.left > SEAL_TAG ? r.left - SEAL_TAG : 0;
    text = reader_bytes(&r, len);
    reader_copy(&r, tag, sizeof(tag));
    if (!reader_done(&r) || check_sizes(seal, &b, len, NULL))
        return mauth_fail(err, MAUTH_DENIED, "seal: not a sealed secret");
    at = buf_space(out, len);
    ctx = EVP_CIPHER_CTX_new();
    if (!at || !ctx) {
        EVP_CIPHER_CTX_free(ctx);
        return mauth_fail(err, MAUTH_NO_MEMORY, "seal: no memory");
    }
    ok = run_cipher(ctx, seal, nonce, &b, text, len, at, false) &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, SEAL_TAG, tag) == 1 &&
         EVP_CipherFinal_ex(ctx, none, &n) == 1 && n == 0;
    EVP_CIPHER_CTX_free(ctx);
    if (!ok) {
        mauth_wipe(at, len); /* nobody vouches for it */
        out->len -= len;
        return mauth_fail(err, MAUTH_DENIED,
            "seal: a sealed secret does not open; is seal_key_file the seal key of "
            "this store?");
    }
    return MAUTH_OK;
}
