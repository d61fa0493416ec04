/* Devices: registered and claimed in one request, read, renamed, released. */
#include <string.h>

#include "authsvc/mesh.h"
#include "authsvc/mesh_ops.h"
#include "base/str.h"
#include "store/graph_session.h"

static const struct json_member new_members[] = {
    {"name", JSON_BODY_TEXT, true},
    {"unattended", JSON_BODY_BOOL, false},
    {NULL, 0, false},
};
static const struct json_member patch_members[] = {
    {"name", JSON_BODY_TEXT, false},
    {"unattended", JSON_BODY_BOOL, false},
    {NULL, 0, false},
};

/* The id of its key, as tickets' and records' key ids are made. */
static void
write_key(struct mesh *m, const struct graph_device *d)
{
    char id[MAUTH_KEY_ID_LEN + 1];

    str_hex(d->key_hash, MAUTH_KEY_ID_LEN / 2, id);
    node_text(&m->json, "key", id);
}

static void
write_device(struct mesh *m, const struct graph_device *d, const struct id *user)
{
    static const char *const links[] = {"folders", NULL};
    char url[NODE_URL_MAX];
    struct node node = {.kind = ID_DEVICE,
        .id = d->id,
        .url = url,
        .type = "device",
        .version = d->version,
        .created_s = d->created_s,
        .updated_s = d->updated_s};

    node_url(mesh_issuer(m), ID_DEVICE, &d->id, url);
    node_begin(&m->json, &node);
    node_text(&m->json, "name", d->name);
    node_bool(&m->json, "unattended", d->unattended);
    write_key(m, d);
    if (user)
        node_ref(&m->json, "user", mesh_issuer(m), ID_USER, user);
    node_links(&m->json, url, links);
    node_end(&m->json);
}

static enum mauth_rc
show(struct mesh *m, struct kv_txn *txn, const struct id *id, struct mauth_err *err)
{
    struct graph_device d;
    struct graph_link claim;
    enum mauth_rc rc = graph_device_by_id(txn, id, &d, err);
    bool claimed;

    if (rc != MAUTH_OK)
        return rc;
    rc = graph_link_next(txn, GRAPH_CLAIMED_BY_DEVICE, id, NULL, &claim, err);
    claimed = rc == MAUTH_OK;
    if (!claimed && rc != MAUTH_NOT_FOUND)
        return rc;
    m->version = d.version;
    write_device(m, &d, claimed ? &claim.to : NULL);
    return MAUTH_OK;
}

static enum mauth_rc
show_named(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    return show(m, txn, &m->id[0], err);
}

static enum mauth_rc
show_claimed(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    m->opens = MESH_OPENS_DEVICE;
    return show(m, txn, &m->who.holder, err);
}

static enum mauth_rc
find(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_device d;
    enum mauth_rc rc = graph_device_by_id(txn, &m->id[0], &d, err);

    if (rc != MAUTH_OK)
        return rc;
    m->version = d.version;
    return MAUTH_OK;
}

/* The key that was proven becomes a device, if it is none yet. */
static enum mauth_rc
register_key(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_device want = {.id = m->fresh,
        .created_s = m->who.caller.now_s,
        .unattended = json_body_bool(m->body.root, "unattended", false)};
    const char *name = json_body_text(m->body.root, "name");
    const uint8_t *spki = mauth_key_spki(m->who.caller.proof.key, &want.spki_len);
    struct graph_device made;

    memcpy(want.name, name, strlen(name) + 1);
    memcpy(want.spki, spki, want.spki_len);
    m->who.holder = m->fresh;
    m->who.has_holder = true;
    m->status = 201;
    return graph_device_register(txn, &want, &made, err);
}

/* Under an id of the client's own: is it that of this key, or could it be? */
static bool
is_other_id(const struct mesh *m)
{
    return strcmp(http_method(m->x), "PUT") == 0 &&
           memcmp(m->who.holder.b, m->fresh.b, ID_BYTES) != 0;
}

