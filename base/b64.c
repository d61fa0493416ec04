#include "base/b64.h"

#include <string.h>

/*
 * Two digits for each 12 bits: half the look-ups. The alphabets differ in the last two
 * digits.
 */
/* clang-format off */
#define ROW(a, y, z) \
    {a, 'A'}, {a, 'B'}, {a, 'C'}, {a, 'D'}, {a, 'E'}, {a, 'F'}, {a, 'G'}, {a, 'H'}, \
    {a, 'I'}, {a, 'J'}, {a, 'K'}, {a, 'L'}, {a, 'M'}, {a, 'N'}, {a, 'O'}, {a, 'P'}, \
    {a, 'Q'}, {a, 'R'}, {a, 'S'}, {a, 'T'}, {a, 'U'}, {a, 'V'}, {a, 'W'}, {a, 'X'}, \
    {a, 'Y'}, {a, 'Z'}, {a, 'a'}, {a, 'b'}, {a, 'c'}, {a, 'd'}, {a, 'e'}, {a, 'f'}, \
    {a, 'g'}, {a, 'h'}, {a, 'i'}, {a, 'j'}, {a, 'k'}, {a, 'l'}, {a, 'm'}, {a, 'n'}, \
    {a, 'o'}, {a, 'p'}, {a, 'q'}, {a, 'r'}, {a, 's'}, {a, 't'}, {a, 'u'}, {a, 'v'}, \
    {a, 'w'}, {a, 'x'}, {a, 'y'}, {a, 'z'}, {a, '0'}, {a, '1'}, {a, '2'}, {a, '3'}, \
    {a, '4'}, {a, '5'}, {a, '6'}, {a, '7'}, {a, '8'}, {a, '9'}, {a, y}, {a, z}
#define ROWS4(a, b, c, d, y, z) ROW(a, y, z), ROW(b, y, z), ROW(c, y, z), ROW(d, y, z)
#define PAIRS(y, z) { \
    ROWS4('A', 'B', 'C', 'D', y, z), ROWS4('E', 'F', 'G', 'H', y, z), \
    ROWS4('I', 'J', 'K', 'L', y, z), ROWS4('M', 'N', 'O', 'P', y, z), \
    ROWS4('Q', 'R', 'S', 'T', y, z), ROWS4('U', 'V', 'W', 'X', y, z), \
    ROWS4('Y', 'Z', 'a', 'b', y, z), ROWS4('c', 'd', 'e', 'f', y, z), \
    ROWS4('g', 'h', 'i', 'j', y, z), ROWS4('k', 'l', 'm', 'n', y, z), \
    ROWS4('o', 'p', 'q', 'r', y, z), ROWS4('s', 't', 'u', 'v', y, z), \
    ROWS4('w', 'x', 'y', 'z', y, z), ROWS4('0', '1', '2', '3', y, z), \
    ROWS4('4', '5', '6', '7', y, z), ROWS4('8', '9', y, z, y, z) }
/* clang-format on */

static const char std_pairs[1 << 12][2] = PAIRS('+', '/');
static const char url_pairs[1 << 12][2] = PAIRS('-', '_');

/*
 * What each byte is worth as a digit, in each of the four places of a group, so
 * that a group is put together by OR; BAD for every other byte. The alphabets
 * differ in which bytes are 62 and 63.
 */
#define BAD     0x80000000U
#define NO      64
#define D(s, v) ((v) == NO ? BAD : (uint32_t)(v) << (s))

