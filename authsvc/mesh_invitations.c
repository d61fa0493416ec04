/*
 * Invitations. Their secret leaves the service once, in the answer to the inviter; who
 * brings it back, in a body, may look, decline, and with a ticket accept.
 */
#include <stdio.h>
#include <string.h>

#include "authsvc/mesh.h"
#include "authsvc/mesh_ops.h"
#include "base/b64.h"
#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "store/graph_folder.h"
#include "store/graph_invitation.h"

enum {
    SECRET_TEXT = 43, /* base64url of 32 bytes */
    EXPIRES_MIN_S = 60,
    EXPIRES_MAX_S = 30 * 24 * 3600,
    EXPIRES_DEFAULT_S = 7 * 24 * 3600
};

static const struct json_member new_members[] = {
    {"role", JSON_BODY_TEXT, true},
    {"for", JSON_BODY_TEXT | JSON_BODY_OBJECT, false},
    {"expires_in", JSON_BODY_NUMBER, false},
    {NULL, 0, false},
};
static const struct json_member for_members[] = {
    {"email", JSON_BODY_TEXT, true},
    {"issuer", JSON_BODY_TEXT, true},
    {NULL, 0, false},
};
static const struct json_member secret_members[] = {
    {"secret", JSON_BODY_TEXT, true},
    {NULL, 0, false},
};

/* Showing. */

static void
write_for(struct mesh *m, const struct graph_invitation *i)
{
    char user[ID_LEN + 1];

    if (i->addressee == GRAPH_FOR_USER) {
        id_format(ID_USER, &i->user, user);
        node_text(&m->json, "for", user);
    }
    if (i->addressee == GRAPH_FOR_EMAIL) {
        buf_str(&m->json, ",\"for\":{\"email\":");
        buf_json(&m->json, text_of(i->email.address));
        buf_str(&m->json, ",\"issuer\":");
        buf_json(&m->json, text_of(i->email.issuer));
        buf_u8(&m->json, '}');
    }
}

/* Only here, only to the inviter, only now. */
static void
write_secret(struct mesh *m, const char *url)
{
    char text[SECRET_TEXT + 1];

    b64_encode(B64_URL, m->secret, sizeof(m->secret), text);
    text[SECRET_TEXT] = '\0';
    node_text(&m->json, "secret", text);
    buf_printf(&m->json, ",\"link\":\"%s#%s\"", url, text);
    mauth_wipe(text, sizeof(text));
}

static void
write_invitation(struct mesh *m, const struct graph_invitation *i,
    const char *folder_name, bool made)
{
    static const char *const links[] = {NULL};
    char url[NODE_URL_MAX];
    struct node node = {.kind = ID_INVITATION,
        .id = i->id,
        .url = url,
        .type = "invitation",
        .version = i->version,
        .created_s = i->created_s,
        .updated_s = i->updated_s};

    node_url(mesh_issuer(m), ID_INVITATION, &i->id, url);
    node_begin(&m->json, &node);
    node_ref(&m->json, "folder", mesh_issuer(m), ID_FOLDER, &i->folder);
    node_text(&m->json, "folder_name", folder_name);
    node_text(&m->json, "role", i->role);
    node_ref(&m->json, "inviter", mesh_issuer(m), ID_USER, &i->inviter);
    node_text(&m->json, "state", graph_invitation_state_name(i->state));
    node_time(&m->json, "expires", i->expires_s);
    write_for(m, i);
    if (made)
        write_secret(m, url);
    node_links(&m->json, url, links);
    node_end(&m->json);
}

/*
 * What the folder is called now: for members, and for whoever is being invited. To others
 * an invitation that is over tells no more of it. MAUTH_NOT_FOUND: nothing, as of a folder
 * that was purged.
 */
static enum mauth_rc
name_folder(struct mesh *m, struct kv_txn *txn, const struct graph_invitation *i,
    struct graph_folder *out, struct mauth_err *err)
{
    struct graph_link l;
    enum mauth_rc rc = MAUTH_OK;

    memset(out, 0, sizeof(*out));
    if ((m->op->flags & MESH_READS) && i->state != GRAPH_PENDING)
        rc = graph_link_find(
            txn, GRAPH_MEMBER_BY_FOLDER, &i->folder, &m->who.caller.principal, &l, err);
    return rc ? rc : graph_folder_by_id(txn, &i->folder, out, err);
}

