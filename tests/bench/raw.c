#include "tests/bench/raw.h"

#include <string.h>

bool
bench_raw_verify(const struct bench_ticket *t)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t digest[HASH_LEN];
    bool good;

    good = ctx &&
           EVP_Digest(t->digested.data, t->digested.len, digest, NULL, EVP_sha256(),
               NULL) == 1 &&
           memcmp(digest, t->digest, HASH_LEN) == 0 &&
           EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, t->key) == 1 &&
           EVP_DigestVerify(
               ctx, t->signature, t->signature_len, t->info.data, t->info.len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}
