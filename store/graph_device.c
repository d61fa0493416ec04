#include "store/graph_device.h"

#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "store/graph_change.h"
#include "store/graph_link.h"
#include "store/graph_purge.h"
#include "store/graph_record.h"
#include "store/graph_session.h"
#include "store/graph_user.h"
#include "store/revocations.h"

enum mauth_rc
graph_device_by_id(struct kv_txn *txn, const struct id *id, struct graph_device *out,
    struct mauth_err *err)
{
    struct id own = *id; /* which may be out's */
    struct text name, spki;
    struct reader r;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    rc = record_load(txn, SPACE_DEVICE, own.b, ID_BYTES, &r, err);
    if (rc)
        return rc;
    out->id = own;
    out->version = reader_u64(&r);
    out->created_s = (int64_t)reader_u64(&r);
    out->updated_s = (int64_t)reader_u64(&r);
    out->unattended = reader_u8(&r) == 1;
    reader_copy(&r, out->key_hash, GRAPH_KEY_HASH);
    name = reader_field(&r);
    spki = reader_field(&r);
    if (!reader_done(&r) || !graph_label_ok(name) || !spki.len ||
        spki.len > sizeof(out->spki)) {
        memset(out, 0, sizeof(*out));
        return record_damaged("device", err);
    }
    memcpy(out->name, name.p, name.len);
    memcpy(out->spki, spki.p, spki.len);
    out->spki_len = spki.len;
    return MAUTH_OK;
}

enum mauth_rc
graph_device_by_key(struct kv_txn *txn, const uint8_t key_hash[GRAPH_KEY_HASH],
    struct graph_device *out, struct mauth_err *err)
{
    struct reader r;
    enum mauth_rc rc;
    struct id id;

    memset(out, 0, sizeof(*out));
    rc = record_load(txn, SPACE_DEVICE_KEY, key_hash, GRAPH_KEY_HASH, &r, err);
    if (rc)
        return rc;
    reader_copy(&r, id.b, ID_BYTES);
    if (!reader_done(&r))
        return record_damaged("device key", err);
    rc = graph_device_by_id(txn, &id, out, err);
    if (rc == MAUTH_NOT_FOUND ||
        (rc == MAUTH_OK && memcmp(out->key_hash, key_hash, GRAPH_KEY_HASH) != 0)) {
        memset(out, 0, sizeof(*out));
        return record_damaged("key without its device", err);
    }
    return rc;
}

static enum mauth_rc
put_device(struct kv_txn *txn, const struct graph_device *d, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    record_open(&b, raw);
    buf_u64(&b, d->version);
    buf_u64(&b, (uint64_t)d->created_s);
    buf_u64(&b, (uint64_t)d->updated_s);
    buf_u8(&b, d->unattended);
    buf_put(&b, d->key_hash, GRAPH_KEY_HASH);
    buf_field(&b, d->name, strlen(d->name));
    buf_field(&b, d->spki, d->spki_len);
    return record_save(txn, SPACE_DEVICE, d->id.b, ID_BYTES, &b, err);
}

static enum mauth_rc
note(struct kv_txn *txn, enum graph_change_op op, const struct graph_device *d,
    struct mauth_err *err)
{
    struct graph_change c = {
        .time_s = d->updated_s, .op = op, .type = GRAPH_CHANGED_DEVICE, .id = {d->id}};

    return graph_change_put(txn, &c, err);
}

static enum mauth_rc
make(struct kv_txn *txn, const struct graph_device *d, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    enum mauth_rc rc;
    struct buf b;

    rc = put_device(txn, d, err);
    if (rc)
        return rc;
    record_open(&b, raw);
    record_id(&b, &d->id);
    rc = record_save(txn, SPACE_DEVICE_KEY, d->key_hash, GRAPH_KEY_HASH, &b, err);
    return rc ? rc : note(txn, GRAPH_CREATED, d, err);
}

/* Its key's only device, if it is the one that is wanted. */
static enum mauth_rc
find_same(struct kv_txn *txn, const struct graph_device *want, struct graph_device *out,
    struct mauth_err *err)
{
    enum mauth_rc rc = graph_device_by_key(txn, want->key_hash, out, err);

