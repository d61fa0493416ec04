/* Members of folders: read, given another role, removed; ownership is passed on here. */
#include <string.h>

#include "authsvc/mesh.h"
#include "authsvc/mesh_ops.h"
#include "base/str.h"
#include "store/graph_member.h"

static const struct json_member patch_members[] = {
    {"role", JSON_BODY_TEXT, true},
    {NULL, 0, false},
};

static void
write_member(struct mesh *m, const struct id *folder, const struct graph_link *l)
{
    static const char *const links[] = {NULL};
    char url[NODE_URL_MAX];
    struct node node = {.kind = ID_USER,
        .id = l->to,
        .url = url,
        .type = "member",
        .version = l->version,
        .created_s = l->created_s,
        .updated_s = l->updated_s};

    node_link_url(mesh_issuer(m), folder, "members", ID_USER, &l->to, url);
    node_begin(&m->json, &node);
    node_ref(&m->json, "user", mesh_issuer(m), ID_USER, &l->to);
    node_ref(&m->json, "folder", mesh_issuer(m), ID_FOLDER, folder);
    node_text(&m->json, "role", l->role);
    node_links(&m->json, url, links);
    node_end(&m->json);
}

enum mauth_rc
mesh_member_show(struct mesh *m, struct kv_txn *txn, const struct id *folder,
    const struct id *user, struct mauth_err *err)
{
    struct graph_link l;
    enum mauth_rc rc =
        graph_link_find(txn, GRAPH_MEMBER_BY_FOLDER, folder, user, &l, err);

    if (rc != MAUTH_OK)
        return rc;
    m->version = l.version;
    write_member(m, folder, &l);
    return MAUTH_OK;
}

/* The path names folder, then user. */
static enum mauth_rc
find(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_link l;
    enum mauth_rc rc =
        graph_link_find(txn, GRAPH_MEMBER_BY_FOLDER, &m->id[0], &m->id[1], &l, err);

    m->version = l.version;
    return rc;
}

static enum mauth_rc
show(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    return mesh_member_show(m, txn, &m->id[0], &m->id[1], err);
}

static enum mauth_rc
list(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_page page;
    enum mauth_rc rc = mesh_page(m, txn, GRAPH_MEMBER_BY_FOLDER, &page, err);

    for (size_t i = 0; i < page.count && rc == MAUTH_OK; i++) {
        mesh_list_item(m);
        write_member(m, &m->id[0], &page.links[i]);
    }
    if (rc == MAUTH_OK)
        mesh_page_end(m, &page);
    return rc;
}

/* Whoever reads the folder sees its members. */
static const char *
read_folder(struct mesh *m)
{
    m->args = "f";
    return NULL;
}

static bool
is_owner_role(const struct mesh *m)
{
    return graph_role_is(m->role, GRAPH_OWNER);
}

/* To make another one the owner is to pass the folder on. */
static const char *
gather_role(struct mesh *m)
{
    if (is_owner_role(m)) {
        m->action = "pass";
        m->args = "fu";
        m->record = "folder.pass";
    }
    return NULL;
}

static enum mauth_rc
change(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    enum mauth_rc rc;

    if (is_owner_role(m)) {
        rc = graph_member_pass(txn, &m->id[0], &m->who.caller.principal, &m->id[1],
            m->who.caller.now_s, err);
        return mesh_refuse_if(m, rc, MAUTH_CONFLICT, "owner", err);
    }
    rc = graph_member_set_role(
        txn, &m->id[0], &m->id[1], m->role, m->who.caller.now_s, err);
    return mesh_refuse_if(m, rc, MAUTH_CONFLICT, "owner", err);
}

/* To remove oneself is to leave. */
static const char *
gather_leaving(struct mesh *m)
{
    if (memcmp(m->id[1].b, m->who.caller.principal.b, ID_BYTES) == 0) {
        m->action = "leave";
        m->args = "f";
        m->record = "member.leave";
    }
    return NULL;
}

static enum mauth_rc
remove_member(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    enum mauth_rc rc =
        graph_member_remove(txn, &m->id[0], &m->id[1], m->who.caller.now_s, err);

    return mesh_refuse_if(m, rc, MAUTH_CONFLICT, "owner", err);
}

const struct mesh_op member_read_op = {.action = "read",
    .args = "fu",
    .flags = MESH_READS,
    .gather = read_folder,
    .find = find,
    .show = show};

const struct mesh_op member_list_op = {.action = "read",
    .args = "f",
    .flags = MESH_READS | MESH_LISTS,
    .kind = ID_USER,
    .show = list};

const struct mesh_op member_change_op = {.action = "appoint",
    .args = "fur",
    .record = "member.role",
    .flags = MESH_MATCH,
    .members = patch_members,
    .gather = gather_role,
    .find = find,
    .act = change,
    .show = show};

const struct mesh_op member_remove_op = {.action = "remove",
    .args = "fu",
    .record = "member.remove",
    .flags = MESH_MATCH,
    .gather = gather_leaving,
    .find = find,
    .act = remove_member};
