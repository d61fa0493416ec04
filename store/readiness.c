#include "store/readiness.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "store/graph_record.h"
#include "store/graph_service.h"

bool
readiness_lacks(const struct readiness *r, struct trust_place listed, int64_t now_s)
{
    if (now_s - r->seen_s > READINESS_DAY_S)
        return false;
    return r->is_strange || (listed.epoch == 0 && listed.sequence == 0) ||
           trust_place_compare(r->loaded, listed) < 0;
}

enum mauth_rc
readiness_put(struct kv_txn *txn, const struct readiness *r, struct mauth_err *err)
{
    struct graph_service service;
    uint8_t raw[RECORD_MAX];
    enum mauth_rc rc;
    struct buf b;

    rc = graph_service_by_id(txn, &r->service, &service, err);
    if (rc == MAUTH_OK && !service.live)
        rc = MAUTH_NOT_FOUND;
    if (rc != MAUTH_OK)
        return rc;
    record_open(&b, raw);
    buf_u64(&b, r->loaded.epoch);
    buf_u64(&b, r->loaded.sequence);
    buf_put(&b, r->hash, HASH_LEN);
    buf_u8(&b, r->is_strange);
    buf_u64(&b, (uint64_t)r->since_s);
    buf_u64(&b, (uint64_t)r->seen_s);
    return record_save(txn, SPACE_READINESS, r->service.b, ID_BYTES, &b, err);
}

enum mauth_rc
readiness_forget(struct kv_txn *txn, const struct id *service, struct mauth_err *err)
{
    struct store_key key;

    store_key(&key, SPACE_READINESS, service->b, ID_BYTES);
    return kv_delete(txn, store_key_text(&key), err);
}

static bool
read_record(struct text key, struct text value, struct readiness *out)
{
    struct reader r;
    uint8_t strange;

    if (key.len != 1 + ID_BYTES || !record_begin(value, &r))
        return false;
    memcpy(out->service.b, key.p + 1, ID_BYTES);
    out->loaded.epoch = reader_u64(&r);
    out->loaded.sequence = reader_u64(&r);
    reader_copy(&r, out->hash, HASH_LEN);
    strange = reader_u8(&r);
    out->is_strange = strange != 0;
    out->since_s = (int64_t)reader_u64(&r);
    out->seen_s = (int64_t)reader_u64(&r);
    return reader_done(&r) && strange <= 1;
}

struct walk {
    struct readiness *found;
    size_t count, room;
    bool is_damaged;
    bool is_full;
};

static bool
make_room(struct walk *w)
{
    size_t room = 2 * w->room + 16;
    struct readiness *grown;

    if (w->count < w->room)
        return true;
    grown = realloc(w->found, room * sizeof(*grown));
    if (!grown)
        return false;
    w->found = grown;
    w->room = room;
    return true;
}

static bool
visit(struct text key, struct text value, void *arg)
{
    struct walk *w = arg;

    w->is_full = !make_room(w);
    w->is_damaged = !w->is_full && !read_record(key, value, &w->found[w->count]);
    if (w->is_full || w->is_damaged)
        return false;
    w->count++;
    return true;
}

enum mauth_rc
readiness_take(
    struct kv_txn *txn, struct readiness **out, size_t *count, struct mauth_err *err)
{
    struct walk w = {.is_full = false};
    struct store_key first, end;
    enum mauth_rc rc = MAUTH_OK;

    *out = NULL;
    *count = 0;
    store_key_bounds(&first, &end, SPACE_READINESS);
    if (make_room(&w))
        rc = kv_scan(
            txn, store_key_text(&first), store_key_text(&end), KV_UP, visit, &w, err);
    if (rc == MAUTH_OK && (w.is_full || !w.found))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "readiness: no memory");
    if (rc == MAUTH_OK && w.is_damaged)
        rc = record_damaged("readiness", err);
    if (rc != MAUTH_OK) {
        free(w.found);
        return rc;
    }
    *out = w.found;
    *count = w.count;
    return MAUTH_OK;
}