/* clang-format off */
#define BAD4  BAD, BAD, BAD, BAD
#define BAD16 BAD4, BAD4, BAD4, BAD4
#define PLACE(s, plus, minus, slash, under) { \
    BAD16, BAD16, \
    BAD4, BAD4, BAD, BAD, BAD, D(s, plus), BAD, D(s, minus), BAD, D(s, slash), \
    D(s, 52), D(s, 53), D(s, 54), D(s, 55), D(s, 56), D(s, 57), \
    D(s, 58), D(s, 59), D(s, 60), D(s, 61), BAD, BAD, BAD4, \
    BAD, D(s, 0), D(s, 1), D(s, 2), D(s, 3), D(s, 4), D(s, 5), D(s, 6), \
    D(s, 7), D(s, 8), D(s, 9), D(s, 10), D(s, 11), D(s, 12), D(s, 13), D(s, 14), \
    D(s, 15), D(s, 16), D(s, 17), D(s, 18), D(s, 19), D(s, 20), D(s, 21), D(s, 22), \
    D(s, 23), D(s, 24), D(s, 25), BAD4, D(s, under), \
    BAD, D(s, 26), D(s, 27), D(s, 28), D(s, 29), D(s, 30), D(s, 31), D(s, 32), \
    D(s, 33), D(s, 34), D(s, 35), D(s, 36), D(s, 37), D(s, 38), D(s, 39), D(s, 40), \
    D(s, 41), D(s, 42), D(s, 43), D(s, 44), D(s, 45), D(s, 46), D(s, 47), D(s, 48), \
    D(s, 49), D(s, 50), D(s, 51), BAD4, BAD, \
    BAD16, BAD16, BAD16, BAD16, BAD16, BAD16, BAD16, BAD16 }
/* clang-format on */

static const uint32_t std_values[4][256] = {PLACE(18, 62, NO, 63, NO),
    PLACE(12, 62, NO, 63, NO), PLACE(6, 62, NO, 63, NO), PLACE(0, 62, NO, 63, NO)};
static const uint32_t url_values[4][256] = {PLACE(18, NO, 62, NO, 63),
    PLACE(12, NO, 62, NO, 63), PLACE(6, NO, 62, NO, 63), PLACE(0, NO, 62, NO, 63)};

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
    const char(*pairs)[2] = kind == B64_STD ? std_pairs : url_pairs;
    const uint8_t *in = data;
    char *at = out;

    for (; len >= 3; len -= 3, in += 3, at += 4) {
        unsigned v = (unsigned)in[0] << 16 | (unsigned)in[1] << 8 | in[2];

        memcpy(at, pairs[v >> 12], 2);
        memcpy(at + 2, pairs[v & 0xfff], 2);
    }
    if (len) {
        unsigned v = (unsigned)in[0] << 16 | (len == 2 ? (unsigned)in[1] << 8 : 0);

        memcpy(at, pairs[v >> 12], 2);
        at += 2;
        if (len == 2)
            *at++ = pairs[v & 0xfff][0];
        else if (kind == B64_STD)
            *at++ = '=';
        if (kind == B64_STD)
            *at++ = '=';
    }
    return (size_t)(at - out);
}

/* The one or two bytes of a last group of n digits; false if bits are left over. */
static bool
decode_tail(const uint32_t values[4][256], const char *text, size_t n, uint8_t *out)
{
    uint32_t v = values[0][(uint8_t)text[0]] | values[1][(uint8_t)text[1]];

    if (n == 3)
        v |= values[2][(uint8_t)text[2]];
    if (v & BAD)
        return false;
    out[0] = (uint8_t)(v >> 16);
    if (n == 2)
        return (v & 0xffff) == 0;
    out[1] = (uint8_t)(v >> 8);
    return (v & 0xff) == 0;
}

bool
b64_decode(enum b64_kind kind, const char *text, size_t len, void *out, size_t cap,
    size_t *out_len)
{
    const uint32_t(*values)[256] = kind == B64_STD ? std_values : url_values;
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
        uint32_t v = values[0][(uint8_t)text[0]] | values[1][(uint8_t)text[1]] |
                     values[2][(uint8_t)text[2]] | values[3][(uint8_t)text[3]];

        if (v & BAD)
            return false;
        at[0] = (uint8_t)(v >> 16);
        at[1] = (uint8_t)(v >> 8);
        at[2] = (uint8_t)v;
    }
    if (tail && !decode_tail(values, text, tail, at))
        return false;
    *out_len = groups * 3 + (tail ? tail - 1 : 0);
    return true;
}
