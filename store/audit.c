#include "store/audit.h"

#include <inttypes.h>
#include <string.h>

#include "audit/archive.h"
#include "audit/merkle.h"
#include "base/fail.h"
#include "store/counter.h"
#include "store/key.h"

enum {
    VERSION = 1,        /* of a record: salt, JSON */
    VERSION_ERASED = 2, /* time, ticket, digest */
    CHUNK = 16,         /* hashes that lie together; a tile is 16 chunks */
    DROP_MAX = 1024,    /* records deleted in one transaction */
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

static void
node_key(struct store_key *key, unsigned level, uint64_t index)
{
    store_key(key, SPACE_AUDIT_NODES, NULL, 0);
    buf_u8(&key->b, (uint8_t)level);
    buf_u64(&key->b, index / CHUNK);
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

    node_key(&key, level, index);
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

static void
record_key(struct store_key *key, uint64_t sequence)
{
    store_key(key, SPACE_AUDIT_RECORD, NULL, 0);
    buf_u64(&key->b, sequence);
}

/* Puts it, and hands out its leaf. */
static enum mauth_rc
save_record(struct kv_txn *txn, uint64_t sequence, const struct audit_entry *e,
    uint8_t leaf[HASH_LEN], struct mauth_err *err)
{
    const uint8_t *salt = audit_entry_salt(e);
    struct store_key key;
    enum mauth_rc rc;
    struct text json;
    struct buf b;
    size_t head;

    record_key(&key, sequence);
    buf_init(&b);
    buf_u8(&b, VERSION);
    buf_put(&b, salt, AUDIT_SALT);
    head = b.len;
    audit_entry_write(e, sequence, &b);
    if (buf_ok(&b)) {
        json = (struct text){(const char *)b.data + head, b.len - head};
        rc = audit_leaf(salt, json, leaf, err);
    } else {
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    }
    if (rc == MAUTH_OK)
        rc = kv_put(txn, store_key_text(&key), buf_slice(&b), err);
    buf_clear(&b);
    return rc;
}

enum mauth_rc
audit_append(struct kv_txn *txn, const struct audit_entry *e, struct mauth_err *err)
{
    uint8_t leaf[HASH_LEN];
    struct merkle tree;
    enum mauth_rc rc = load_tree(txn, &tree, err);

    if (rc == MAUTH_OK)
        rc = save_record(txn, tree.size, e, leaf, err);
    if (rc == MAUTH_OK)
        rc = merkle_append(&tree, leaf, save_node, txn, err);
    if (rc == MAUTH_OK)
        rc = save_tree(txn, &tree, err);
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

/* From a value of SPACE_AUDIT_RECORD; false when it is damaged. */
static bool
read_stored(struct text value, struct audit_stored *out)
{
    struct reader r;
    uint8_t version;

    reader_init(&r, value.p, value.len);
    version = reader_u8(&r);
    out->erased = version == VERSION_ERASED;
    if (out->erased) {
        out->time_us = (int64_t)reader_u64(&r);
        out->ticket = reader_field(&r);
        out->digest = reader_field(&r);
        return reader_done(&r);
    }
    out->salt = reader_bytes(&r, AUDIT_SALT);
    out->json = (struct text){(const char *)r.p, r.left};
    return reader_ok(&r) && version == VERSION;
}

static enum mauth_rc
damaged(uint64_t sequence, struct mauth_err *err)
{
    return mauth_fail(
        err, MAUTH_UNAVAILABLE, "audit: record %" PRIu64 " is damaged", sequence);
}

enum mauth_rc
audit_get(struct kv_txn *txn, uint64_t sequence, struct audit_stored *out,
    struct mauth_err *err)
{
    struct store_key key;
    struct text value;
    enum mauth_rc rc;

    *out = (struct audit_stored){.sequence = sequence};
    record_key(&key, sequence);
    rc = kv_get(txn, store_key_text(&key), &value, err);
    if (rc)
        return rc;
    return read_stored(value, out) ? MAUTH_OK : damaged(sequence, err);
}

static uint64_t
sequence_of(struct text key)
{
    struct reader r;

    reader_init(&r, key.p, key.len);
    (void)reader_u8(&r);
    return reader_u64(&r);
}

enum mauth_rc
audit_bounds(struct kv_txn *txn, uint64_t *first, uint64_t *next, struct mauth_err *err)
{
    struct merkle tree;
    enum mauth_rc rc;

    *first = *next = 0;
    rc = load_tree(txn, &tree, err);
    if (rc == MAUTH_OK)
        rc = counter_read(txn, SPACE_AUDIT_LEFT, first, err);
    if (rc == MAUTH_OK && *first > tree.size)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE,
            "audit: more records have left the store than there were");
    *next = tree.size;
    return rc;
}

static enum mauth_rc
read_range(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct audit_range *r = arg;

    return audit_bounds(txn, &r->first, &r->next, err);
}

enum mauth_rc
audit_range(struct kv *kv, struct audit_range *out, struct mauth_err *err)
{
    return kv_read(kv, read_range, out, err);
}

enum mauth_rc
audit_node(struct kv_txn *txn, unsigned level, uint64_t index, uint8_t out[HASH_LEN],
    struct mauth_err *err)
{
    size_t at = (size_t)(index % CHUNK) * HASH_LEN;
    struct store_key key;
    struct text value;
    enum mauth_rc rc;

    node_key(&key, level, index);
    rc = kv_get(txn, store_key_text(&key), &value, err);
    if (rc)
        return rc;
    if (value.len > (size_t)CHUNK * HASH_LEN || value.len % HASH_LEN != 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "audit: the tree is damaged");
    if (value.len < at + HASH_LEN)
        return MAUTH_NOT_FOUND;
    memcpy(out, value.p + at, HASH_LEN);
    return MAUTH_OK;
}

struct scan {
    audit_scan_each *each;
    void *arg;
    enum mauth_rc rc;
    struct mauth_err *err;
};

static bool
hand_out(struct text key, struct text value, void *arg)
{
    struct scan *s = arg;
    struct audit_stored found = {.sequence = sequence_of(key)};

    if (!read_stored(value, &found)) {
        s->rc = damaged(found.sequence, s->err);
        return false;
    }
    return s->each(&found, s->arg);
}

enum mauth_rc
audit_scan(struct kv_txn *txn, uint64_t first, uint64_t end, enum kv_order order,
    audit_scan_each *each, void *arg, struct mauth_err *err)
{
    struct scan s = {.each = each, .arg = arg, .err = err};
    struct store_key from, to;
    enum mauth_rc rc;

    record_key(&from, first);
    record_key(&to, end);
    rc = kv_scan(
        txn, store_key_text(&from), store_key_text(&to), order, hand_out, &s, err);
    return rc ? rc : s.rc;
}

enum mauth_rc
audit_leave(struct kv_txn *txn, uint64_t end, struct mauth_err *err)
{
    return counter_set(txn, SPACE_AUDIT_LEFT, end, err);
}

/* Keys to be deleted, once the scan is over. */
struct drop {
    uint64_t sequence[DROP_MAX];
    size_t count, max;
};

static bool
note_dropped(struct text key, struct text value, void *arg)
{
    struct drop *d = arg;

    (void)value;
    d->sequence[d->count++] = sequence_of(key);
    return d->count < d->max;
}

enum mauth_rc
audit_drop(struct kv_txn *txn, size_t max, size_t *count, struct mauth_err *err)
{
    struct drop d = {.max = max < DROP_MAX ? max : DROP_MAX};
    struct store_key from, end, key;
    uint64_t left;
    enum mauth_rc rc = counter_read(txn, SPACE_AUDIT_LEFT, &left, err);

    record_key(&from, 0);
    record_key(&end, left);
    if (rc == MAUTH_OK)
        rc = kv_scan(txn, store_key_text(&from), store_key_text(&end), KV_UP,
            note_dropped, &d, err);
    for (size_t i = 0; i < d.count && rc == MAUTH_OK; i++) {
        record_key(&key, d.sequence[i]);
        rc = kv_delete(txn, store_key_text(&key), err);
    }
    *count = d.count;
    return rc;
}

static enum mauth_rc
save_erased(struct kv_txn *txn, const struct archive_record *r, struct mauth_err *err)
{
    uint8_t raw[2 + 8 + 2 * 2 + HASH_LEN + 8 * AUDIT_FIELD_MAX];
    struct store_key key;
    struct buf b;

    record_key(&key, r->sequence);
    buf_init_fixed(&b, raw, sizeof(raw));
    buf_u8(&b, VERSION_ERASED);
    buf_u64(&b, (uint64_t)r->time_us);
    buf_field(&b, r->ticket.p, r->ticket.len);
    buf_field(&b, r->digest.p, r->digest.len);
    if (!buf_ok(&b))
        return mauth_fail(err, MAUTH_INTERNAL, "audit: no room for an erased record");
    return kv_put(txn, store_key_text(&key), buf_slice(&b), err);
}

enum mauth_rc
audit_erase(struct kv_txn *txn, uint64_t sequence, struct mauth_err *err)
{
    struct archive_record r = {.sequence = sequence};
    uint8_t digest[HASH_LEN];
    struct audit_stored found;
    enum mauth_rc rc = audit_get(txn, sequence, &found, err);

    if (rc == MAUTH_NOT_FOUND || (rc == MAUTH_OK && found.erased))
        return MAUTH_OK;
    if (rc)
        return rc;
    r.salt = found.salt;
    r.json = found.json;
    return archive_erase(&r, digest) ? save_erased(txn, &r, err)
                                     : damaged(sequence, err);
}
