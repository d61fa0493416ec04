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

static enum mauth_rc
service_by_id(struct kv_txn *txn, const struct id *id, struct graph_service *out,
    struct mauth_err *err)
{
    struct text name, spki;
    struct reader r;
    enum mauth_rc rc;

    rc = record_load(txn, SPACE_SERVICE, id->b, ID_BYTES, &r, err);
    if (rc)
        return rc;
    out->id = *id;
    out->version = reader_u64(&r);
    out->created_s = (int64_t)reader_u64(&r);
    out->live = reader_u8(&r) == 1;
    name = reader_field(&r);
    spki = reader_field(&r);
    if (!reader_done(&r) || name.len > GRAPH_NAME_MAX || spki.len > sizeof(out->spki))
        return record_damaged("service", err);
    memcpy(out->name, name.p, name.len);
    memcpy(out->spki, spki.p, spki.len);
    out->spki_len = spki.len;
    return MAUTH_OK;
}

enum mauth_rc
graph_service_by_name(struct kv_txn *txn, const char *name, struct graph_service *out,
    struct mauth_err *err)
{
    struct reader r;
    enum mauth_rc rc;
    struct id id;

    memset(out, 0, sizeof(*out));
    if (!str_is_name(text_of(name)))
        return MAUTH_NOT_FOUND;
    rc = record_load(txn, SPACE_SERVICE_NAME, name, strlen(name), &r, err);
    if (rc)
        return rc;
    reader_copy(&r, id.b, ID_BYTES);
    if (!reader_done(&r))
        return record_damaged("service name", err);
    rc = service_by_id(txn, &id, out, err);
    return rc == MAUTH_NOT_FOUND ? record_damaged("name without a service", err) : rc;
}

static enum mauth_rc
put_service(struct kv_txn *txn, const struct id *id, const char *name, int64_t now_s,
    struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    record_open(&b, raw);
    buf_u64(&b, 1); /* version */
    buf_u64(&b, (uint64_t)now_s);
    buf_u8(&b, true); /* live */
    buf_field(&b, name, strlen(name));
    buf_field(&b, NULL, 0); /* no key: an audience only */
    return record_save(txn, SPACE_SERVICE, id->b, ID_BYTES, &b, err);
}

enum mauth_rc
graph_service_create(struct kv_txn *txn, const struct id *id, const char *name,
    int64_t now_s, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct reader r;
    enum mauth_rc rc;
    struct buf b;

    if (!str_is_name(text_of(name)))
        return mauth_fail(err, MAUTH_INVALID,
            "graph: a service's name is [a-z][a-z0-9_.-]*, 64 characters at most");
    rc = record_load(txn, SPACE_SERVICE_NAME, name, strlen(name), &r, err);
    if (rc == MAUTH_OK)
        return mauth_fail(err, MAUTH_CONFLICT, "graph: there is a service %s", name);
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    rc = put_service(txn, id, name, now_s, err);
    if (rc)
        return rc;
    record_open(&b, raw);
    record_id(&b, id);
    rc = record_save(txn, SPACE_SERVICE_NAME, name, strlen(name), &b, err);
    return rc ? rc : advance(txn, err);
}

enum mauth_rc
graph_session_create(
    struct kv_txn *txn, const struct graph_session *s, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    if (s->subject_kind != ID_USER && s->subject_kind != ID_SERVICE)
        return mauth_fail(err, MAUTH_INVALID, "graph: a session of no principal");
    record_open(&b, raw);
    buf_u8(&b, (uint8_t)s->subject_kind);
    record_id(&b, &s->subject);
    buf_put(&b, s->key_hash, GRAPH_KEY_HASH);
    buf_u64(&b, (uint64_t)s->started_s);
    buf_u64(&b, (uint64_t)s->ends_s);
    buf_u8(&b, s->open);
    return record_save(txn, SPACE_SESSION, s->id.b, ID_BYTES, &b, err);
}

enum mauth_rc
graph_session_by_id(struct kv_txn *txn, const struct id *id, struct graph_session *out,
    struct mauth_err *err)
{
    struct reader r;
    enum mauth_rc rc;
    unsigned kind;

    memset(out, 0, sizeof(*out));
    rc = record_load(txn, SPACE_SESSION, id->b, ID_BYTES, &r, err);
    if (rc)
        return rc;
    out->id = *id;
    kind = reader_u8(&r);
    out->subject_kind = kind == ID_SERVICE ? ID_SERVICE : ID_USER;
    reader_copy(&r, out->subject.b, ID_BYTES);
    reader_copy(&r, out->key_hash, GRAPH_KEY_HASH);
    out->started_s = (int64_t)reader_u64(&r);
    out->ends_s = (int64_t)reader_u64(&r);
    out->open = reader_u8(&r) == 1;
    if (!reader_done(&r) || kind != (unsigned)out->subject_kind)
        return record_damaged("session", err);
    return MAUTH_OK;
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