    if (rc == MAUTH_OK && memcmp(&out->id, &want->id, sizeof(want->id)) != 0) {
        memset(out, 0, sizeof(*out));
        return mauth_fail(err, MAUTH_CONFLICT, "graph: this key is another device's");
    }
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    rc = graph_purge_taken(txn, ID_DEVICE, &want->id, err);
    if (rc == MAUTH_OK)
        return mauth_fail(err, MAUTH_CONFLICT, "graph: this device has another key");
    return rc;
}

enum mauth_rc
graph_device_register(struct kv_txn *txn, const struct graph_device *want,
    struct graph_device *out, struct mauth_err *err)
{
    struct graph_device d = *want;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    if (!graph_label_ok(text_of(d.name)))
        return mauth_fail(err, MAUTH_INVALID, "graph: a device's name");
    if (!d.spki_len || d.spki_len > sizeof(d.spki))
        return mauth_fail(err, MAUTH_INVALID, "graph: a device without a key");
    rc = hash_bytes(d.spki, d.spki_len, d.key_hash, err);
    if (rc == MAUTH_OK)
        rc = find_same(txn, &d, out, err);
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    d.version = 1;
    d.updated_s = d.created_s;
    rc = make(txn, &d, err);
    if (rc == MAUTH_OK)
        *out = d;
    return rc;
}

enum mauth_rc
graph_device_update(struct kv_txn *txn, const struct id *id, const char *name,
    bool unattended, int64_t now_s, struct mauth_err *err)
{
    struct graph_device d;
    enum mauth_rc rc;

    if (!graph_label_ok(text_of(name)))
        return mauth_fail(err, MAUTH_INVALID, "graph: a device's name");
    rc = graph_device_by_id(txn, id, &d, err);
    if (rc)
        return rc;
    if (!strcmp(d.name, name) && d.unattended == unattended)
        return MAUTH_OK;
    memset(d.name, 0, sizeof(d.name));
    memcpy(d.name, name, strlen(name));
    d.unattended = unattended;
    d.version++;
    d.updated_s = now_s;
    rc = put_device(txn, &d, err);
    return rc ? rc : note(txn, GRAPH_UPDATED, &d, err);
}

/* MAUTH_NOT_FOUND when nobody claims the device. */
static enum mauth_rc
claimed_by(
    struct kv_txn *txn, const struct id *device, struct id *user, struct mauth_err *err)
{
    struct graph_link claim;
    enum mauth_rc rc =
        graph_link_next(txn, GRAPH_CLAIMED_BY_DEVICE, device, NULL, &claim, err);

    *user = claim.to;
    return rc;
}

enum mauth_rc
graph_device_claim(struct kv_txn *txn, const struct id *device, const struct id *user,
    int64_t now_s, struct mauth_err *err)
{
    struct graph_change c = {.time_s = now_s,
        .op = GRAPH_CREATED,
        .type = GRAPH_CHANGED_CLAIM,
        .id = {*device, *user}};
    struct graph_link link = {
        .to = *user, .version = 1, .created_s = now_s, .updated_s = now_s};
    struct graph_device d;
    struct graph_user u;
    enum mauth_rc rc;
    struct id by;

    rc = graph_device_by_id(txn, device, &d, err);
    if (rc == MAUTH_OK)
        rc = graph_user_by_id(txn, user, &u, err);
    if (rc || !u.live)
        return rc ? rc : MAUTH_NOT_FOUND;
    rc = claimed_by(txn, device, &by, err);
    if (rc == MAUTH_OK && memcmp(&by, user, sizeof(by)) != 0)
        return mauth_fail(err, MAUTH_CONFLICT, "graph: another user claims it");
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    rc = graph_link_put(txn, GRAPH_CLAIMED_BY_DEVICE, device, &link, err);
    return rc ? rc : graph_change_put(txn, &c, err);
}

/* Nobody's: whoever claims it next has not said that nobody attends to it. */
static enum mauth_rc
leave_alone(
    struct kv_txn *txn, struct graph_device *d, int64_t now_s, struct mauth_err *err)
{
    enum mauth_rc rc;

