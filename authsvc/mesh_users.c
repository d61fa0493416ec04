/* Users: one's own node, the root of one's mesh. */
#include "authsvc/mesh.h"
#include "authsvc/mesh_ops.h"
#include "store/graph_user.h"

static enum mauth_rc
show(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    static const char *const links[] = {"devices", "folders", NULL};
    struct graph_user u;
    char url[NODE_URL_MAX];
    enum mauth_rc rc = graph_user_by_id(txn, &m->id[0], &u, err);
    struct node node = {.kind = ID_USER,
        .id = u.id,
        .url = url,
        .type = "user",
        .version = u.version,
        .created_s = u.created_s,
        .updated_s = u.updated_s};

    if (rc != MAUTH_OK)
        return rc;
    m->version = u.version;
    node_url(mesh_issuer(m), ID_USER, &u.id, url);
    node_begin(&m->json, &node);
    if (u.email.address[0])
        node_text(&m->json, "email", u.email.address);
    node_links(&m->json, url, links);
    node_end(&m->json);
    return MAUTH_OK;
}

const struct mesh_op user_read_op = {
    .action = "read", .args = "u", .flags = MESH_READS, .show = show};
