#include "store/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "base/utf8.h"
#include "store/key.h"
#include "store/merkle.h"

enum {
    VERSION = 1,
    CHUNK = 16,   /* hashes that lie together; a tile is 16 chunks */
    TIME_US = 27, /* "2026-11-22T10:00:00.000000Z" */
    LIMIT_DEFAULT = 100
};

struct audit_entry {
    uint8_t salt[AUDIT_SALT];
    size_t cut; /* the sequence number goes in here */
    size_t len;
    char json[];
};

static void
format_time(int64_t t_us, char out[TIME_US + 1])
{
    int64_t fraction;

    t_us = t_us < 0 ? 0 : t_us;
    fraction = t_us % 1000000;
    time_format(t_us / 1000000, out);
    out[TIME_LEN - 1] = '.';
    for (size_t i = TIME_US - 1; i-- > TIME_LEN; fraction /= 10)
        out[i] = (char)('0' + fraction % 10);
    out[TIME_US - 1] = 'Z';
    out[TIME_US] = '\0';
}

/* UTF-8, without DEL and the control characters U+0080 to U+009F, which JSON lets pass. */
static bool
is_fit_to_show(struct text t)
{
    while (t.len) {
        uint32_t rune;
        size_t n = utf8_next(t.p, t.len, &rune);

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
    b64_encode(B64_STD, digest, AUDIT_HASH, b64);
    put_member(out, "digest", b64);
}

/* Compact, names in their order; *cut is where the sequence number goes in. */
static void
render(const struct audit_record *r, struct buf *out, size_t *cut)
{
    char when[TIME_US + 1];

    format_time(r->time_us, when);
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
    buf_u8(out, '}');
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

static enum mauth_rc
load_tree(struct kv_txn *txn, struct merkle *m, struct mauth_err *err)
{
    struct store_key key;
    struct reader r;
    struct text value;
    enum mauth_rc rc;

    memset(m, 0, sizeof(*m));
    store_key(&key, SPACE_AUDIT_HEAD, NULL, 0);
    rc = kv_get(txn, store_key_text(&key), &value, err);
    if (rc == MAUTH_NOT_FOUND)
        return MAUTH_OK;
    if (rc)
        return rc;
    reader_init(&r, value.p, value.len);
    if (reader_u8(&r) != VERSION)
        r.failed = true;
    merkle_read(&r, m);
    if (!reader_done(&r))
        return mauth_fail(err, MAUTH_UNAVAILABLE, "audit: the head is damaged");
    return MAUTH_OK;
}

static enum mauth_rc
save_tree(struct kv_txn *txn, const struct merkle *m, struct mauth_err *err)
{
    uint8_t raw[16 + MERKLE_LEVELS * HASH_LEN];
    struct store_key key;
    struct buf b;

    buf_init_fixed(&b, raw, sizeof(raw));
    buf_u8(&b, VERSION);
    merkle_write(m, &b);
    store_key(&key, SPACE_AUDIT_HEAD, NULL, 0);
    return kv_put(txn, store_key_text(&key), buf_slice(&b), err);
}

/* Adds a hash to its chunk, which is put again. */
static enum mauth_rc
save_node(unsigned level, uint64_t index, const uint8_t hash[HASH_LEN], void *arg,
    struct mauth_err *err)
{
    uint8_t raw[CHUNK * HASH_LEN];
    struct kv_txn *txn = arg;
    size_t before = (size_t)(index % CHUNK) * HASH_LEN;
    struct store_key key;
    struct text value;
    enum mauth_rc rc;
    struct buf b;

    store_key(&key, SPACE_AUDIT_NODES, NULL, 0);
    buf_u8(&key.b, (uint8_t)level);
    buf_u64(&key.b, index / CHUNK);
    buf_init_fixed(&b, raw, sizeof(raw));
    if (before) {
        rc = kv_get(txn, store_key_text(&key), &value, err);
        if (rc || value.len != before)
            return mauth_fail(err, MAUTH_UNAVAILABLE, "audit: the tree is damaged");
        buf_text(&b, value);
    }
    buf_put(&b, hash, HASH_LEN);
    return kv_put(txn, store_key_text(&key), buf_slice(&b), err);
}

static enum mauth_rc
save_record(struct kv_txn *txn, uint64_t sequence, const struct audit_entry *e,
    struct text record, struct mauth_err *err)
{
    struct store_key key;
    enum mauth_rc rc;
    struct buf b;

    store_key(&key, SPACE_AUDIT_RECORD, NULL, 0);
    buf_u64(&key.b, sequence);
    buf_init(&b);
    buf_u8(&b, VERSION);
    buf_put(&b, e->salt, AUDIT_SALT);
    buf_text(&b, record);
    if (buf_ok(&b))
        rc = kv_put(txn, store_key_text(&key), buf_slice(&b), err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    buf_clear(&b);
    return rc;
}

/* The leaf is over SHA-256(salt || record), so that both can be erased. */
static enum mauth_rc
leaf_of(const struct audit_entry *e, struct text record, uint8_t out[HASH_LEN],
    struct mauth_err *err)
{
    struct text pieces[2] = {{(const char *)e->salt, AUDIT_SALT}, record};
    uint8_t salted[HASH_LEN];
    enum mauth_rc rc = hash_sha256(pieces, 2, salted, err);

    return rc ? rc : merkle_leaf(salted, sizeof(salted), out, err);
}

enum mauth_rc
audit_append(struct kv_txn *txn, const struct audit_entry *e, struct mauth_err *err)
{
    uint8_t leaf[HASH_LEN];
    struct merkle tree;
    enum mauth_rc rc;
    struct buf json;

    rc = load_tree(txn, &tree, err);
    if (rc)
        return rc;
    buf_init(&json);
    buf_put(&json, e->json, e->cut);
    buf_printf(&json, "%" PRIu64, tree.size);
    buf_put(&json, e->json + e->cut, e->len - e->cut);
    if (!buf_ok(&json))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    if (rc == MAUTH_OK)
        rc = leaf_of(e, buf_slice(&json), leaf, err);
    if (rc == MAUTH_OK)
        rc = save_record(txn, tree.size, e, buf_slice(&json), err);
    if (rc == MAUTH_OK)
        rc = merkle_append(&tree, leaf, save_node, txn, err);
    if (rc == MAUTH_OK)
        rc = save_tree(txn, &tree, err);
    buf_clear(&json);
    return rc;
}

enum mauth_rc
audit_append_record(struct kv_txn *txn, const struct audit_record *r,
    const uint8_t salt[AUDIT_SALT], struct mauth_err *err)
{
    struct audit_entry *e = NULL;
    enum mauth_rc rc = audit_entry_salted(r, salt, &e, err);

    if (rc == MAUTH_OK)
        rc = audit_append(txn, e, err);
    audit_entry_free(e);
    return rc;
}

enum mauth_rc
audit_head(struct kv_txn *txn, struct audit_head *out, struct mauth_err *err)
{
    struct merkle tree;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    rc = load_tree(txn, &tree, err);
    if (rc)
        return rc;
    out->size = tree.size;
    return merkle_root(&tree, out->root, err);
}

struct query {
    const struct audit_filter *filter;
    char since[TIME_US + 1];
    char until[TIME_US + 1];
    uint64_t left;
    audit_each *each;
    void *arg;
    enum mauth_rc rc;
    struct mauth_err *err;
};

static bool
fits(const json_t *o, const char *name, const char *want)
{
    const char *got = json_string_value(json_object_get(o, name));

    return !want || (got && strcmp(got, want) == 0);
}

static bool
is_wanted(const struct query *q, const json_t *o)
{
    const struct audit_filter *f = q->filter;
    const char *time = json_string_value(json_object_get(o, "time"));

    return time && (!q->since[0] || strcmp(time, q->since) >= 0) &&
           (!q->until[0] || strcmp(time, q->until) < 0) && fits(o, "actor", f->actor) &&
           fits(o, "action", f->action) && fits(o, "outcome", f->outcome) &&
           fits(o, "reason", f->reason) && fits(o, "ticket", f->ticket) &&
           fits(o, "session", f->session);
}

/* A record that cannot be read is not passed over: who asks must know. */
static bool
look_at(struct text key, struct text value, void *arg)
{
    struct query *q = arg;
    struct text record = {"", 0};
    uint64_t sequence;
    struct reader r;
    bool wanted;
    json_t *o;

    reader_init(&r, key.p, key.len);
    (void)reader_u8(&r);
    sequence = reader_u64(&r);
    reader_init(&r, value.p, value.len);
    if (reader_u8(&r) == VERSION && reader_bytes(&r, AUDIT_SALT))
        record = (struct text){(const char *)r.p, r.left};
    o = json_loadb(record.p, record.len, 0, NULL);
    if (!o) {
        q->rc = mauth_fail(q->err, MAUTH_UNAVAILABLE,
            "audit: record %" PRIu64 " is damaged", sequence);
        return false;
    }
    wanted = is_wanted(q, o);
    json_decref(o);
    if (!wanted)
        return true;
    q->left--;
    return q->each(sequence, record, q->arg) && q->left > 0;
}

enum mauth_rc
audit_query(struct kv_txn *txn, const struct audit_filter *filter, audit_each *each,
    void *arg, struct mauth_err *err)
{
    struct query q = {.filter = filter,
        .left = filter->limit ? filter->limit : LIMIT_DEFAULT,
        .each = each,
        .arg = arg,
        .err = err};
    struct store_key first, end;
    enum mauth_rc rc;

    if (filter->since_us)
        format_time(filter->since_us, q.since);
    if (filter->until_us)
        format_time(filter->until_us, q.until);
    store_key(&first, SPACE_AUDIT_RECORD, NULL, 0);
    store_key(&end, (enum store_space)(SPACE_AUDIT_RECORD + 1), NULL, 0);
    rc = kv_scan(
        txn, store_key_text(&first), store_key_text(&end), KV_DOWN, look_at, &q, err);
    return rc ? rc : q.rc;
}
