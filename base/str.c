#include "base/str.h"

#include <string.h>

enum {
    WORD_MAX = 32 /* longer names are near to none */
};

struct text
text_of(const char *s)
{
    struct text t = {s ? s : "", s ? strlen(s) : 0};

    return t;
}

bool
text_equal(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool
text_is(struct text a, const char *s)
{
    return text_equal(a, text_of(s));
}

bool
text_starts(struct text a, const char *prefix)
{
    size_t len = strlen(prefix);

    return a.len >= len && memcmp(a.p, prefix, len) == 0;
}

int
text_compare(struct text a, struct text b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.p, b.p, len) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* What a byte may be. */
enum {
    LOWER = 1,
    DIGIT = 2,
    UPPER = 4,
    NAME = 8,  /* further characters of names: _ . - */
    URI = 16,  /* RFC 3986: unreserved, reserved and '%' */
    LHEX = 32, /* 0-9 a-f */
    HEX = 64,  /* 0-9 a-f A-F */

    D = DIGIT | URI | LHEX | HEX,
    A = UPPER | URI | HEX,        /* A to F */
    U = UPPER | URI,              /* the other capitals */
    B = LOWER | URI | LHEX | HEX, /* a to f */
    L = LOWER | URI,
    N = NAME | URI,
    P = URI
};

/* clang-format off */
static const uint8_t classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
/*     !  "  #  $  %  &  '  (  )  *  +  ,  -  .  / */
    0, P, 0, P, P, P, P, P, P, P, P, P, P, N, N, P,
/*  0  1  2  3  4  5  6  7  8  9  :  ;  <  =  >  ? */
    D, D, D, D, D, D, D, D, D, D, P, P, 0, P, 0, P,
/*  @  A  B  C  D  E  F  G  H  I  J  K  L  M  N  O */
    P, A, A, A, A, A, A, U, U, U, U, U, U, U, U, U,
/*  P  Q  R  S  T  U  V  W  X  Y  Z  [  \  ]  ^  _ */
    U, U, U, U, U, U, U, U, U, U, U, P, 0, P, 0, N,
/*  `  a  b  c  d  e  f  g  h  i  j  k  l  m  n  o */
    0, B, B, B, B, B, B, L, L, L, L, L, L, L, L, L,
/*  p  q  r  s  t  u  v  w  x  y  z  {  |  }  ~    */
    L, L, L, L, L, L, L, L, L, L, L, 0, 0, 0, P, 0,
};
/* clang-format on */

static unsigned
class_of(char c)
{
    return classes[(uint8_t)c];
}

bool
str_is_name(struct text t)
{
    if (t.len < 1 || t.len > STR_NAME_MAX || !(class_of(t.p[0]) & LOWER))
        return false;
    for (size_t i = 1; i < t.len; i++)
        if (!(class_of(t.p[i]) & (LOWER | DIGIT | NAME)))
            return false;
    return true;
}

bool
str_is_uri(struct text t)
{
    size_t i = 0;

    if (t.len < 2 || !(class_of(t.p[0]) & (LOWER | UPPER)))
        return false;
    while (i < t.len && (class_of(t.p[i]) & (LOWER | UPPER | DIGIT) || t.p[i] == '+' ||
                            t.p[i] == '-' || t.p[i] == '.'))
        i++;
    if (i == t.len || t.p[i] != ':')
        return false;
    for (; i < t.len; i++) {
        if (!(class_of(t.p[i]) & URI))
            return false;
        if (t.p[i] == '%' && (t.len - i < 3 || !(class_of(t.p[i + 1]) & HEX) ||
                                 !(class_of(t.p[i + 2]) & HEX)))
            return false;
    }
    return true;
}

bool
str_number(struct text t, uint64_t *out)
{
    uint64_t n = 0;

    *out = 0;
    if (t.len < 1 || t.len > STR_NUMBER_MAX || (t.len > 1 && t.p[0] == '0'))
        return false;
    for (size_t i = 0; i < t.len; i++) {
        if (!(class_of(t.p[i]) & DIGIT))
            return false;
        n = n * 10 + (uint64_t)(t.p[i] - '0');
    }
    *out = n;
    return true;
}

bool
str_is_hex(struct text t, size_t digits)
{
    if (t.len != digits)
        return false;
    for (size_t i = 0; i < t.len; i++)
        if (!(class_of(t.p[i]) & LHEX))
            return false;
    return true;
}

int
str_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

void
str_hex(const void *data, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * len] = '\0';
}

bool
str_unhex(struct text t, size_t len, uint8_t *out)
{
    memset(out, 0, len);
    if (!str_is_hex(t, 2 * len))
        return false;
    for (size_t i = 0; i < len; i++)
        out[i] =
            (uint8_t)(16 * str_hex_digit(t.p[2 * i]) + str_hex_digit(t.p[2 * i + 1]));
    return true;
}

bool
text_cut(struct text *rest, char end, struct text *out)
{
    const char *hit = rest->len ? memchr(rest->p, end, rest->len) : NULL;

    if (!hit)
        return false;
    out->p = rest->p;
    out->len = (size_t)(hit - rest->p);
    rest->p += out->len + 1;
    rest->len -= out->len + 1;
    return true;
}

/* Levenshtein's distance, in one row; STR_FAR when a word is too long. */
static size_t
distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1], len_a = strlen(a), len_b = strlen(b);

    if (len_a > WORD_MAX || len_b > WORD_MAX)
        return STR_FAR;
    for (size_t j = 0; j <= len_b; j++)
        row[j] = j;
    for (size_t i = 1; i <= len_a; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= len_b; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[len_b];
}

bool
str_is_nearer(const char *name, const char *known, size_t *least)
{
    size_t d = distance(known, name);

    if (d >= *least || d >= strlen(known))
        return false;
    *least = d;
    return true;
}
