#include "verifier/mix.h"

#include <string.h>

enum {
    /* In base64url: where the ID of a plain ticket begins (72 bytes of XML before
     * it) and ends. */
    ID_FROM = 96,
    ID_LEN = 46,
    SAMPLE = 192 /* of a deflated one: its codes and its ID come early */
};

static const char PLAIN[] = "PHNhbWw6"; /* "<saml:" */

__extension__ typedef unsigned __int128 u128;

static uint64_t
word(const uint8_t *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof(w));
    return w;
}

static uint64_t
fold(uint64_t a, uint64_t b)
{
    u128 m = (u128)a * b;

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint64_t
mix_bytes(uint64_t seed, const void *data, size_t len)
{
    const uint64_t k1 = 0x9e3779b97f4a7c15u, k2 = 0xc2b2ae3d27d4eb4fu;
    const uint8_t *p = data;
    uint64_t a = seed ^ k1, b = seed ^ k2;
    uint8_t rest[32] = {0};
    size_t left = len;

    if (left >= 64) {
        uint64_t c = seed ^ k2 ^ 1, d = seed ^ k1 ^ 1;

        for (; left >= 64; left -= 64, p += 64) {
            a = fold(word(p) ^ a, word(p + 8) ^ k1 ^ seed);
            b = fold(word(p + 16) ^ b, word(p + 24) ^ k2 ^ seed);
            c = fold(word(p + 32) ^ c, word(p + 40) ^ k1 ^ seed);
            d = fold(word(p + 48) ^ d, word(p + 56) ^ k2 ^ seed);
        }
        a = fold(a ^ k2, c ^ seed);
        b = fold(b ^ k1, d ^ seed);
    }
    for (; left >= 32; left -= 32, p += 32) {
        a = fold(word(p) ^ a, word(p + 8) ^ k1 ^ seed);
        b = fold(word(p + 16) ^ b, word(p + 24) ^ k2 ^ seed);
    }
    if (len >= sizeof(rest))
        p -= sizeof(rest) - left; /* the last bytes, some of them once more */
    else {
        memcpy(rest, p, left);
        p = rest;
    }
    a = fold(word(p) ^ a, word(p + 8) ^ k1 ^ seed);
    b = fold(word(p + 16) ^ b, word(p + 24) ^ k2 ^ seed);
    return fold(a ^ len, b ^ k1) ^ fold(b ^ seed, a ^ k2);
}

uint64_t
mix_credential(uint64_t seed, const char *text, size_t len)
{
    if (len >= ID_FROM + ID_LEN && memcmp(text, PLAIN, sizeof(PLAIN) - 1) == 0)
        return mix_bytes(seed, text + ID_FROM, ID_LEN);
    return mix_bytes(seed, text, len < SAMPLE ? len : SAMPLE);
}
