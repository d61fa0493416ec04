#include <inttypes.h>
#include <string.h>

#include "audit/archive.h"
#include "audit/terms.h"
#include "base/b64.h"
#include "base/fail.h"
#include "base/str.h"

enum {
    B64_32 = 44, /* characters of 32 bytes */
    TICKET_MAX = 6 * AUDIT_FIELD_MAX
};

#define FIRST "{\"segment\":\"meshauth audit\",\"version\":1,\"first\":"

static void
put_b64(struct buf *out, const void *bytes)
{
    char text[B64_32];

    (void)b64_encode(B64_STD, bytes, HASH_LEN, text);
    buf_put(out, text, sizeof(text));
}

void
archive_put_first(struct buf *out, uint64_t first)
{
    buf_printf(out, FIRST "%" PRIu64 "}", first);
}

static void
put_erased(struct buf *out, const struct archive_record *r)
{
    char when[AUDIT_TIME_LEN + 1];

    audit_time_format(r->time_us, when);
    buf_str(out, "{\"erased\":true,\"leaf\":\"");
    put_b64(out, r->leaf);
    buf_printf(out, "\",\"time\":\"%s\"", when);
    if (r->ticket.len) {
        buf_str(out, ",\"ticket\":\"");
        buf_text(out, r->ticket);
        buf_u8(out, '"');
    }
    if (r->digest.len) {
        buf_str(out, ",\"digest\":\"");
        put_b64(out, r->digest.p);
        buf_u8(out, '"');
    }
    buf_u8(out, '}');
}

enum mauth_rc
archive_put_record(struct buf *out, struct archive_record *r, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    if (r->erased) {
        put_erased(out, r);
    } else {
        rc = audit_leaf(r->salt, r->json, r->leaf, err);
        buf_str(out, "{\"salt\":\"");
        put_b64(out, r->salt);
        buf_str(out, "\",\"record\":");
        buf_text(out, r->json);
        buf_u8(out, '}');
    }
    return rc;
}

enum mauth_rc
archive_put_last(struct buf *out, const struct merkle *tree, struct mauth_err *err)
{
    uint8_t root[HASH_LEN];
    enum mauth_rc rc = merkle_root(tree, root, err);

    buf_printf(out, "{\"count\":%" PRIu64 ",\"root\":\"", tree->size);
    put_b64(out, root);
    buf_str(out, "\"}");
    return rc;
}

/* Erasing. */

/* A ticket's ID as it stood in the record. */
static bool
is_ticket(struct text t)
{
    if (!t.len || t.len > TICKET_MAX)
        return false;
    for (size_t i = 0; i < t.len; i++)
        if (t.p[i] <= ' ' || t.p[i] > '~' || t.p[i] == '\\')
            return false;
    return true;
}

/* The digest of a record; quotes within strings are escaped, so that it is a member. */
static struct text
find_digest(struct text json)
{
    static const char name[] = ",\"digest\":\"";
    const char *at = memmem(json.p, json.len, name, sizeof(name) - 1);

    if (!at || (size_t)(json.p + json.len - at) < sizeof(name) - 1 + B64_32)
        return (struct text){"", 0};
    return (struct text){at + sizeof(name) - 1, B64_32};
}

/* Of the record of an issue alone: others name tickets that were shown to us. */
static bool
keep_ticket(
    struct archive_record *r, const struct audit_terms *terms, uint8_t digest[HASH_LEN])
{
    struct text b64 = find_digest(r->json);
    size_t len = 0;

    for (size_t i = 0; i < terms->count; i++)
        if (terms->term[i].field == AUDIT_TICKET && is_ticket(terms->term[i].value))
            r->ticket = terms->term[i].value;
    if (!b64.len)
        return true;
    r->digest = (struct text){(const char *)digest, HASH_LEN};
    return b64_decode(B64_STD, b64.p, b64.len, digest, HASH_LEN, &len) &&
           len == HASH_LEN;
}

bool
archive_erase(struct archive_record *r, uint8_t digest[HASH_LEN])
{
    struct audit_terms terms;

    if (!audit_terms_read(r->json, &terms) || terms.sequence != r->sequence)
        return false;
    r->time_us = terms.time_us;
    r->ticket = r->digest = (struct text){"", 0};
    if (audit_terms_are_of_issue(&terms) && !keep_ticket(r, &terms, digest))
        return false;
    r->erased = true;
    r->salt = NULL;
    r->json = (struct text){"", 0};
    return true;
}

/* Reading. */

