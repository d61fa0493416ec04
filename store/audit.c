#include "store/audit.h"

#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "audit/merkle.h"
#include "base/fail.h"
#include "store/key.h"

enum {
    VERSION = 1,
    CHUNK = 16, /* hashes that lie together; a tile is 16 chunks */
    LIMIT_DEFAULT = 100
};

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
    buf_put(&b, audit_entry_salt(e), AUDIT_SALT);
    buf_text(&b, record);
    if (buf_ok(&b))
        rc = kv_put(txn, store_key_text(&key), buf_slice(&b), err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    buf_clear(&b);
    return rc;
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
    audit_entry_write(e, tree.size, &json);
    if (!buf_ok(&json))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    if (rc == MAUTH_OK)
        rc = audit_leaf(audit_entry_salt(e), buf_slice(&json), leaf, err);
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
    char since[AUDIT_TIME_LEN + 1];
    char until[AUDIT_TIME_LEN + 1];
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
        audit_time_format(filter->since_us, q.since);
    if (filter->until_us)
        audit_time_format(filter->until_us, q.until);
    store_key(&first, SPACE_AUDIT_RECORD, NULL, 0);
    store_key(&end, (enum store_space)(SPACE_AUDIT_RECORD + 1), NULL, 0);
    rc = kv_scan(
        txn, store_key_text(&first), store_key_text(&end), KV_DOWN, look_at, &q, err);
    return rc ? rc : q.rc;
}
