#include "tests/bench/tokens.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/time.h"

enum {
    BITS = 2048,
    SIGNATURE = BITS / 8,
    LIFE_S = 3600,
    TOKEN_MAX = 1024,
    THREADS_MAX = 16,
};

static const char header[] = "{\"alg\":\"RS256\",\"kid\":\"bench\",\"typ\":\"JWT\"}";

struct bench_tokens {
    EVP_PKEY *key;
    char jwks[768];
    size_t users;
    size_t count;
    int64_t now_s;
    struct text token[];
};

/* The tokens first, first + step, ... of them all. */
struct share {
    pthread_t thread;
    struct bench_tokens *tokens;
    size_t first, step;
    bool good;
};

static size_t
put_b64(char *out, const void *data, size_t len)
{
    return b64_encode(B64_URL, data, len, out);
}

/* HEADER.CLAIMS.SIGNATURE of token k, malloc'd; NULL on failure. */
static char *
make_token(const struct bench_tokens *t, size_t k, size_t *len)
{
    uint8_t signature[SIGNATURE];
    size_t n, signature_len = sizeof(signature);
    char claims[384], text[TOKEN_MAX];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good;

    n = put_b64(text, header, sizeof(header) - 1);
    text[n++] = '.';
    n += put_b64(text + n, claims,
        (size_t)snprintf(claims, sizeof(claims),
            "{\"iss\":\"" BENCH_ISSUER
            "\",\"sub\":\"user-%zu\",\"aud\":\"" BENCH_CLIENT_ID "\",\"iat\":%" PRId64
            ",\"exp\":%" PRId64 ",\"jti\":\"token-%zu\"}",
            k % t->users, t->now_s, t->now_s + LIFE_S, k));
    good =
        ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, t->key) == 1 &&
        EVP_DigestSign(ctx, signature, &signature_len, (const uint8_t *)text, n) == 1;
    EVP_MD_CTX_free(ctx);
    if (!good)
        return NULL;
    text[n++] = '.';
    n += put_b64(text + n, signature, signature_len);
    *len = n;
    return strndup(text, n);
}

static void *
sign_share(void *arg)
{
    struct share *s = arg;

    for (size_t k = s->first; k < s->tokens->count; k += s->step) {
        struct text *token = &s->tokens->token[k];

        token->p = make_token(s->tokens, k, &token->len);
        if (!token->p)
            return NULL;
    }
    s->good = true;
    return NULL;
}

static bool
sign_all(struct bench_tokens *t)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct share shares[THREADS_MAX] = {0};
    size_t step = processors > 0 ? (size_t)processors : 1, started = 0;
    bool good = true;

    if (step > THREADS_MAX)
        step = THREADS_MAX;
    for (; started < step; started++) {
        struct share *s = &shares[started];

        s->tokens = t;
        s->first = started;
        s->step = step;
        if (pthread_create(&s->thread, NULL, sign_share, s) != 0)
            break;
    }
    for (size_t i = 0; i < started; i++) {
        pthread_join(shares[i].thread, NULL);
        good = good && shares[i].good;
    }
    return good && started == step;
}

static bool
describe_key(struct bench_tokens *t)
{
    uint8_t modulus[BITS / 8];
    char n[BITS / 6 + 4];
    BIGNUM *bn = NULL;
    bool good;

    good = EVP_PKEY_get_bn_param(t->key, OSSL_PKEY_PARAM_RSA_N, &bn) == 1 &&
           BN_bn2binpad(bn, modulus, sizeof(modulus)) == (int)sizeof(modulus);
    BN_free(bn);
    if (!good)
        return false;
    n[put_b64(n, modulus, sizeof(modulus))] = '\0';
    snprintf(t->jwks, sizeof(t->jwks),
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"bench\",\"use\":\"sig\",\"alg\":"
        "\"RS256\","
        "\"e\":\"AQAB\",\"n\":\"%s\"}]}\n",
        n);
    return true;
}

enum mauth_rc
bench_tokens_make(
    size_t users, size_t count, struct bench_tokens **out, struct mauth_err *err)
{
    struct bench_tokens *t = calloc(1, sizeof(*t) + count * sizeof(*t->token));

    *out = NULL;
    if (!t)
        return mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    t->users = users;
    t->count = count;
    t->now_s = time_now_s();
    t->key = EVP_RSA_gen(BITS);
    if (!t->key || !describe_key(t) || !sign_all(t)) {
        bench_tokens_free(t);
        return mauth_fail(err, MAUTH_INTERNAL, "bench: cannot sign ID tokens");
    }
    *out = t;
    return MAUTH_OK;
}

void
bench_tokens_free(struct bench_tokens *t)
{
    if (!t)
        return;
    for (size_t k = 0; k < t->count; k++) {
        union {
            const char *borrowed;
            char *owned;
        } token = {t->token[k].p};

        free(token.owned);
    }
    EVP_PKEY_free(t->key);
    free(t);
}

size_t
bench_tokens_count(const struct bench_tokens *t)
{
    return t->count;
}

struct text
bench_token(const struct bench_tokens *t, size_t k)
{
    return t->token[k];
}

const char *
bench_tokens_jwks(const struct bench_tokens *t)
{
    return t->jwks;
}
