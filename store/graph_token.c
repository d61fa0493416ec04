#include "store/graph_token.h"

#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "store/graph_record.h"

enum {
    FORGET = 8 /* tokens too old that one use of another forgets */
};

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

static enum mauth_rc
use(struct kv_txn *txn, const uint8_t token_hash[32],
    const uint8_t key_hash[GRAPH_KEY_HASH], bool once, int64_t too_old_s, int64_t now_s,
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
    if (once || memcmp(used_by, key_hash, GRAPH_KEY_HASH) != 0)
        return mauth_fail(err, MAUTH_CONFLICT, "graph: %s has used this identity token",
            once ? "a login" : "another key");
    return MAUTH_OK;
}

enum mauth_rc
graph_token_use(struct kv_txn *txn, const uint8_t token_hash[32],
    const uint8_t key_hash[GRAPH_KEY_HASH], int64_t too_old_s, int64_t now_s,
    struct mauth_err *err)
{
    return use(txn, token_hash, key_hash, false, too_old_s, now_s, err);
}

enum mauth_rc
graph_token_use_once(struct kv_txn *txn, const uint8_t token_hash[32],
    const uint8_t key_hash[GRAPH_KEY_HASH], int64_t too_old_s, int64_t now_s,
    struct mauth_err *err)
{
    return use(txn, token_hash, key_hash, true, too_old_s, now_s, err);
}
