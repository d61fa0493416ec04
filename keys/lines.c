#include "keys/lines.h"

#include <string.h>

#include "base/b64.h"
#include "base/str.h"
#include "base/time.h"

void
lines_expect(struct reader *r, const char *literal)
{
    reader_expect(r, literal, strlen(literal));
}

uint64_t
lines_number(struct reader *r, char end)
{
    uint64_t n;

    if (!str_number(reader_until(r, end), &n))
        r->failed = true;
    return n;
}

int64_t
lines_instant(struct reader *r, char end)
{
    struct text t = reader_until(r, end);
    int64_t at_s;

    if (!time_parse(t.p, t.len, &at_s))
        r->failed = true;
    return at_s;
}

void
lines_hash(struct reader *r, char end, uint8_t out[HASH_LEN])
{
    struct text t = reader_until(r, end);
    size_t n;

    memset(out, 0, HASH_LEN);
    if (!b64_decode(B64_STD, t.p, t.len, out, HASH_LEN, &n) || n != HASH_LEN)
        r->failed = true;
}

void
lines_put_base64(struct buf *b, const void *data, size_t len)
{
    char *at = buf_space(b, b64_encoded_len(B64_STD, len));

    if (at)
        b64_encode(B64_STD, data, len, at);
}

struct text
lines_issuer(struct reader *r)
{
    struct text t;

    lines_expect(r, "issuer ");
    t = reader_until(r, '\n');
    if (!str_is_uri(t) || !text_starts(t, "https://"))
        r->failed = true;
    return t;
}
