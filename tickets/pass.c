#include "tickets/pass.h"

#include "base/b64.h"
#include "base/str.h"
#include "base/time.h"

bool
pass_ok(const struct pass *p)
{
    return !p->failed &&
           (p->reading ? reader_ok(&p->in) && buf_ok(p->pool) : buf_ok(p->out));
}

void
pass_fixed(struct pass *p, const char *literal, size_t len)
{
    if (p->reading)
        reader_expect(&p->in, literal, len);
    else
        buf_put(p->out, literal, len);
}

bool
pass_another(struct pass *p, bool more, const char *literal, size_t len)
{
    if (p->reading)
        return reader_accept(&p->in, literal, len);
    if (more)
        buf_put(p->out, literal, len);
    return more;
}

static void
escape(struct buf *out, struct text v)
{
    struct text part;

    while (text_cut(&v, '&', &part)) {
        buf_text(out, part);
        buf_str(out, "&amp;");
    }
    buf_text(out, v);
}

/* Keeps a terminated copy of raw in the pool, without its escapes. */
static struct text
keep(struct pass *p, struct text raw)
{
    static const char amp[] = "amp;";
    size_t start = p->pool->len;
    struct text part, kept = {"", 0};

    while (text_cut(&raw, '&', &part)) {
        if (!text_starts(raw, amp)) {
            p->failed = true;
            return kept;
        }
        raw.p += sizeof(amp) - 1;
        raw.len -= sizeof(amp) - 1;
        buf_text(p->pool, part);
        buf_u8(p->pool, '&');
    }
    buf_text(p->pool, raw);
    kept.len = p->pool->len - start;
    buf_u8(p->pool, 0);
    if (!buf_ok(p->pool))
        return (struct text){"", 0};
    kept.p = (const char *)p->pool->data + start;
    return kept;
}

void
pass_value(struct pass *p, struct text *v, pass_valid *valid, char end)
{
    if (p->reading)
        *v = keep(p, reader_until(&p->in, end));
    else
        escape(p->out, *v);
    if (!p->reading)
        buf_u8(p->out, (uint8_t)end);
    if (!p->again && !valid(*v))
        p->failed = true;
}

void
pass_instant(struct pass *p, int64_t *t_s, char end)
{
    char text[TIME_LEN + 1];

    if (p->reading) {
        struct text t = reader_until(&p->in, end);

        if (!time_parse(t.p, t.len, t_s))
            p->failed = true;
        return;
    }
    if (*t_s < 0 || *t_s > TIME_MAX_S)
        p->failed = true;
    time_format(*t_s, text);
    buf_put(p->out, text, TIME_LEN);
    buf_u8(p->out, (uint8_t)end);
}

void
pass_bytes(struct pass *p, struct text *v, char end)
{
    char *at;

    if (p->reading) {
        struct text raw = reader_until(&p->in, end);
        size_t len = 0, max = b64_decoded_max(raw.len);

        at = buf_space(p->pool, max);
        if (!at || !b64_decode(B64_STD, raw.p, raw.len, at, max, &len)) {
            p->failed = true;
            *v = (struct text){"", 0};
            return;
        }
        *v = (struct text){at, len};
        return;
    }
    at = buf_space(p->out, b64_encoded_len(B64_STD, v->len));
    if (at)
        b64_encode(B64_STD, v->p, v->len, at);
    buf_u8(p->out, (uint8_t)end);
}
