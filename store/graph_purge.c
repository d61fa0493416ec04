#include "store/graph_purge.h"

#include "base/fail.h"
#include "store/graph_record.h"

/* Of what is there: whether it may go yet, and if so, all of it. */
typedef enum mauth_rc purge_fn(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err);

static const struct {
    enum store_space space;
    purge_fn *purge;
} kinds[ID_KINDS] = {
    [ID_USER] = {SPACE_USER, graph_user_purge},
    [ID_DEVICE] = {SPACE_DEVICE, graph_device_purge},
    [ID_FOLDER] = {SPACE_FOLDER, graph_folder_purge},
    [ID_INVITATION] = {SPACE_INVITATION, graph_invitation_purge},
    [ID_SESSION] = {SPACE_SESSION, graph_session_purge},
};

enum {
    NAME = 1 + ID_BYTES, /* kind, id */
    STEP = 64
};

static void
put_name(struct buf *b, enum id_kind kind, const struct id *id)
{
    buf_u8(b, (uint8_t)kind);
    record_id(b, id);
}

enum mauth_rc
graph_purge_at(struct kv_txn *txn, enum id_kind kind, const struct id *id, int64_t at_s,
    struct mauth_err *err)
{
    struct store_key key;

    store_key(&key, SPACE_PURGE_AT, NULL, 0);
    buf_u64(&key.b, (uint64_t)at_s);
    put_name(&key.b, kind, id);
    return kv_put(txn, store_key_text(&key), (struct text){"", 0}, err);
}

enum mauth_rc
graph_purge_taken(
    struct kv_txn *txn, enum id_kind kind, const struct id *id, struct mauth_err *err)
{
    struct store_key key;
    struct text value;
    enum mauth_rc rc;

    store_key(&key, kinds[kind].space, id->b, ID_BYTES);
    rc = kv_get(txn, store_key_text(&key), &value, err);
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    store_key(&key, SPACE_PURGED, NULL, 0);
    put_name(&key.b, kind, id);
    return kv_get(txn, store_key_text(&key), &value, err);
}

enum mauth_rc
record_purge(
    struct kv_txn *txn, enum id_kind kind, const struct id *id, struct mauth_err *err)
{
    struct store_key key;
    enum mauth_rc rc;

    store_key(&key, kinds[kind].space, id->b, ID_BYTES);
    rc = kv_delete(txn, store_key_text(&key), err);
    if (rc)
        return rc;
    store_key(&key, SPACE_PURGED, NULL, 0);
    put_name(&key.b, kind, id);
    return kv_put(txn, store_key_text(&key), (struct text){"", 0}, err);
}

struct due {
    size_t max;
    size_t count;
    bool damaged;
    struct {
        uint64_t at_s;
        enum id_kind kind;
        struct id id;
    } item[STEP];
};

static bool
take(struct text key, struct text value, void *arg)
{
    struct due *d = arg;
    struct reader r;
    unsigned kind;

    (void)value;
    if (d->count == d->max)
        return false;
    reader_init(&r, key.p, key.len);
    (void)reader_u8(&r);
    d->item[d->count].at_s = reader_u64(&r);
    kind = reader_u8(&r);
    reader_copy(&r, d->item[d->count].id.b, ID_BYTES);
    d->damaged = !reader_done(&r) || kind >= ID_KINDS || !kinds[kind].purge;
    d->item[d->count++].kind = (enum id_kind)kind;
    return !d->damaged;
}

/* Those that come first, max of them at most. */
static enum mauth_rc
list_due(struct kv_txn *txn, int64_t now_s, struct due *d, struct mauth_err *err)
{
    struct store_key first, end;
    enum mauth_rc rc;

    store_key(&first, SPACE_PURGE_AT, NULL, 0);
    store_key(&end, SPACE_PURGE_AT, NULL, 0);
    buf_u64(&end.b, now_s < 0 ? 0 : (uint64_t)now_s + 1);
    rc =
        kv_scan(txn, store_key_text(&first), store_key_text(&end), KV_UP, take, d, err);
    return rc == MAUTH_OK && d->damaged ? record_damaged("purge", err) : rc;
}

static enum mauth_rc
purge_step(
    struct kv_txn *txn, int64_t now_s, size_t max, size_t *count, struct mauth_err *err)
{
    struct due d = {.max = max < STEP ? max : STEP};
    struct store_key key;
    enum mauth_rc rc;

    *count = 0;
    rc = list_due(txn, now_s, &d, err);
    for (size_t i = 0; i < d.count && rc == MAUTH_OK; i++) {
        store_key(&key, SPACE_PURGE_AT, NULL, 0);
        buf_u64(&key.b, d.item[i].at_s);
        put_name(&key.b, d.item[i].kind, &d.item[i].id);
        rc = kv_delete(txn, store_key_text(&key), err);
        if (rc == MAUTH_OK)
            rc = kinds[d.item[i].kind].purge(txn, &d.item[i].id, now_s, err);
    }
    if (rc == MAUTH_OK)
        *count = d.count;
    return rc;
}

enum mauth_rc
graph_purge(
    struct kv_txn *txn, int64_t now_s, size_t max, size_t *count, struct mauth_err *err)
{
    enum mauth_rc rc;
    size_t step;

    *count = 0;
    do {
        rc = purge_step(txn, now_s, max - *count, &step, err);
        *count += step;
    } while (rc == MAUTH_OK && step == STEP && *count < max);
    return rc;
}
