/* Mappings: which folder lives on which device. */
#include "authsvc/mesh.h"
#include "authsvc/mesh_ops.h"
#include "store/graph_member.h"

/* Of the user as well who has claimed the device, as there is no mapping without. */
static enum mauth_rc
write_mapping(struct mesh *m, struct kv_txn *txn, const struct id *folder,
    const struct id *device, const struct graph_link *l, struct mauth_err *err)
{
    static const char *const links[] = {NULL};
    struct graph_link claim;
    char url[NODE_URL_MAX];
    struct node node = {.kind = ID_DEVICE,
        .id = *device,
        .url = url,
        .type = "mapping",
        .version = l->version,
        .created_s = l->created_s,
        .updated_s = l->updated_s};
    enum mauth_rc rc =
        graph_link_next(txn, GRAPH_CLAIMED_BY_DEVICE, device, NULL, &claim, err);

    if (rc != MAUTH_OK)
        return rc;
    node_link_url(mesh_issuer(m), folder, "mappings", ID_DEVICE, device, url);
    node_begin(&m->json, &node);
    node_ref(&m->json, "device", mesh_issuer(m), ID_DEVICE, device);
    node_ref(&m->json, "folder", mesh_issuer(m), ID_FOLDER, folder);
    node_ref(&m->json, "user", mesh_issuer(m), ID_USER, &claim.to);
    node_links(&m->json, url, links);
    node_end(&m->json);
    return MAUTH_OK;
}

/* The path names folder, then device. */
static enum mauth_rc
find(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_link l;
    enum mauth_rc rc =
        graph_link_find(txn, GRAPH_MAPPED_BY_FOLDER, &m->id[0], &m->id[1], &l, err);

    m->version = l.version;
    return rc;
}

static enum mauth_rc
show(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_link l;
    enum mauth_rc rc =
        graph_link_find(txn, GRAPH_MAPPED_BY_FOLDER, &m->id[0], &m->id[1], &l, err);

    if (rc != MAUTH_OK)
        return rc;
    m->version = l.version;
    return write_mapping(m, txn, &m->id[0], &m->id[1], &l, err);
}

static enum mauth_rc
show_added(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    mesh_opens_folder(m, &m->id[0]);
    return show(m, txn, err);
}

static enum mauth_rc
add(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    enum mauth_rc rc = find(m, txn, err);

    m->unchanged = rc == MAUTH_OK;
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    node_link_url(mesh_issuer(m), &m->id[0], "mappings", ID_DEVICE, &m->id[1], m->made);
    m->status = 201;
    rc = graph_mapping_add(txn, &m->id[1], &m->id[0], m->who.caller.now_s, err);
    return mesh_refuse_if(m, rc, MAUTH_DENIED, "forbidden", err);
}

static enum mauth_rc
remove_mapping(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    return graph_mapping_remove(txn, &m->id[1], &m->id[0], m->who.caller.now_s, err);
}

static enum mauth_rc
list_by_folder(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_page page;
    enum mauth_rc rc = mesh_page(m, txn, GRAPH_MAPPED_BY_FOLDER, &page, err);

    for (size_t i = 0; i < page.count && rc == MAUTH_OK; i++) {
        mesh_list_item(m);
        rc = write_mapping(m, txn, &m->id[0], &page.links[i].to, &page.links[i], err);
    }
    if (rc == MAUTH_OK)
        mesh_page_end(m, &page);
    return rc;
}

static enum mauth_rc
list_by_device(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_page page;
    enum mauth_rc rc = mesh_page(m, txn, GRAPH_MAPPED_BY_DEVICE, &page, err);

    for (size_t i = 0; i < page.count && rc == MAUTH_OK; i++) {
        mesh_list_item(m);
        rc = write_mapping(m, txn, &page.links[i].to, &m->id[0], &page.links[i], err);
    }
    if (rc == MAUTH_OK)
        mesh_page_end(m, &page);
    return rc;
}

/* Who reads a folder sees where it is mapped; the device itself is not asked about. */
static const char *
read_folder(struct mesh *m)
{
    m->args = "f";
    return NULL;
}

const struct mesh_op mapping_read_op = {.action = "read",
    .args = "fd",
    .flags = MESH_READS,
    .gather = read_folder,
    .find = find,
    .show = show};

const struct mesh_op mapping_list_op = {.action = "read",
    .args = "f",
    .flags = MESH_READS | MESH_LISTS,
    .kind = ID_DEVICE,
    .show = list_by_folder};

const struct mesh_op mapping_list_of_device_op = {.action = "read",
    .args = "d",
    .flags = MESH_READS | MESH_LISTS,
    .kind = ID_FOLDER,
    .show = list_by_device};

const struct mesh_op mapping_add_op = {.action = "map",
    .args = "fd",
    .record = "mapping.add",
    .act = add,
    .show = show_added};

const struct mesh_op mapping_remove_op = {.action = "unmap",
    .args = "fd",
    .record = "mapping.remove",
    .flags = MESH_MATCH,
    .find = find,
    .act = remove_mapping};