static void
take_b64(struct reader *in, uint8_t out[HASH_LEN])
{
    const uint8_t *p = reader_bytes(in, B64_32);
    size_t len;

    memset(out, 0, HASH_LEN);
    if (p && (!b64_decode(B64_STD, (const char *)p, B64_32, out, HASH_LEN, &len) ||
                 len != HASH_LEN))
        in->failed = true;
}

static uint64_t
take_number(struct reader *in, char end)
{
    uint64_t n = 0;

    if (!str_number(reader_until(in, end), &n))
        in->failed = true;
    return n;
}

#define EXPECT(in, literal) reader_expect(in, literal, sizeof(literal) - 1)
#define ACCEPT(in, literal) reader_accept(in, literal, sizeof(literal) - 1)

static void
take_erased(struct archive_lines *l, struct reader *in, struct archive_record *out)
{
    const uint8_t *time;

    out->erased = true;
    take_b64(in, out->leaf);
    EXPECT(in, "\",\"time\":\"");
    time = reader_bytes(in, AUDIT_TIME_LEN);
    if (time && !audit_time_parse(
                    (struct text){(const char *)time, AUDIT_TIME_LEN}, &out->time_us))
        in->failed = true;
    EXPECT(in, "\"");
    if (ACCEPT(in, ",\"ticket\":\"")) {
        out->ticket = reader_until(in, '"');
        in->failed = in->failed || !is_ticket(out->ticket);
    }
    if (ACCEPT(in, ",\"digest\":\"")) {
        take_b64(in, l->digest);
        EXPECT(in, "\"");
        out->digest = (struct text){(const char *)l->digest, HASH_LEN};
    }
    EXPECT(in, "}");
}

static void
take_whole(struct archive_lines *l, struct reader *in, struct archive_record *out)
{
    struct audit_terms terms;

    take_b64(in, l->salt);
    EXPECT(in, "\",\"record\":");
    if (!reader_ok(in) || in->left < 1) {
        in->failed = true;
        return;
    }
    out->salt = l->salt;
    out->json = (struct text){(const char *)in->p, in->left - 1};
    (void)reader_bytes(in, out->json.len);
    EXPECT(in, "}");
    if (!audit_terms_read(out->json, &terms) || terms.sequence != out->sequence)
        in->failed = true;
    out->time_us = terms.time_us;
}

static enum mauth_rc
malformed(const struct archive_lines *l, struct mauth_err *err)
{
    return mauth_fail(err, MAUTH_MALFORMED, "the segment is damaged at record %" PRIu64,
        l->first + l->tree.size);
}

static enum mauth_rc
take_record(struct archive_lines *l, struct reader *in, struct archive_record *out,
    struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    *out = (struct archive_record){.sequence = l->first + l->tree.size};
    if (ACCEPT(in, "{\"erased\":true,\"leaf\":\"")) {
        take_erased(l, in, out);
    } else {
        EXPECT(in, "{\"salt\":\"");
        take_whole(l, in, out);
    }
    if (!reader_done(in) || l->tree.size == ARCHIVE_RECORDS_MAX)
        return malformed(l, err);
    if (!out->erased)
        rc = audit_leaf(out->salt, out->json, out->leaf, err);
    return rc ? rc : merkle_append(&l->tree, out->leaf, NULL, NULL, err);
}

/* From behind its first member's name. */
static enum mauth_rc
take_last(struct archive_lines *l, struct reader *in, struct mauth_err *err)
{
    uint8_t root[HASH_LEN];
    uint64_t count = take_number(in, ',');
    enum mauth_rc rc = merkle_root(&l->tree, l->root, err);

    EXPECT(in, "\"root\":\"");
    take_b64(in, root);
    EXPECT(in, "\"}");
    if (rc)
        return rc;
    if (!reader_done(in) || !count || count != l->tree.size ||
        memcmp(root, l->root, HASH_LEN) != 0)
        return malformed(l, err);
    l->ended = true;
    return MAUTH_OK;
}

enum mauth_rc
archive_lines_take(struct archive_lines *l, struct text line,
    struct archive_record *out, bool *is_record, struct mauth_err *err)
{
    struct reader in;

    *is_record = false;
    reader_init(&in, line.p, line.len);
    if (l->ended)
        return malformed(l, err);
    if (!l->begun) {
        EXPECT(&in, FIRST);
        l->first = take_number(&in, '}');
        l->begun = true;
        return reader_done(&in) ? MAUTH_OK : malformed(l, err);
    }
    if (ACCEPT(&in, "{\"count\":"))
        return take_last(l, &in, err);
    *is_record = true;
    return take_record(l, &in, out, err);
}
