#include "base/b64.h"

static const char std_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#define BAD 0x80

/* The value of each digit; BAD for every other byte. */
/* clang-format off */
static const uint8_t std_values[256] = {
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, 62, BAD, BAD, BAD, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, BAD, BAD, BAD, BAD, BAD,
    BAD, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
};
static const uint8_t url_values[256] = {
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, 62, BAD, BAD,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, BAD, BAD, BAD, BAD, 63,
    BAD, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
};
/* clang-format on */

size_t
b64_encoded_len(enum b64_kind kind, size_t len)
{
    size_t full = len / 3 * 4, rest = len % 3;

    if (!rest)
        return full;
    return full + (kind == B64_STD ? 4 : rest + 1);
}

size_t
b64_decoded_max(size_t len)
{
    return len / 4 * 3 + 3;
}

size_t
b64_encode(enum b64_kind kind, const void *data, size_t len, char *out)
{
    const char *digits = kind == B64_STD ? std_digits : url_digits;
    const uint8_t *in = data;
    size_t at = 0;

    for (; len >= 3; len -= 3, in += 3) {
        unsigned v = (unsigned)in[0] << 16 | (unsigned)in[1] << 8 | in[2];

        out[at++] = digits[v >> 18];
        out[at++] = digits[v >> 12 & 63];
        out[at++] = digits[v >> 6 & 63];
        out[at++] = digits[v & 63];
    }
    if (len) {
        unsigned v = (unsigned)in[0] << 16 | (len == 2 ? (unsigned)in[1] << 8 : 0);

        out[at++] = digits[v >> 18];
        out[at++] = digits[v >> 12 & 63];
        if (len == 2)
            out[at++] = digits[v >> 6 & 63];
        else if (kind == B64_STD)
            out[at++] = '=';
        if (kind == B64_STD)
            out[at++] = '=';
    }
    return at;
}

/* The one to three bytes of a last group of n digits; false if bits are left over. */
static bool
decode_tail(const uint8_t *values, const char *text, size_t n, uint8_t *out)
{
    unsigned a = values[(uint8_t)text[0]], b = values[(uint8_t)text[1]];
    unsigned c = n == 3 ? values[(uint8_t)text[2]] : 0;

    if ((a | b | c) & BAD)
        return false;
    out[0] = (uint8_t)(a << 2 | b >> 4);
    if (n == 2)
        return (b & 15) == 0;
    out[1] = (uint8_t)(b << 4 | c >> 2);
    return (c & 3) == 0;
}

bool
b64_decode(enum b64_kind kind, const char *text, size_t len, void *out, size_t cap,
    size_t *out_len)
{
    const uint8_t *values = kind == B64_STD ? std_values : url_values;
    uint8_t *at = out;
    size_t tail, groups;

    *out_len = 0;
    if (kind == B64_STD) {
        if (len % 4)
            return false;
        if (len && text[len - 1] == '=')
            len -= text[len - 2] == '=' ? 2 : 1;
    }
    tail = len % 4;
    groups = len / 4;
    if (tail == 1 || groups * 3 + (tail ? tail - 1 : 0) > cap)
        return false;
    for (size_t i = 0; i < groups; i++, text += 4, at += 3) {
        unsigned a = values[(uint8_t)text[0]], b = values[(uint8_t)text[1]];
        unsigned c = values[(uint8_t)text[2]], d = values[(uint8_t)text[3]];

        if ((a | b | c | d) & BAD)
            return false;
        at[0] = (uint8_t)(a << 2 | b >> 4);
        at[1] = (uint8_t)(b << 4 | c >> 2);
        at[2] = (uint8_t)(c << 6 | d);
    }
    if (tail && !decode_tail(values, text, tail, at))
        return false;
    *out_len = groups * 3 + (tail ? tail - 1 : 0);
    return true;
}
