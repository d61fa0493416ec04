#include "keys/der.h"

#include <string.h>

#include "base/buf.h"

/* SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING { 00 04 x y } } */
static const uint8_t p256_prefix[DER_P256_PREFIX] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07,
    0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
    0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

/* SEQUENCE { rsaEncryption, NULL } */
static const uint8_t rsa_algorithm[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
    0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

/* The order of P-256, and half of it, rounded down. */
static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e,
    0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
static const uint8_t half_order[32] = {0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00,
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b,
    0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8};

/* Tag and length of an element, whose content is left to r; lengths minimal. */
static size_t
open_element(struct reader *r, uint8_t tag)
{
    size_t len;

    if (reader_u8(r) != tag)
        r->failed = true;
    len = reader_u8(r);
    if (len == 0x81) {
        len = reader_u8(r);
        if (len < 0x80)
            r->failed = true;
    } else if (len == 0x82) {
        len = reader_u16(r);
        if (len < 0x100)
            r->failed = true;
    } else if (len > 0x82 || len == 0x80) {
        r->failed = true;
    }
    if (len > r->left)
        r->failed = true;
    return r->failed ? 0 : len;
}

/* The same, for one that reaches to the end of what r has. */
static bool
open_rest(struct reader *r, uint8_t tag)
{
    size_t len = open_element(r, tag);

    return !r->failed && len == r->left;
}

/* A positive INTEGER in its shortest form, without the sign octet. */
static const uint8_t *
positive(struct reader *r, size_t *len)
{
    size_t n = open_element(r, DER_INTEGER);
    const uint8_t *p = reader_bytes(r, n);

    *len = 0;
    if (!p || n == 0 || p[0] & 0x80) {
        r->failed = true;
        return NULL;
    }
    if (p[0] == 0) {
        if (n == 1 || !(p[1] & 0x80)) {
            r->failed = true;
            return NULL;
        }
        p++;
        n--;
    }
    *len = n;
    return p;
}

static unsigned
bits(const uint8_t *p, size_t len)
{
    unsigned top = 0;

    for (unsigned b = p[0]; b; b >>= 1)
        top++;
    return (unsigned)(len - 1) * 8 + top;
}

bool
der_is_p256(const uint8_t *der, size_t len)
{
    return len == DER_P256_LEN && memcmp(der, p256_prefix, sizeof(p256_prefix)) == 0;
}

bool
der_is_rsa(const uint8_t *der, size_t len, size_t *modulus)
{
    const uint8_t *n, *e;
    size_t n_len, e_len;
    struct reader r;

    *modulus = 0;
    reader_init(&r, der, len);
    /* Each element must end where the one around it does: the lengths agree. */
    if (!open_rest(&r, DER_SEQUENCE))
        return false;
    reader_expect(&r, (const char *)rsa_algorithm, sizeof(rsa_algorithm));
    if (!open_rest(&r, DER_BIT_STRING) || reader_u8(&r) != 0)
        return false;
    if (!open_rest(&r, DER_SEQUENCE))
        return false;
    n = positive(&r, &n_len);
    e = positive(&r, &e_len);
    if (!reader_done(&r) || !n || !e)
        return false;
    if (bits(n, n_len) < 2048 || bits(n, n_len) > 4096)
        return false;
    if (bits(e, e_len) < 3 || bits(e, e_len) > 32 || !(e[e_len - 1] & 1))
        return false;
    *modulus = n_len;
    return true;
}

static bool
is_zero(const uint8_t x[32])
{
    static const uint8_t zero[32];

    return memcmp(x, zero, 32) == 0;
}

static void
put_length(struct buf *b, size_t len)
{
    if (len >= 0x100) {
        buf_u8(b, 0x82);
        buf_u16(b, (uint16_t)len);
        return;
    }
    if (len >= 0x80)
        buf_u8(b, 0x81);
    buf_u8(b, (uint8_t)len);
}

void
der_put_integer(struct buf *b, const uint8_t *x, size_t len)
{
    while (len > 1 && x[0] == 0) {
        x++;
        len--;
    }
    buf_u8(b, DER_INTEGER);
    put_length(b, len + (x[0] >> 7));
    if (x[0] & 0x80)
        buf_u8(b, 0);
    buf_put(b, x, len);
}

void
der_put_element(struct buf *b, uint8_t tag, const struct buf *content)
{
    buf_u8(b, tag);
    put_length(b, content->len);
    buf_put(b, content->data, content->len);
    if (!buf_ok(content))
        b->failed = true;
}

void
der_make_p256(const uint8_t xy[64], uint8_t out[DER_P256_LEN])
{
    memcpy(out, p256_prefix, DER_P256_PREFIX);
    memcpy(out + DER_P256_PREFIX, xy, 64);
}

void
der_make_rsa(
    const uint8_t *n, size_t n_len, const uint8_t *e, size_t e_len, struct buf *out)
{
    struct buf numbers, key, all;

    buf_init(&numbers);
    buf_init(&key);
    buf_init(&all);
    der_put_integer(&numbers, n, n_len);
    der_put_integer(&numbers, e, e_len);
    buf_u8(&key, 0); /* no unused bits */
    der_put_element(&key, DER_SEQUENCE, &numbers);
    buf_put(&all, rsa_algorithm, sizeof(rsa_algorithm));
    der_put_element(&all, DER_BIT_STRING, &key);
    der_put_element(out, DER_SEQUENCE, &all);
    buf_clear(&numbers);
    buf_clear(&key);
    buf_clear(&all);
}

bool
der_from_raw(
    const uint8_t raw[DER_ECDSA_RAW], uint8_t out[DER_ECDSA_DER_MAX], size_t *len)
{
    const uint8_t *r = raw, *s = raw + 32;
    struct buf b;

    *len = 0;
    if (is_zero(r) || is_zero(s) || memcmp(r, order, 32) >= 0 ||
        memcmp(s, half_order, 32) > 0)
        return false;
    buf_init_fixed(&b, out, DER_ECDSA_DER_MAX);
    buf_u8(&b, DER_SEQUENCE);
    buf_u8(&b, 0); /* the length, when it is known */
    der_put_integer(&b, r, 32);
    der_put_integer(&b, s, 32);
    if (!buf_ok(&b))
        return false;
    out[1] = (uint8_t)(b.len - 2);
    *len = b.len;
    return true;
}

static bool
copy_integer(struct reader *r, uint8_t out[32])
{
    size_t len;
    const uint8_t *p = positive(r, &len);

    if (!p || len > 32)
        return false;
    memset(out, 0, 32 - len);
    memcpy(out + 32 - len, p, len);
    return true;
}

/* s = n - s verifies as well. */
static void
lower(uint8_t s[32])
{
    unsigned borrow = 0;

    if (memcmp(s, half_order, 32) <= 0)
        return;
    for (size_t i = 32; i-- > 0;) {
        unsigned d = 0x100U + order[i] - s[i] - borrow;

        s[i] = (uint8_t)d;
        borrow = d < 0x100U;
    }
}

bool
der_lower_s(uint8_t raw[DER_ECDSA_RAW])
{
    const uint8_t *r = raw;
    uint8_t *s = raw + 32;

    if (is_zero(r) || is_zero(s) || memcmp(r, order, 32) >= 0 ||
        memcmp(s, order, 32) >= 0)
        return false;
    lower(s);
    return true;
}

bool
der_to_raw(const uint8_t *der, size_t len, uint8_t raw[DER_ECDSA_RAW])
{
    uint8_t *s = raw + 32;
    struct reader r;

    reader_init(&r, der, len);
    if (!open_rest(&r, DER_SEQUENCE) || !copy_integer(&r, raw) ||
        !copy_integer(&r, s) || !reader_done(&r))
        return false;
    lower(s);
    return true;
}