static enum mauth_rc
claim(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_link l;
    enum mauth_rc rc = MAUTH_OK;

    if (m->who.has_holder && is_other_id(m))
        return mesh_refuse(m, "key-in-use");
    if (!m->who.has_holder)
        rc =
            mesh_refuse_if(m, register_key(m, txn, err), MAUTH_CONFLICT, "exists", err);
    if (rc != MAUTH_OK || m->problem)
        return rc;
    node_url(mesh_issuer(m), ID_DEVICE, &m->who.holder, m->made);
    rc = graph_link_find(txn, GRAPH_CLAIMED_BY_DEVICE, &m->who.holder,
        &m->who.caller.principal, &l, err);
    m->unchanged = rc == MAUTH_OK;
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    rc = graph_device_claim(
        txn, &m->who.holder, &m->who.caller.principal, m->who.caller.now_s, err);
    return mesh_refuse_if(m, rc, MAUTH_CONFLICT, "claimed", err);
}

static enum mauth_rc
update(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    const char *name = json_body_text(m->body.root, "name");
    struct graph_device d;
    enum mauth_rc rc = graph_device_by_id(txn, &m->id[0], &d, err);

    if (rc != MAUTH_OK)
        return rc;
    return graph_device_update(txn, &m->id[0], name ? name : d.name,
        json_body_bool(m->body.root, "unattended", d.unattended), m->who.caller.now_s,
        err);
}

/* By its user, or by itself; the user's sessions on it are over. */
static enum mauth_rc
release(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_device d;
    struct graph_link claim;
    enum mauth_rc rc;
    size_t count;

    rc = graph_link_next(txn, GRAPH_CLAIMED_BY_DEVICE, &m->id[0], NULL, &claim, err);
    if (rc == MAUTH_OK)
        rc = graph_device_by_id(txn, &m->id[0], &d, err);
    if (rc == MAUTH_OK)
        rc = graph_device_release(txn, &m->id[0], &claim.to, m->who.caller.now_s, err);
    if (rc == MAUTH_OK)
        rc = graph_session_close_of_key(
            txn, ID_USER, &claim.to, d.key_hash, &count, err);
    return mesh_refuse_if(m, rc, MAUTH_NOT_FOUND, "not-found", err);
}

static enum mauth_rc
list(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_device d;
    struct graph_page page;
    enum mauth_rc rc = mesh_page(m, txn, GRAPH_CLAIMED_BY_USER, &page, err);

    for (size_t i = 0; i < page.count && rc == MAUTH_OK; i++) {
        rc = graph_device_by_id(txn, &page.links[i].to, &d, err);
        if (rc != MAUTH_OK)
            break;
        mesh_list_item(m);
        write_device(m, &d, &m->id[0]);
    }
    if (rc == MAUTH_OK)
        mesh_page_end(m, &page);
    return rc;
}

const struct mesh_op device_read_op = {.action = "read",
    .args = "d",
    .flags = MESH_READS,
    .find = find,
    .show = show_named};

const struct mesh_op device_list_op = {.action = "read",
    .args = "u",
    .flags = MESH_READS | MESH_LISTS,
    .kind = ID_DEVICE,
    .show = list};

const struct mesh_op device_claim_op = {.action = "register",
    .args = "",
    .record = "device.claim",
    .flags = MESH_MAKES,
    .kind = ID_DEVICE,
    .members = new_members,
    .gather = mesh_gather_name,
    .act = claim,
    .show = show_claimed};

const struct mesh_op device_update_op = {.action = "rename",
    .args = "d",
    .record = "device.update",
    .flags = MESH_MATCH,
    .members = patch_members,
    .gather = mesh_gather_name,
    .find = find,
    .act = update,
    .show = show_named};

const struct mesh_op device_release_op = {.action = "release",
    .args = "d",
    .record = "device.release",
    .flags = MESH_MATCH,
    .find = find,
    .act = release};
