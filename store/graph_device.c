#include "store/graph_device.h"

#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/utf8.h"
#include "store/graph_link.h"
#include "store/graph_record.h"
#include "store/revocations.h"

bool
graph_label_ok(struct text label)
{
    uint32_t c;
    size_t n;

    if (!label.len || label.len > GRAPH_LABEL_MAX)
        return false;
    for (size_t i = 0; i < label.len; i += n) {
        n = utf8_next(label.p + i, label.len - i, &c);
        if (!n || c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c)
            return false;
        if ((c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
            (c >= 0x2066 && c <= 0x2069))
            return false;
    }
    return true;
}

enum mauth_rc
graph_device_by_id(struct kv_txn *txn, const struct id *id, struct graph_device *out,
    struct mauth_err *err)
{
    struct text name;
    struct reader r;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    rc = record_load(txn, SPACE_DEVICE, id->b, ID_BYTES, &r, err);
    if (rc)
        return rc;
    out->id = *id;
    out->version = reader_u64(&r);
    out->created_s = (int64_t)reader_u64(&r);
    out->updated_s = (int64_t)reader_u64(&r);
    out->live = reader_u8(&r) == 1;
    out->unattended = reader_u8(&r) == 1;
    reader_copy(&r, out->key_hash, GRAPH_KEY_HASH);
    name = reader_field(&r);
    if (!reader_done(&r) || !name.len || name.len > GRAPH_LABEL_MAX)
        return record_damaged("device", err);
    memcpy(out->name, name.p, name.len);
    return MAUTH_OK;
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
    buf_u8(&b, d->live);
    buf_u8(&b, d->unattended);
    buf_put(&b, d->key_hash, GRAPH_KEY_HASH);
    buf_field(&b, d->name, strlen(d->name));
    return record_save(txn, SPACE_DEVICE, d->id.b, ID_BYTES, &b, err);
}

enum mauth_rc
graph_device_register(struct kv_txn *txn, const struct graph_device *want,
    struct graph_device *out, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct reader r;
    uint64_t state;
    enum mauth_rc rc;
    struct buf b;

    memset(out, 0, sizeof(*out));
    if (!graph_label_ok(text_of(want->name)))
        return mauth_fail(err, MAUTH_INVALID, "graph: a device's name");
    rc = graph_device_by_id(txn, &want->id, out, err);
    if (rc == MAUTH_OK) {
        if (out->live && !memcmp(out->key_hash, want->key_hash, GRAPH_KEY_HASH))
            return MAUTH_OK;
        memset(out, 0, sizeof(*out));
        return mauth_fail(err, MAUTH_CONFLICT, "graph: this device has another key");
    }
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    rc = record_load(txn, SPACE_DEVICE_KEY, want->key_hash, GRAPH_KEY_HASH, &r, err);
    if (rc == MAUTH_OK)
        return mauth_fail(err, MAUTH_CONFLICT, "graph: this key is another device's");
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    *out = *want;
    out->version = 1;
    out->updated_s = want->created_s;
    out->live = true;
    record_open(&b, raw);
    record_id(&b, &want->id);
    rc = put_device(txn, out, err);
    if (rc == MAUTH_OK)
        rc =
            record_save(txn, SPACE_DEVICE_KEY, want->key_hash, GRAPH_KEY_HASH, &b, err);
    return rc ? rc : graph_advance(txn, &state, err);
}

enum mauth_rc
graph_device_claim(struct kv_txn *txn, const struct id *device, const struct id *user,
    int64_t now_s, struct mauth_err *err)
{
    struct graph_link link = {
        .to = *user, .version = 1, .created_s = now_s, .updated_s = now_s};
    struct graph_device d;
    struct graph_page page;
    struct graph_user u;
    uint64_t state;
    enum mauth_rc rc;

    rc = graph_device_by_id(txn, device, &d, err);
    if (rc == MAUTH_OK)
        rc = graph_user_by_id(txn, user, &u, err);
    if (rc)
        return rc;
    if (!d.live || !u.live)
        return mauth_fail(err, MAUTH_NOT_FOUND, "graph: a claim with a tombstone");
    rc = graph_link_page(txn, GRAPH_CLAIMED_BY_DEVICE, device, NULL, &page, err);
    if (rc)
        return rc;
    if (page.count && !memcmp(&page.links[0].to, user, sizeof(*user)))
        return MAUTH_OK;
    if (page.count)
        return mauth_fail(err, MAUTH_CONFLICT, "graph: another user claims it");
    rc = graph_link_put(txn, GRAPH_CLAIMED_BY_DEVICE, device, &link, err);
    return rc ? rc : graph_advance(txn, &state, err);
}

enum mauth_rc
graph_device_release(struct kv_txn *txn, const struct id *device, const struct id *user,
    struct mauth_err *err)
{
    struct revocation gone = {.count = 2};
    struct graph_link claim;
    size_t mappings;
    enum mauth_rc rc;

    rc = graph_link_find(txn, GRAPH_CLAIMED_BY_DEVICE, device, user, &claim, err);
    if (rc)
        return rc;
    rc = graph_link_delete(txn, GRAPH_CLAIMED_BY_DEVICE, device, user, err);
    if (rc == MAUTH_OK)
        rc = graph_link_delete_all(txn, GRAPH_MAPPED_BY_DEVICE, device, &mappings, err);
    if (rc == MAUTH_OK)
        rc = graph_advance(txn, &gone.state, err);
    if (rc)
        return rc;
    id_format(ID_DEVICE, device, gone.id[0]);
    id_format(ID_USER, user, gone.id[1]);
    rc = revocations_add(txn, &gone, err);
    if (rc || !mappings)
        return rc;
    memset(gone.id[1], 0, sizeof(gone.id[1]));
    gone.count = 1;
    return revocations_add(txn, &gone, err);
}
