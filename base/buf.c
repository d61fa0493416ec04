#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/str.h"

enum {
    FIRST_CAP = 256
};

void
buf_init(struct buf *b)
{
    memset(b, 0, sizeof(*b));
}

void
buf_init_secret(struct buf *b)
{
    buf_init(b);
    b->secret = true;
}

void
buf_init_fixed(struct buf *b, void *data, size_t cap)
{
    buf_init(b);
    b->data = data;
    b->cap = cap;
    b->fixed = true;
}

void
buf_clear(struct buf *b)
{
    if (b->secret && b->data)
        mauth_wipe(b->data, b->cap);
    if (b->fixed) {
        buf_rewind(b);
        return;
    }
    free(b->data);
    b->data = NULL;
    b->len = b->cap = 0;
    b->failed = false;
}

void
buf_rewind(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

bool
buf_ok(const struct buf *b)
{
    return !b->failed;
}

static bool
grow(struct buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : FIRST_CAP;
    uint8_t *data;

    if (b->fixed || need > SIZE_MAX / 2)
        return false;
    while (cap < need)
        cap *= 2;
    data = malloc(cap);
    if (!data)
        return false;
    if (b->len)
        memcpy(data, b->data, b->len);
    if (b->secret && b->data)
        mauth_wipe(b->data, b->cap);
    free(b->data);
    b->data = data;
    b->cap = cap;
    return true;
}

void *
buf_space(struct buf *b, size_t len)
{
    void *at;

    if (b->failed)
        return NULL;
    if (len > b->cap - b->len) {
        if (len > SIZE_MAX / 2 || !grow(b, b->len + len)) {
            b->failed = true;
            return NULL;
        }
    }
    at = b->data + b->len;
    b->len += len;
    return at;
}

void
buf_put(struct buf *b, const void *data, size_t len)
{
    void *at;

    if (!len)
        return;
    at = buf_space(b, len);
    if (at)
        memcpy(at, data, len);
}

void
buf_str(struct buf *b, const char *s)
{
    buf_put(b, s, strlen(s));
}

void
buf_text(struct buf *b, struct text t)
{
    buf_put(b, t.p, t.len);
}

void
buf_printf(struct buf *b, const char *format, ...)
{
    va_list ap;
    char small[128];
    char *at;
    int n;

    va_start(ap, format);
    n = vsnprintf(small, sizeof(small), format, ap);
    va_end(ap);
    if (n < 0)
        b->failed = true;
    else if ((size_t)n < sizeof(small))
        buf_put(b, small, (size_t)n);
    if (b->secret)
        mauth_wipe(small, sizeof(small));
    if (n < 0 || (size_t)n < sizeof(small))
        return;
    at = buf_space(b, (size_t)n + 1);
    if (!at)
        return;
    va_start(ap, format);
    vsnprintf(at, (size_t)n + 1, format, ap);
    va_end(ap);
    b->len--; /* the terminator is not ours */
}

void
buf_u8(struct buf *b, uint8_t v)
{
    buf_put(b, &v, 1);
}

void
buf_u16(struct buf *b, uint16_t v)
{
    uint8_t x[2] = {(uint8_t)(v >> 8), (uint8_t)v};

    buf_put(b, x, sizeof(x));
}

void
buf_u32(struct buf *b, uint32_t v)
{
    buf_u16(b, (uint16_t)(v >> 16));
    buf_u16(b, (uint16_t)v);
}

void
buf_u64(struct buf *b, uint64_t v)
{
    buf_u32(b, (uint32_t)(v >> 32));
    buf_u32(b, (uint32_t)v);
}

void
buf_field(struct buf *b, const void *data, size_t len)
{
    if (len > UINT16_MAX) {
        b->failed = true;
        return;
    }
    buf_u16(b, (uint16_t)len);
    buf_put(b, data, len);
}

/* The short escapes of RFC 8259 7, and what each stands for. */
static const char escaped[] = "\"\\\b\f\n\r\t";
static const char letters[] = "\"\\bfnrt";

void
buf_json(struct buf *b, struct text t)
{
    size_t plain = 0; /* what stands from here on needs no escape */

    buf_u8(b, '"');
    for (size_t i = 0; i < t.len; i++) {
        uint8_t c = (uint8_t)t.p[i];
        const char *hit;

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_put(b, t.p + plain, i - plain);
        plain = i + 1;
        hit = memchr(escaped, c, sizeof(escaped) - 1);
        if (hit)
            buf_printf(b, "\\%c", letters[hit - escaped]);
        else
            buf_printf(b, "\\u%04X", c);
    }
    buf_put(b, t.p + plain, t.len - plain);
    buf_u8(b, '"');
}

void
buf_json_lines(struct buf *b, struct text lines)
{
    struct text line;

    buf_u8(b, '[');
    for (bool first = true; text_cut(&lines, '\n', &line); first = false) {
        if (!first)
            buf_u8(b, ',');
        buf_json(b, line);
    }
    buf_u8(b, ']');
}

struct text
buf_slice(const struct buf *b)
{
    return (struct text){(const char *)b->data, b->len};
}

const char *
buf_cstr(struct buf *b)
{
    char *at = buf_space(b, 1);

    if (!at)
        return NULL;
    *at = '\0';
    b->len--;
    return (const char *)b->data;
}

char *
buf_detach(struct buf *b, size_t *len)
{
    char *data = NULL;

    if (!b->fixed && buf_cstr(b)) {
        data = (char *)b->data;
        if (len)
            *len = b->len;
        b->data = NULL;
        b->len = b->cap = 0;
    }
    buf_clear(b);
    return data;
}

void
reader_init(struct reader *r, const void *data, size_t len)
{
    r->p = data ? data : (const uint8_t *)""; /* no arithmetic on NULL */
    r->left = len;
    r->failed = false;
}

const uint8_t *
reader_bytes(struct reader *r, size_t len)
{
    const uint8_t *at = r->p;

    if (r->failed || len > r->left) {
        r->failed = true;
        return NULL;
    }
    r->p += len;
    r->left -= len;
    return at;
}

void
reader_copy(struct reader *r, void *out, size_t len)
{
    const uint8_t *at = reader_bytes(r, len);

    if (at)
        memcpy(out, at, len);
    else
        memset(out, 0, len);
}

uint8_t
reader_u8(struct reader *r)
{
    const uint8_t *at = reader_bytes(r, 1);

    return at ? at[0] : 0;
}

uint16_t
reader_u16(struct reader *r)
{
    const uint8_t *at = reader_bytes(r, 2);

    return at ? (uint16_t)((unsigned)at[0] << 8 | at[1]) : (uint16_t)0;
}

uint32_t
reader_u32(struct reader *r)
{
    uint32_t high = reader_u16(r);

    return high << 16 | reader_u16(r);
}

uint64_t
reader_u64(struct reader *r)
{
    uint64_t high = reader_u32(r);

    return high << 32 | reader_u32(r);
}

struct text
reader_field(struct reader *r)
{
    size_t len = reader_u16(r);
    const uint8_t *at = reader_bytes(r, len);
    struct text t = {at ? (const char *)at : "", at ? len : 0};

    return t;
}

struct text
reader_until(struct reader *r, char end)
{
    struct text t = {"", 0};
    const uint8_t *hit;

    if (r->failed || !r->left || !(hit = memchr(r->p, end, r->left))) {
        r->failed = true;
        return t;
    }
    t.p = (const char *)r->p;
    t.len = (size_t)(hit - r->p);
    r->p += t.len + 1;
    r->left -= t.len + 1;
    return t;
}

bool
reader_accept(struct reader *r, const char *literal, size_t len)
{
    if (r->failed || len > r->left || memcmp(r->p, literal, len) != 0)
        return false;
    r->p += len;
    r->left -= len;
    return true;
}

void
reader_expect(struct reader *r, const char *literal, size_t len)
{
    if (!reader_accept(r, literal, len))
        r->failed = true;
}

bool
reader_ok(const struct reader *r)
{
    return !r->failed;
}

bool
reader_done(const struct reader *r)
{
    return !r->failed && r->left == 0;
}
