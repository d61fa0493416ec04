/* ID tokens of a provider of our own, signed before anything is timed. */
#ifndef TESTS_BENCH_TOKENS_H
#define TESTS_BENCH_TOKENS_H

#include <stddef.h>

#include "base/buf.h"
#include <meshauth/err.h>

#define BENCH_ISSUER    "https://idp.bench.example"
#define BENCH_CLIENT_ID "bench"

struct bench_tokens;

/*
 * RS256 with a new RSA-2048 key, all different. Token k is of user k % users.
 * Signs in as many threads as there are processors.
 */
MAUTH_MUST_USE enum mauth_rc bench_tokens_make(
    size_t users, size_t count, struct bench_tokens **out, struct mauth_err *err);
void bench_tokens_free(struct bench_tokens *t);

size_t bench_tokens_count(const struct bench_tokens *t);
struct text bench_token(const struct bench_tokens *t, size_t k);
/* The key's public half as a JWK set. */
const char *bench_tokens_jwks(const struct bench_tokens *t);

#endif
