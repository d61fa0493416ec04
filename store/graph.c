#include "store/graph.h"

#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "store/graph_record.h"

enum {
    FORGET = 8 /* tokens too old that one use of another forgets */
};

enum mauth_rc
graph_state(struct kv_txn *txn, uint64_t *out, struct mauth_err *err)
{
    struct reader r;
    enum mauth_rc rc;

    *out = 1;
    rc = record_load(txn, SPACE_GRAPH_STATE, NULL, 0, &r, err);
    if (rc == MAUTH_NOT_FOUND)
        return MAUTH_OK;
    if (rc)
        return rc;
    *out = reader_u64(&r);
    return reader_done(&r) ? MAUTH_OK : record_damaged("state", err);
}

enum mauth_rc
graph_advance(struct kv_txn *txn, uint64_t *out, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    enum mauth_rc rc;
    struct buf b;

    rc = graph_state(txn, out, err);
    if (rc)
        return rc;
    record_open(&b, raw);
    buf_u64(&b, ++*out);
    return record_save(txn, SPACE_GRAPH_STATE, NULL, 0, &b, err);
}

static enum mauth_rc
advance(struct kv_txn *txn, struct mauth_err *err)
{
    uint64_t state;

    return graph_advance(txn, &state, err);
}

/* The name under which an identity is found: both parts with their lengths. */
static enum mauth_rc
identity_hash(
    const struct graph_identity *who, uint8_t out[HASH_LEN], struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    if (who->issuer.len > GRAPH_ISSUER_MAX || who->subject.len > GRAPH_SUBJECT_MAX ||
        !who->issuer.len || !who->subject.len)
        return mauth_fail(
            err, MAUTH_INVALID, "graph: an identity that is too long or empty");
    buf_init_fixed(&b, raw, sizeof(raw));
    buf_field(&b, who->issuer.p, who->issuer.len);
    buf_field(&b, who->subject.p, who->subject.len);
    return hash_bytes(b.data, b.len, out, err);
}

enum mauth_rc
graph_user_by_id(struct kv_txn *txn, const struct id *id, struct graph_user *out,
    struct mauth_err *err)
{
    struct reader r;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    rc = record_load(txn, SPACE_USER, id->b, ID_BYTES, &r, err);
    if (rc)
        return rc;
    out->id = *id;
    out->version = reader_u64(&r);
    out->created_s = (int64_t)reader_u64(&r);
    out->updated_s = (int64_t)reader_u64(&r);
    out->live = reader_u8(&r) == 1;
    return reader_done(&r) ? MAUTH_OK : record_damaged("user", err);
}

enum mauth_rc
graph_user_by_identity(struct kv_txn *txn, const struct graph_identity *who,
    struct graph_user *out, struct mauth_err *err)
{
    uint8_t hash[HASH_LEN];
    struct reader r;
    enum mauth_rc rc;
    struct id id;

    memset(out, 0, sizeof(*out));
    rc = identity_hash(who, hash, err);
    if (rc == MAUTH_OK)
        rc = record_load(txn, SPACE_IDENTITY, hash, HASH_LEN, &r, err);
    if (rc)
        return rc;
    reader_copy(&r, id.b, ID_BYTES);
    if (!text_equal(reader_field(&r), who->issuer) ||
        !text_equal(reader_field(&r), who->subject) || !reader_done(&r))
        return record_damaged("identity", err);
    rc = graph_user_by_id(txn, &id, out, err);
    return rc == MAUTH_NOT_FOUND ? record_damaged("identity without a user", err) : rc;
}

static enum mauth_rc
put_user(struct kv_txn *txn, const struct graph_user *u, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    record_open(&b, raw);
    buf_u64(&b, u->version);
    buf_u64(&b, (uint64_t)u->created_s);
    buf_u64(&b, (uint64_t)u->updated_s);
    buf_u8(&b, u->live);
    return record_save(txn, SPACE_USER, u->id.b, ID_BYTES, &b, err);
}

static enum mauth_rc
put_identity(struct kv_txn *txn, const struct graph_identity *who,
    const uint8_t hash[HASH_LEN], const struct id *user, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    record_open(&b, raw);
    record_id(&b, user);
    buf_field(&b, who->issuer.p, who->issuer.len);
    buf_field(&b, who->subject.p, who->subject.len);
    return record_save(txn, SPACE_IDENTITY, hash, HASH_LEN, &b, err);
}

