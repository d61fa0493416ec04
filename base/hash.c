#include "base/hash.h"

#include <pthread.h>

#include <openssl/evp.h>

#include "base/fail.h"

/* Looked up once: libcrypto would do so, under a lock, for each hash. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const EVP_MD *sha256;

static void
look_up(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    if (!sha256)
        sha256 = EVP_sha256();
}

enum mauth_rc
hash_sha256(const struct text *pieces, size_t count, uint8_t out[HASH_LEN],
    struct mauth_err *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok;

    if (!ctx)
        return mauth_fail(err, MAUTH_NO_MEMORY, "hash: no memory");
    pthread_once(&once, look_up);
    ok = EVP_DigestInit_ex(ctx, sha256, NULL) == 1;
    for (size_t i = 0; ok && i < count; i++)
        ok = EVP_DigestUpdate(ctx, pieces[i].p, pieces[i].len) == 1;
    ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    if (!ok)
        return mauth_fail(err, MAUTH_INTERNAL, "hash: SHA-256 failed");
    return MAUTH_OK;
}

enum mauth_rc
hash_bytes(const void *data, size_t len, uint8_t out[HASH_LEN], struct mauth_err *err)
{
    struct text t = {data, len};

    return hash_sha256(&t, 1, out, err);
}
