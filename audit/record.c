#include "audit/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/merkle.h"
#include "base/b64.h"
#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "base/utf8.h"

struct audit_entry {
    uint8_t salt[AUDIT_SALT];
    size_t cut; /* the sequence number goes in here */
    size_t len;
    char json[];
};

void
audit_time_format(int64_t t_us, char out[AUDIT_TIME_LEN + 1])
{
    int64_t fraction;

    t_us = t_us < 0 ? 0 : t_us;
    fraction = t_us % 1000000;
    time_format(t_us / 1000000, out);
    out[TIME_LEN - 1] = '.';
    for (size_t i = AUDIT_TIME_LEN - 1; i-- > TIME_LEN; fraction /= 10)
        out[i] = (char)('0' + fraction % 10);
    out[AUDIT_TIME_LEN - 1] = 'Z';
    out[AUDIT_TIME_LEN] = '\0';
}

bool
audit_time_parse(struct text text, int64_t *out_us)
{
    char seconds[TIME_LEN + 1];
    uint64_t fraction = 0;
    int64_t t_s;

    *out_us = 0;
    if (text.len != AUDIT_TIME_LEN || text.p[TIME_LEN - 1] != '.' ||
        text.p[AUDIT_TIME_LEN - 1] != 'Z')
        return false;
    memcpy(seconds, text.p, TIME_LEN);
    seconds[TIME_LEN - 1] = 'Z';
    for (size_t i = TIME_LEN; i < AUDIT_TIME_LEN - 1; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        fraction = fraction * 10 + (uint64_t)(text.p[i] - '0');
    }
    if (!time_parse(seconds, TIME_LEN, &t_s))
        return false;
    *out_us = t_s * 1000000 + (int64_t)fraction;
    return true;
}

/* UTF-8, without DEL and the control characters U+0080 to U+009F, which JSON lets pass. */
static bool
is_fit_to_show(struct text t)
{
    while (t.len) {
        uint32_t rune = (uint8_t)*t.p;
        size_t n = rune < 0x7f ? 1 : utf8_next(t.p, t.len, &rune);

        if (!n || (rune >= 0x7f && rune < 0xa0))
            return false;
        t.p += n;
        t.len -= n;
    }
    return true;
}

/* Foreign text as a JSON string: cut where it is long, quoted where it is not UTF-8
 * or would steer a terminal. */
static void
put_string(struct buf *out, const char *foreign)
{
    char cut[AUDIT_FIELD_MAX + 4], quoted[AUDIT_FIELD_MAX];
    struct text t = text_of(foreign);

    if (t.len > AUDIT_FIELD_MAX) {
        t.len = AUDIT_FIELD_MAX;
        while (
            t.len && ((uint8_t)t.p[t.len] & 0xc0) == 0x80) /* not inside a character */
            t.len--;
        snprintf(cut, sizeof(cut), "%.*s...", (int)t.len, foreign);
        t = text_of(cut);
    }
    if (!is_fit_to_show(t))
        t = text_of(mauth_quote(t.p, t.len, quoted, sizeof(quoted)));
    buf_json(out, t);
}

static void
put_name(struct buf *out, const char *name)
{
    buf_str(out, out->len ? ",\"" : "{\"");
    buf_str(out, name);
    buf_str(out, "\":");
}

static void
put_member(struct buf *out, const char *name, const char *text)
{
    if (!text)
        return;
    put_name(out, name);
    put_string(out, text);
}

static void
put_resources(struct buf *out, const struct audit_record *r)
{
    if (!r->resource_count)
        return;
    put_name(out, "resources");
    for (size_t i = 0; i < r->resource_count && i < AUDIT_RESOURCES; i++) {
        buf_u8(out, i ? ',' : '[');
        put_string(out, r->resources[i]);
    }
    buf_u8(out, ']');
}

static void
put_digest(struct buf *out, const uint8_t *digest)
{
    char b64[48] = "";

    if (!digest)
        return;
    b64_encode(B64_STD, digest, HASH_LEN, b64);
    put_member(out, "digest", b64);
}

/* Compact, names in their order; *cut is where the sequence number goes in. */
static void
render(const struct audit_record *r, struct buf *out, size_t *cut)
{
    char when[AUDIT_TIME_LEN + 1];

    audit_time_format(r->time_us, when);
    put_member(out, "action", r->action);
    put_member(out, "actor", r->actor);
    put_member(out, "client", r->client);
    if (r->count) {
        put_name(out, "count");
        buf_printf(out, "%" PRIu64, r->count);
    }
    put_member(out, "device", r->device);
    put_digest(out, r->digest);
    put_member(out, "key", r->key);
    put_member(out, "note", r->note);
    put_member(out, "outcome", r->outcome);
    put_member(out, "reason", r->reason);
    put_member(out, "request", r->request);
    put_resources(out, r);
    put_member(out, "rule", r->rule);
    put_name(out, "sequence");
    *cut = out->len;
    put_member(out, "session", r->session);
    put_member(out, "ticket", r->ticket);
    put_member(out, "time", when);
    put_name(out, "v");
    buf_printf(out, "%d}", AUDIT_RECORD_VERSION);
}

enum mauth_rc
audit_entry_salted(const struct audit_record *r, const uint8_t salt[AUDIT_SALT],
    struct audit_entry **out, struct mauth_err *err)
{
    struct audit_entry *e = NULL;
    struct buf json;
    size_t cut;

    buf_init(&json);
    render(r, &json, &cut);
    if (buf_ok(&json))
        e = malloc(sizeof(*e) + json.len);
    if (e) {
        e->len = json.len;
        e->cut = cut;
        memcpy(e->json, json.data, json.len);
        memcpy(e->salt, salt, AUDIT_SALT);
    }
    buf_clear(&json);
    *out = e;
    return e ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
}

enum mauth_rc
audit_entry_new(
    const struct audit_record *r, struct audit_entry **out, struct mauth_err *err)
{
    uint8_t salt[AUDIT_SALT];
    enum mauth_rc rc = mauth_random(salt, sizeof(salt), err);

    *out = NULL;
    return rc ? rc : audit_entry_salted(r, salt, out, err);
}

void
audit_entry_free(struct audit_entry *e)
{
    free(e);
}

void
audit_entry_write(const struct audit_entry *e, uint64_t sequence, struct buf *out)
{
    buf_put(out, e->json, e->cut);
    buf_printf(out, "%" PRIu64, sequence);
    buf_put(out, e->json + e->cut, e->len - e->cut);
}

const uint8_t *
audit_entry_salt(const struct audit_entry *e)
{
    return e->salt;
}

enum mauth_rc
audit_leaf(const uint8_t salt[AUDIT_SALT], struct text record, uint8_t out[HASH_LEN],
    struct mauth_err *err)
{
    struct text pieces[2] = {{(const char *)salt, AUDIT_SALT}, record};
    uint8_t salted[HASH_LEN];
    enum mauth_rc rc = hash_sha256(pieces, 2, salted, err);

    return rc ? rc : merkle_leaf(salted, sizeof(salted), out, err);
}
