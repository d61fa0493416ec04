#include "store/graph_folder.h"

#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "store/graph_link.h"
#include "store/graph_record.h"
#include "store/revocations.h"

enum mauth_rc
graph_folder_by_id(struct kv_txn *txn, const struct id *id, struct graph_folder *out,
    struct mauth_err *err)
{
    struct text name;
    struct reader r;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    rc = record_load(txn, SPACE_FOLDER, id->b, ID_BYTES, &r, err);
    if (rc)
        return rc;
    out->id = *id;
    out->version = reader_u64(&r);
    out->created_s = (int64_t)reader_u64(&r);
    out->updated_s = (int64_t)reader_u64(&r);
    out->live = reader_u8(&r) == 1;
    name = reader_field(&r);
    if (!reader_done(&r) || !name.len || name.len > GRAPH_LABEL_MAX)
        return record_damaged("folder", err);
    memcpy(out->name, name.p, name.len);
    return MAUTH_OK;
}

static enum mauth_rc
put_folder(struct kv_txn *txn, const struct graph_folder *f, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    record_open(&b, raw);
    buf_u64(&b, f->version);
    buf_u64(&b, (uint64_t)f->created_s);
    buf_u64(&b, (uint64_t)f->updated_s);
    buf_u8(&b, f->live);
    buf_field(&b, f->name, strlen(f->name));
    return record_save(txn, SPACE_FOLDER, f->id.b, ID_BYTES, &b, err);
}

static enum mauth_rc
live_folder(struct kv_txn *txn, const struct id *id, struct graph_folder *out,
    struct mauth_err *err)
{
    enum mauth_rc rc = graph_folder_by_id(txn, id, out, err);

    return rc || out->live ? rc : MAUTH_NOT_FOUND;
}

enum mauth_rc
graph_folder_create(struct kv_txn *txn, const struct id *id, const struct id *owner,
    const char *name, int64_t now_s, struct mauth_err *err)
{
    struct graph_link link = {.to = *owner,
        .role = GRAPH_OWNER,
        .version = 1,
        .created_s = now_s,
        .updated_s = now_s};
    struct graph_folder f;
    struct graph_user u;
    uint64_t state;
    enum mauth_rc rc;

    if (!graph_label_ok(text_of(name)))
        return mauth_fail(err, MAUTH_INVALID, "graph: a folder's name");
    rc = graph_user_by_id(txn, owner, &u, err);
    if (rc || !u.live)
        return rc ? rc : MAUTH_NOT_FOUND;
    rc = graph_folder_by_id(txn, id, &f, err);
    if (rc == MAUTH_OK)
        return mauth_fail(err, MAUTH_CONFLICT, "graph: a folder's id is taken");
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    f = (struct graph_folder){
        .id = *id, .version = 1, .created_s = now_s, .updated_s = now_s, .live = true};
    memcpy(f.name, name, strlen(name));
    rc = put_folder(txn, &f, err);
    if (rc == MAUTH_OK)
        rc = graph_link_put(txn, GRAPH_MEMBER_BY_FOLDER, id, &link, err);
    return rc ? rc : graph_advance(txn, &state, err);
}

enum mauth_rc
graph_folder_rename(struct kv_txn *txn, const struct id *id, const char *name,
    int64_t now_s, struct mauth_err *err)
{
    struct graph_folder f;
    uint64_t state;
    enum mauth_rc rc;

    if (!graph_label_ok(text_of(name)))
        return mauth_fail(err, MAUTH_INVALID, "graph: a folder's name");
    rc = live_folder(txn, id, &f, err);
    if (rc)
        return rc;
    memset(f.name, 0, sizeof(f.name));
    memcpy(f.name, name, strlen(name));
    f.version++;
    f.updated_s = now_s;
    rc = put_folder(txn, &f, err);
    return rc ? rc : graph_advance(txn, &state, err);
}

enum mauth_rc
graph_folder_delete(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err)
{
    struct revocation gone = {.count = 1};
    struct graph_folder f;
    enum mauth_rc rc;
    size_t n;

    rc = live_folder(txn, id, &f, err);
    if (rc)
        return rc;
    f.live = false;
    f.version++;
    f.updated_s = now_s;
    rc = put_folder(txn, &f, err);
    if (rc == MAUTH_OK)
        rc = graph_link_delete_all(txn, GRAPH_MAPPED_BY_FOLDER, id, &n, err);
    if (rc == MAUTH_OK)
        rc = graph_link_delete_all(txn, GRAPH_MEMBER_BY_FOLDER, id, &n, err);
    if (rc == MAUTH_OK)
        rc = graph_advance(txn, &gone.state, err);
    if (rc)
        return rc;
    id_format(ID_FOLDER, id, gone.id[0]);
    return revocations_add(txn, &gone, err);
}
