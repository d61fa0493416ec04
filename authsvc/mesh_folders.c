/* Folders: made, read, renamed, deleted. */
#include <string.h>

#include "authsvc/mesh.h"
#include "authsvc/mesh_ops.h"
#include "base/str.h"
#include "store/graph_folder.h"
#include "store/graph_member.h"

static const struct json_member new_members[] = {
    {"name", JSON_BODY_TEXT, true},
    {"contributors_invite", JSON_BODY_BOOL, false},
    {NULL, 0, false},
};
static const struct json_member patch_members[] = {
    {"name", JSON_BODY_TEXT, false},
    {"contributors_invite", JSON_BODY_BOOL, false},
    {NULL, 0, false},
};

static void
write_folder(struct mesh *m, const struct graph_folder *f, const char *role)
{
    static const char *const links[] = {"members", "mappings", "invitations", NULL};
    char url[NODE_URL_MAX];
    struct node node = {.kind = ID_FOLDER,
        .id = f->id,
        .url = url,
        .type = "folder",
        .version = f->version,
        .created_s = f->created_s,
        .updated_s = f->updated_s};

    node_url(mesh_issuer(m), ID_FOLDER, &f->id, url);
    node_begin(&m->json, &node);
    node_text(&m->json, "name", f->name);
    node_bool(&m->json, "contributors_invite", f->contributors_invite);
    node_text(&m->json, "role", role);
    node_links(&m->json, url, links);
    node_end(&m->json);
}

/* The folder as the caller, a member, sees it. */
static enum mauth_rc
show(struct mesh *m, struct kv_txn *txn, const struct id *id, struct mauth_err *err)
{
    struct graph_folder f;
    struct graph_link l;
    enum mauth_rc rc = graph_folder_by_id(txn, id, &f, err);

    if (rc == MAUTH_OK)
        rc = graph_link_find(
            txn, GRAPH_MEMBER_BY_FOLDER, id, &m->who.caller.principal, &l, err);
    if (rc != MAUTH_OK)
        return rc;
    m->version = f.version;
    write_folder(m, &f, l.role);
    return MAUTH_OK;
}

static enum mauth_rc
show_named(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    return show(m, txn, &m->id[0], err);
}

static enum mauth_rc
show_made(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    mesh_opens_folder(m, &m->fresh);
    return show(m, txn, &m->fresh, err);
}

static enum mauth_rc
find(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_folder f;
    enum mauth_rc rc = graph_folder_by_id(txn, &m->id[0], &f, err);

    if (rc != MAUTH_OK)
        return rc;
    m->version = f.version;
    return f.live ? MAUTH_OK : MAUTH_NOT_FOUND;
}

static struct graph_folder
wanted(const struct mesh *m)
{
    struct graph_folder f = {.id = m->fresh,
        .created_s = m->who.caller.now_s,
        .contributors_invite =
            json_body_bool(m->body.root, "contributors_invite", false)};
    const char *name = json_body_text(m->body.root, "name");

    memcpy(f.name, name, strlen(name) + 1); /* mesh_gather_name() has measured it */
    return f;
}

/* The same request once more, of which nothing has changed since? */
static enum mauth_rc
is_repeated(struct mesh *m, struct kv_txn *txn, const struct graph_folder *want,
    bool *out, struct mauth_err *err)
{
    struct graph_folder f;
    struct graph_link l;
    enum mauth_rc rc = graph_folder_by_id(txn, &want->id, &f, err);

    *out = false;
    if (rc != MAUTH_OK || !f.live || f.version != 1 ||
        strcmp(f.name, want->name) != 0 ||
        f.contributors_invite != want->contributors_invite)
        return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
    rc = graph_link_find(
        txn, GRAPH_MEMBER_BY_FOLDER, &want->id, &m->who.caller.principal, &l, err);
    *out = rc == MAUTH_OK && graph_role_is(l.role, GRAPH_OWNER);
    return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
}

static enum mauth_rc
create(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_folder want = wanted(m);
    enum mauth_rc rc;

    rc = is_repeated(m, txn, &want, &m->unchanged, err);
    if (rc != MAUTH_OK || m->unchanged)
        return rc;
    node_url(mesh_issuer(m), ID_FOLDER, &m->fresh, m->made);
    m->status = 201;
    rc = graph_folder_create(txn, &want, &m->who.caller.principal, err);
    return mesh_refuse_if(m, rc, MAUTH_CONFLICT, "exists", err);
}

static enum mauth_rc
update(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    const char *name = json_body_text(m->body.root, "name");
    struct graph_folder f;
    enum mauth_rc rc = graph_folder_by_id(txn, &m->id[0], &f, err);

    if (rc != MAUTH_OK)
        return rc;
    return graph_folder_update(txn, &m->id[0], name ? name : f.name,
        json_body_bool(m->body.root, "contributors_invite", f.contributors_invite),
        m->who.caller.now_s, err);
}

static enum mauth_rc
delete_folder(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    return graph_folder_delete(txn, &m->id[0], m->who.caller.now_s, err);
}

/* The caller's folders, with the role in each. */
static enum mauth_rc
list(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_folder f;
    struct graph_page page;
    enum mauth_rc rc;

    rc = mesh_page(m, txn, GRAPH_MEMBER_BY_USER, &page, err);
    for (size_t i = 0; i < page.count && rc == MAUTH_OK; i++) {
        rc = graph_folder_by_id(txn, &page.links[i].to, &f, err);
        if (rc != MAUTH_OK)
            break;
        mesh_list_item(m);
        write_folder(m, &f, page.links[i].role);
    }
    if (rc == MAUTH_OK)
        mesh_page_end(m, &page);
    return rc;
}

const struct mesh_op folder_read_op = {.action = "read",
    .args = "f",
    .flags = MESH_READS,
    .find = find,
    .show = show_named};

const struct mesh_op folder_list_op = {.action = "read",
    .args = "u",
    .flags = MESH_READS | MESH_LISTS,
    .kind = ID_FOLDER,
    .show = list};

const struct mesh_op folder_create_op = {.action = "create",
    .args = "",
    .record = "folder.create",
    .flags = MESH_MAKES,
    .kind = ID_FOLDER,
    .members = new_members,
    .gather = mesh_gather_name,
    .act = create,
    .show = show_made};

const struct mesh_op folder_update_op = {.action = "control",
    .args = "f",
    .record = "folder.update",
    .flags = MESH_MATCH,
    .members = patch_members,
    .gather = mesh_gather_name,
    .find = find,
    .act = update,
    .show = show_named};

const struct mesh_op folder_delete_op = {.action = "control",
    .args = "f",
    .record = "folder.delete",
    .flags = MESH_MATCH,
    .find = find,
    .act = delete_folder};