static enum mauth_rc
show(struct mesh *m, struct kv_txn *txn, const struct id *id, bool made,
    struct mauth_err *err)
{
    struct graph_folder f;
    struct graph_invitation i;
    enum mauth_rc rc = graph_invitation_by_id(txn, id, m->who.caller.now_s, &i, err);

    if (rc != MAUTH_OK)
        return rc;
    rc = name_folder(m, txn, &i, &f, err);
    if (rc != MAUTH_OK && rc != MAUTH_NOT_FOUND)
        return rc;
    m->version = i.version;
    write_invitation(m, &i, f.name, made);
    return MAUTH_OK;
}

static enum mauth_rc
show_named(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    return show(m, txn, &m->id[0], false, err);
}

static enum mauth_rc
show_made(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    return show(m, txn, &m->fresh, true, err);
}

/* The caller's own, to this folder. */
static enum mauth_rc
list(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_ids page;
    enum mauth_rc rc = graph_invitation_page(txn, &m->id[0], &m->who.caller.principal,
        m->has_after ? &m->after : NULL, &page, err);

    if (rc != MAUTH_OK)
        return rc;
    if (page.count > m->limit) {
        page.count = m->limit;
        page.more = true;
    }
    mesh_list_begin(m);
    for (size_t i = 0; i < page.count && rc == MAUTH_OK; i++) {
        mesh_list_item(m);
        rc = show(m, txn, &page.ids[i], false, err);
    }
    m->version = 0;
    mesh_list_end(m, page.more ? &page.ids[page.count - 1] : NULL);
    return rc;
}

/* Gathering. */

static const char *
gather_new(struct mesh *m)
{
    uint64_t expires_in_s =
        json_body_number(m->body.root, "expires_in", EXPIRES_DEFAULT_S);
    json_t *named = json_object_get(m->body.root, "for");
    const char *problem = NULL;

    if (expires_in_s < EXPIRES_MIN_S || expires_in_s > EXPIRES_MAX_S)
        problem = "expires-in";
    else if (json_is_object(named))
        problem = json_body_check(&m->body, named, for_members, "for");
    memcpy(m->detail, m->body.detail, sizeof(m->detail));
    if (problem)
        return problem;
    return mauth_random(m->secret, sizeof(m->secret), NULL) == MAUTH_OK ? NULL
                                                                        : "internal";
}

static const char *
gather_secret(struct mesh *m)
{
    const char *text = json_body_text(m->body.root, "secret");
    size_t len;

    if (strlen(text) != SECRET_TEXT ||
        !b64_decode(B64_URL, text, SECRET_TEXT, m->secret, sizeof(m->secret), &len))
        return "not-found";
    return NULL;
}

/* Finding. */

static enum mauth_rc
find(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_invitation i;
    enum mauth_rc rc =
        graph_invitation_by_id(txn, &m->id[0], m->who.caller.now_s, &i, err);

    m->version = i.version;
    return rc;
}

/* What is over can be looked at, but not changed. */
static enum mauth_rc
find_pending(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_invitation i;
    enum mauth_rc rc =
        graph_invitation_by_id(txn, &m->id[0], m->who.caller.now_s, &i, err);

    m->version = i.version;
    if (rc == MAUTH_OK && i.state != GRAPH_PENDING)
        return mesh_refuse(m, "invitation-closed");
    return rc;
}

/* Acting. */

static enum mauth_rc
set_addressee(struct mesh *m, struct graph_invitation *i, struct mauth_err *err)
{
    const json_t *named = json_object_get(m->body.root, "for");
    enum mauth_rc rc;

    if (json_is_string(named)) {
        struct text id = text_of(json_string_value(named));

        i->addressee = GRAPH_FOR_USER;
        return id_parse(ID_USER, id.p, id.len, &i->user) ? MAUTH_OK
                                                         : mesh_refuse(m, "for");
    }
    if (!named)
        return MAUTH_OK;
    i->addressee = GRAPH_FOR_EMAIL;
    rc = graph_email_set(&i->email, text_of(json_body_text(named, "issuer")),
        text_of(json_body_text(named, "email")), err);
    return mesh_refuse_if(m, rc, MAUTH_INVALID, "for", err);
}