enum mauth_rc
graph_user_create(struct kv_txn *txn, const struct id *id,
    const struct graph_identity *who, int64_t now_s, struct mauth_err *err)
{
    struct graph_user user = {
        .id = *id, .version = 1, .created_s = now_s, .updated_s = now_s, .live = true};
    uint8_t hash[HASH_LEN];
    struct reader r;
    enum mauth_rc rc;

    rc = identity_hash(who, hash, err);
    if (rc)
        return rc;
    rc = record_load(txn, SPACE_IDENTITY, hash, HASH_LEN, &r, err);
    if (rc == MAUTH_OK)
        return mauth_fail(err, MAUTH_CONFLICT, "graph: this identity has a user");
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    rc = put_user(txn, &user, err);
    if (rc == MAUTH_OK)
        rc = put_identity(txn, who, hash, id, err);
    if (rc == MAUTH_OK)
        rc = advance(txn, err);
    return rc;
}

struct old_tokens {
    int64_t now_s;
    size_t count;
    uint8_t end[FORGET][8 + HASH_LEN]; /* names in SPACE_TOKEN_END */
};

static bool
note_old(struct text key, struct text value, void *arg)
{
    struct old_tokens *old = arg;
    struct reader r;

    (void)value;
    reader_init(&r, key.p, key.len);
    (void)reader_u8(&r);
    reader_copy(&r, old->end[old->count], sizeof(old->end[0]));
    if (reader_done(&r))
        old->count++;
    return old->count < FORGET;
}

/* Tokens whose time was up a while ago are refused for their age: nobody needs their
 * hash. */
static enum mauth_rc
forget_old(struct kv_txn *txn, int64_t now_s, struct mauth_err *err)
{
    struct old_tokens old = {.now_s = now_s};
    struct store_key first, end, key;
    enum mauth_rc rc;

    store_key(&first, SPACE_TOKEN_END, NULL, 0);
    store_key(&end, SPACE_TOKEN_END, NULL, 0);
    buf_u64(&end.b,
        now_s > GRAPH_TOKEN_KEPT_S ? (uint64_t)(now_s - GRAPH_TOKEN_KEPT_S) : 0);
    rc = kv_scan(
        txn, store_key_text(&first), store_key_text(&end), KV_UP, note_old, &old, err);
    for (size_t i = 0; i < old.count && rc == MAUTH_OK; i++) {
        store_key(&key, SPACE_TOKEN_END, old.end[i], sizeof(old.end[i]));
        rc = kv_delete(txn, store_key_text(&key), err);
        if (rc)
            break;
        store_key(&key, SPACE_TOKEN, old.end[i] + 8, HASH_LEN);
        rc = kv_delete(txn, store_key_text(&key), err);
    }
    return rc;
}

static enum mauth_rc
note_use(struct kv_txn *txn, const uint8_t token_hash[32],
    const uint8_t key_hash[GRAPH_KEY_HASH], int64_t too_old_s, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct store_key end;
    enum mauth_rc rc;
    struct buf b;

    record_open(&b, raw);
    buf_put(&b, key_hash, GRAPH_KEY_HASH);
    rc = record_save(txn, SPACE_TOKEN, token_hash, HASH_LEN, &b, err);
    if (rc)
        return rc;
    store_key(&end, SPACE_TOKEN_END, NULL, 0);
    buf_u64(&end.b, (uint64_t)too_old_s);
    buf_put(&end.b, token_hash, HASH_LEN);
    return kv_put(txn, store_key_text(&end), (struct text){"", 0}, err);
}

enum mauth_rc
graph_token_use(struct kv_txn *txn, const uint8_t token_hash[32],
    const uint8_t key_hash[GRAPH_KEY_HASH], int64_t too_old_s, int64_t now_s,
    struct mauth_err *err)
{
    uint8_t used_by[GRAPH_KEY_HASH];
    struct reader r;
    enum mauth_rc rc;

    rc = record_load(txn, SPACE_TOKEN, token_hash, HASH_LEN, &r, err);
    if (rc == MAUTH_NOT_FOUND) {
        rc = note_use(txn, token_hash, key_hash, too_old_s, err);
        return rc ? rc : forget_old(txn, now_s, err);
    }
    if (rc)
        return rc;
    reader_copy(&r, used_by, sizeof(used_by));
    if (!reader_done(&r))
        return record_damaged("token", err);
    if (memcmp(used_by, key_hash, GRAPH_KEY_HASH) != 0)
        return mauth_fail(
            err, MAUTH_CONFLICT, "graph: another key has used this identity token");
    return MAUTH_OK;
}