    d->unattended = false;
    d->version++;
    d->updated_s = now_s;
    rc = put_device(txn, d, err);
    return rc ? rc : graph_purge_at(txn, ID_DEVICE, &d->id, now_s + GRAPH_KEPT_S, err);
}

/* The claim's end, and what ends with it; *mappings: how many of those. */
static enum mauth_rc
end_claim(struct kv_txn *txn, const struct id *device, const struct id *user,
    int64_t now_s, size_t *mappings, struct mauth_err *err)
{
    struct graph_device d;
    size_t sessions;
    enum mauth_rc rc = graph_device_by_id(txn, device, &d, err);

    if (rc)
        return rc == MAUTH_NOT_FOUND ? record_damaged("claim on nothing", err) : rc;
    rc = graph_link_delete(txn, GRAPH_CLAIMED_BY_DEVICE, device, user, err);
    if (rc == MAUTH_OK)
        rc = graph_link_delete_all(txn, GRAPH_MAPPED_BY_DEVICE, device, mappings, err);
    if (rc == MAUTH_OK)
        rc = graph_session_close_of_key(txn, ID_USER, user, d.key_hash, &sessions, err);
    return rc ? rc : leave_alone(txn, &d, now_s, err);
}

enum mauth_rc
graph_device_release(struct kv_txn *txn, const struct id *device, const struct id *user,
    int64_t now_s, struct mauth_err *err)
{
    struct graph_change c = {.time_s = now_s,
        .op = GRAPH_DELETED,
        .type = GRAPH_CHANGED_CLAIM,
        .id = {*device, *user}};
    struct graph_link claim;
    size_t mappings = 0;
    enum mauth_rc rc;

    rc = graph_link_find(txn, GRAPH_CLAIMED_BY_DEVICE, device, user, &claim, err);
    if (rc == MAUTH_OK)
        rc = end_claim(txn, device, user, now_s, &mappings, err);
    if (rc == MAUTH_OK)
        rc = graph_change_put(txn, &c, err);
    if (rc == MAUTH_OK)
        rc = graph_revoke(txn, &c, 2, err);
    if (rc || !mappings)
        return rc;
    return graph_revoke(txn, &c, 1, err);
}

enum mauth_rc
graph_device_revoke(
    struct kv_txn *txn, const struct id *device, int64_t now_s, struct mauth_err *err)
{
    struct revoked gone = {.count = 1};
    struct graph_device d;
    struct id user;
    enum mauth_rc rc = graph_device_by_id(txn, device, &d, err);

    if (rc != MAUTH_OK)
        return rc;
    while ((rc = claimed_by(txn, device, &user, err)) == MAUTH_OK) {
        rc = graph_device_release(txn, device, &user, now_s, err);
        if (rc != MAUTH_OK)
            return rc;
    }
    if (rc == MAUTH_NOT_FOUND)
        rc = graph_session_close_on_key(txn, d.key_hash, err);
    if (rc == MAUTH_OK)
        rc = graph_advance(txn, &gone.state, err);
    id_format(ID_DEVICE, device, gone.id[0]);
    return rc ? rc : revocations_add(txn, &gone, err);
}

enum mauth_rc
graph_device_purge(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err)
{
    struct store_key key;
    struct graph_device d;
    enum mauth_rc rc;
    struct id by;

    rc = graph_device_by_id(txn, id, &d, err);
    if (rc)
        return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
    rc = claimed_by(txn, id, &by, err);
    if (rc != MAUTH_NOT_FOUND) /* released again, it comes up again */
        return rc;
    if (d.updated_s > now_s - GRAPH_KEPT_S)
        return graph_purge_at(txn, ID_DEVICE, id, d.updated_s + GRAPH_KEPT_S, err);
    store_key(&key, SPACE_DEVICE_KEY, d.key_hash, GRAPH_KEY_HASH);
    rc = kv_delete(txn, store_key_text(&key), err);
    if (rc == MAUTH_OK)
        rc = record_purge(txn, ID_DEVICE, id, err);
    d.updated_s = now_s;
    return rc ? rc : note(txn, GRAPH_DELETED, &d, err);
}