static enum mauth_rc
create(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_invitation want = {.id = m->fresh,
        .folder = m->id[0],
        .inviter = m->who.caller.principal,
        .created_s = m->who.caller.now_s,
        .expires_s = m->who.caller.now_s + (int64_t)json_body_number(m->body.root,
                                               "expires_in", EXPIRES_DEFAULT_S)};
    enum mauth_rc rc = set_addressee(m, &want, err);

    snprintf(want.role, sizeof(want.role), "%s", m->role);
    if (rc == MAUTH_OK && !m->problem)
        rc = graph_invitation_hash(m->secret, want.secret_hash, err);
    if (rc != MAUTH_OK || m->problem)
        return rc;
    node_url(mesh_issuer(m), ID_INVITATION, &m->fresh, m->made);
    m->status = 201;
    rc = graph_invitation_create(txn, &want, err);
    return mesh_refuse_if(m, rc, MAUTH_TOO_LARGE, "too-many", err);
}

static enum mauth_rc
accept_invitation(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    enum graph_closed why = GRAPH_NOT_CLOSED;
    struct graph_invitation i;
    enum mauth_rc rc =
        graph_invitation_by_id(txn, &m->id[0], m->who.caller.now_s, &i, err);

    if (rc == MAUTH_OK)
        rc = graph_invitation_accept(
            txn, &m->id[0], &m->who.caller.principal, m->who.caller.now_s, &why, err);
    if (rc == MAUTH_OK) {
        node_url(mesh_issuer(m), ID_FOLDER, &i.folder, m->joined);
        snprintf(m->joined_as, sizeof(m->joined_as), "%s", i.role);
    }
    return mesh_refuse_if(m, rc, MAUTH_CONFLICT,
        why == GRAPH_IS_MEMBER ? "member" : "invitation-closed", err);
}

/* The member that the caller now is. */
static enum mauth_rc
show_membership(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_invitation i;
    enum mauth_rc rc =
        graph_invitation_by_id(txn, &m->id[0], m->who.caller.now_s, &i, err);

    if (rc == MAUTH_OK)
        mesh_opens_folder(m, &i.folder);
    if (rc == MAUTH_OK)
        rc = mesh_member_show(m, txn, &i.folder, &m->who.caller.principal, err);
    return rc;
}

static enum mauth_rc
decline(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    return graph_invitation_decline(txn, &m->id[0], m->who.caller.now_s, err);
}

static enum mauth_rc
revoke(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    return graph_invitation_revoke(txn, &m->id[0], m->who.caller.now_s, err);
}

const struct mesh_op invitation_read_op = {.action = "view",
    .args = "i",
    .flags = MESH_READS,
    .find = find,
    .show = show_named};

const struct mesh_op invitation_list_op = {.action = "read",
    .args = "f",
    .flags = MESH_READS | MESH_LISTS,
    .kind = ID_INVITATION,
    .show = list};

const struct mesh_op invitation_create_op = {.action = "invite",
    .args = "fr",
    .record = "invitation.create",
    .flags = MESH_MAKES,
    .kind = ID_INVITATION,
    .members = new_members,
    .gather = gather_new,
    .act = create,
    .show = show_made};

const struct mesh_op invitation_view_op = {.action = "view",
    .args = "i",
    .flags = MESH_READS | MESH_SECRET | MESH_ANYONE,
    .members = secret_members,
    .gather = gather_secret,
    .find = find,
    .show = show_named};

const struct mesh_op invitation_accept_op = {.action = "accept",
    .args = "i",
    .record = "invitation.accept",
    .flags = MESH_SECRET,
    .members = secret_members,
    .gather = gather_secret,
    .find = find_pending,
    .act = accept_invitation,
    .show = show_membership};

const struct mesh_op invitation_decline_op = {.action = "decline",
    .args = "i",
    .record = "invitation.decline",
    .flags = MESH_SECRET | MESH_ANYONE,
    .members = secret_members,
    .gather = gather_secret,
    .find = find_pending,
    .act = decline,
    .show = show_named};

const struct mesh_op invitation_revoke_op = {.action = "withdraw",
    .args = "i",
    .record = "invitation.revoke",
    .flags = MESH_MATCH,
    .find = find_pending,
    .act = revoke,
    .show = NULL};
