#include "store/graph_folder.h"

#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "store/graph_change.h"
#include "store/graph_invitation.h"
#include "store/graph_link.h"
#include "store/graph_purge.h"
#include "store/graph_record.h"

enum mauth_rc
graph_folder_by_id(struct kv_txn *txn, const struct id *id, struct graph_folder *out,
    struct mauth_err *err)
{
    struct id own = *id; /* which may be out's */
    struct text name;
    struct reader r;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    rc = record_load(txn, SPACE_FOLDER, own.b, ID_BYTES, &r, err);
    if (rc)
        return rc;
    out->id = own;
    out->version = reader_u64(&r);
    out->created_s = (int64_t)reader_u64(&r);
    out->updated_s = (int64_t)reader_u64(&r);
    out->live = reader_u8(&r) == 1;
    out->contributors_invite = reader_u8(&r) == 1;
    name = reader_field(&r);
    if (!reader_done(&r) || !graph_label_ok(name)) {
        memset(out, 0, sizeof(*out));
        return record_damaged("folder", err);
    }
    memcpy(out->name, name.p, name.len);
    return MAUTH_OK;
}

/* The record, and the change that made it so. */
static enum mauth_rc
put_folder(struct kv_txn *txn, const struct graph_folder *f, struct graph_change *c,
    struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    enum mauth_rc rc;
    struct buf b;

    record_open(&b, raw);
    buf_u64(&b, f->version);
    buf_u64(&b, (uint64_t)f->created_s);
    buf_u64(&b, (uint64_t)f->updated_s);
    buf_u8(&b, f->live);
    buf_u8(&b, f->contributors_invite);
    buf_field(&b, f->name, strlen(f->name));
    rc = record_save(txn, SPACE_FOLDER, f->id.b, ID_BYTES, &b, err);
    c->type = GRAPH_CHANGED_FOLDER;
    c->time_s = f->updated_s;
    c->id[0] = f->id;
    return rc ? rc : graph_change_put(txn, c, err);
}

static enum mauth_rc
live_folder(struct kv_txn *txn, const struct id *id, struct graph_folder *out,
    struct mauth_err *err)
{
    enum mauth_rc rc = graph_folder_by_id(txn, id, out, err);

    return rc || out->live ? rc : MAUTH_NOT_FOUND;
}

enum mauth_rc
graph_folder_create(struct kv_txn *txn, const struct graph_folder *want,
    const struct id *owner, struct mauth_err *err)
{
    struct graph_link link = {.to = *owner,
        .role = GRAPH_OWNER,
        .version = 1,
        .created_s = want->created_s,
        .updated_s = want->created_s};
    struct graph_change c = {.op = GRAPH_CREATED};
    struct graph_change joined = {.time_s = want->created_s,
        .op = GRAPH_CREATED,
        .type = GRAPH_CHANGED_MEMBER,
        .id = {want->id, *owner}};
    struct graph_folder f = *want;
    struct graph_user u;
    enum mauth_rc rc;

    if (!graph_label_ok(text_of(f.name)))
        return mauth_fail(err, MAUTH_INVALID, "graph: a folder's name");
    rc = graph_user_by_id(txn, owner, &u, err);
    if (rc || !u.live)
        return rc ? rc : MAUTH_NOT_FOUND;
    rc = graph_purge_taken(txn, ID_FOLDER, &f.id, err);
    if (rc == MAUTH_OK)
        return mauth_fail(err, MAUTH_CONFLICT, "graph: a folder's id is taken");
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    f.version = 1;
    f.updated_s = f.created_s;
    f.live = true;
    rc = put_folder(txn, &f, &c, err);
    if (rc == MAUTH_OK)
        rc = graph_link_put(txn, GRAPH_MEMBER_BY_FOLDER, &f.id, &link, err);
    return rc ? rc : graph_change_put(txn, &joined, err);
}

enum mauth_rc
graph_folder_update(struct kv_txn *txn, const struct id *id, const char *name,
    bool contributors_invite, int64_t now_s, struct mauth_err *err)
{
    struct graph_change c = {.op = GRAPH_UPDATED};
    struct graph_folder f;
    enum mauth_rc rc;

    if (!graph_label_ok(text_of(name)))
        return mauth_fail(err, MAUTH_INVALID, "graph: a folder's name");
    rc = live_folder(txn, id, &f, err);
    if (rc)
        return rc;
    if (!strcmp(f.name, name) && f.contributors_invite == contributors_invite)
        return MAUTH_OK;
    memset(f.name, 0, sizeof(f.name));
    memcpy(f.name, name, strlen(name));
    f.contributors_invite = contributors_invite;
    f.version++;
    f.updated_s = now_s;
    return put_folder(txn, &f, &c, err);
}

enum mauth_rc
graph_folder_delete(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err)
{
    struct graph_change c = {.op = GRAPH_DELETED};
    struct graph_folder f;
    enum mauth_rc rc;
    size_t n;

    rc = live_folder(txn, id, &f, err);
    if (rc)
        return rc;
    f.live = false;
    f.version++;
    f.updated_s = now_s;
    rc = graph_invitation_revoke_all(txn, id, NULL, now_s, err);
    if (rc == MAUTH_OK)
        rc = graph_link_delete_all(txn, GRAPH_MAPPED_BY_FOLDER, id, &n, err);
    if (rc == MAUTH_OK)
        rc = graph_link_delete_all(txn, GRAPH_MEMBER_BY_FOLDER, id, &n, err);
    if (rc == MAUTH_OK)
        rc = graph_purge_at(txn, ID_FOLDER, id, now_s + GRAPH_KEPT_S, err);
    if (rc == MAUTH_OK)
        rc = put_folder(txn, &f, &c, err);
    return rc ? rc : graph_revoke(txn, &c, 1, err);
}

enum mauth_rc
graph_folder_purge(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err)
{
    (void)now_s; /* it was deleted once, when its time was set */
    return record_purge(txn, ID_FOLDER, id, err);
}
