#include "store/graph_member.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "store/graph_change.h"
#include "store/graph_invitation.h"
#include "store/graph_record.h"

static enum mauth_rc
find(struct kv_txn *txn, const struct id *folder, const struct id *user,
    struct graph_link *out, struct mauth_err *err)
{
    return graph_link_find(txn, GRAPH_MEMBER_BY_FOLDER, folder, user, out, err);
}

static struct graph_change
change(enum graph_change_op op, const struct id *folder, const struct id *user,
    int64_t now_s)
{
    struct graph_change c = {.time_s = now_s,
        .op = op,
        .type = GRAPH_CHANGED_MEMBER,
        .id = {*folder, *user}};

    return c;
}

/* The next version of the link, and the change that made it so. */
static enum mauth_rc
put(struct kv_txn *txn, struct graph_change *c, struct graph_link *m, const char *role,
    struct mauth_err *err)
{
    enum mauth_rc rc;

    snprintf(m->role, sizeof(m->role), "%s", role);
    m->version++;
    m->updated_s = c->time_s;
    rc = graph_link_put(txn, GRAPH_MEMBER_BY_FOLDER, &c->id[0], m, err);
    return rc ? rc : graph_change_put(txn, c, err);
}

enum mauth_rc
graph_member_add(struct kv_txn *txn, const struct id *folder, const struct id *user,
    const char *role, int64_t now_s, struct mauth_err *err)
{
    struct graph_change c = change(GRAPH_CREATED, folder, user, now_s);
    struct graph_folder f;
    struct graph_link m;
    struct graph_user u;
    enum mauth_rc rc;

    if (!graph_role_can_be_given(role))
        return mauth_fail(err, MAUTH_INVALID, "graph: a role that nobody is given");
    rc = graph_folder_by_id(txn, folder, &f, err);
    if (rc == MAUTH_OK)
        rc = graph_user_by_id(txn, user, &u, err);
    if (rc || !f.live || !u.live)
        return rc ? rc : MAUTH_NOT_FOUND;
    rc = find(txn, folder, user, &m, err);
    if (rc == MAUTH_OK)
        return mauth_fail(err, MAUTH_CONFLICT, "graph: a member already");
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    m = (struct graph_link){.to = *user, .created_s = now_s};
    return put(txn, &c, &m, role, err);
}

enum mauth_rc
graph_member_set_role(struct kv_txn *txn, const struct id *folder,
    const struct id *user, const char *role, int64_t now_s, struct mauth_err *err)
{
    struct graph_change c = change(GRAPH_UPDATED, folder, user, now_s);
    struct graph_link m;
    enum mauth_rc rc;

    if (!graph_role_can_be_given(role))
        return mauth_fail(err, MAUTH_INVALID, "graph: a role that nobody is given");
    rc = find(txn, folder, user, &m, err);
    if (rc)
        return rc;
    if (graph_role_is(m.role, GRAPH_OWNER))
        return mauth_fail(err, MAUTH_CONFLICT, "graph: an owner passes it on first");
    if (graph_role_is(m.role, role))
        return MAUTH_OK;
    rc = put(txn, &c, &m, role, err);
    return rc ? rc : graph_revoke(txn, &c, 2, err);
}

/* The folder's mappings on the devices of one page of the user's claims. */
static enum mauth_rc
unmap_page(struct kv_txn *txn, const struct id *folder, const struct graph_page *claims,
    int64_t now_s, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < claims->count && rc == MAUTH_OK; i++) {
        rc = graph_mapping_remove(txn, &claims->links[i].to, folder, now_s, err);
        if (rc == MAUTH_NOT_FOUND)
            rc = MAUTH_OK;
    }
    return rc;
}

static enum mauth_rc
unmap_all(struct kv_txn *txn, const struct id *folder, const struct id *user,
    int64_t now_s, struct mauth_err *err)
{
    struct graph_page page = {.count = 0};
    enum mauth_rc rc;
    struct id after;

    do {
        if (page.count)
            after = page.links[page.count - 1].to;
        rc = graph_link_page(
            txn, GRAPH_CLAIMED_BY_USER, user, page.count ? &after : NULL, &page, err);
        if (rc == MAUTH_OK)
            rc = unmap_page(txn, folder, &page, now_s, err);
    } while (rc == MAUTH_OK && page.more);
    return rc;
}

enum mauth_rc
graph_member_remove(struct kv_txn *txn, const struct id *folder, const struct id *user,
    int64_t now_s, struct mauth_err *err)
{
    struct graph_change c = change(GRAPH_DELETED, folder, user, now_s);
    struct graph_link m;
    enum mauth_rc rc;

    rc = find(txn, folder, user, &m, err);
    if (rc)
        return rc;
    if (graph_role_is(m.role, GRAPH_OWNER))
        return mauth_fail(err, MAUTH_CONFLICT, "graph: an owner passes it on first");
    rc = graph_invitation_revoke_all(txn, folder, user, now_s, err);
    if (rc == MAUTH_OK)
        rc = unmap_all(txn, folder, user, now_s, err);
    if (rc == MAUTH_OK)
        rc = graph_link_delete(txn, GRAPH_MEMBER_BY_FOLDER, folder, user, err);
    if (rc == MAUTH_OK)
        rc = graph_change_put(txn, &c, err);
    return rc ? rc : graph_revoke(txn, &c, 2, err);
}

enum mauth_rc
graph_member_pass(struct kv_txn *txn, const struct id *folder, const struct id *from,
    const struct id *to, int64_t now_s, struct mauth_err *err)
{
    struct graph_change lowered = change(GRAPH_UPDATED, folder, from, now_s);
    struct graph_change raised = change(GRAPH_UPDATED, folder, to, now_s);
    struct graph_link old, new;
    enum mauth_rc rc;

    rc = find(txn, folder, from, &old, err);
    if (rc == MAUTH_OK)
        rc = find(txn, folder, to, &new, err);
    if (rc)
        return rc;
    if (!graph_role_is(old.role, GRAPH_OWNER) || graph_role_is(new.role, GRAPH_OWNER))
        return mauth_fail(err, MAUTH_CONFLICT, "graph: passed on by its owner only");
    rc = put(txn, &raised, &new, GRAPH_OWNER, err);
    if (rc == MAUTH_OK)
        rc = put(txn, &lowered, &old, GRAPH_CONTRIBUTOR, err);
    return rc ? rc : graph_revoke(txn, &lowered, 2, err);
}

static struct graph_change
mapping_change(enum graph_change_op op, const struct id *device,
    const struct id *folder, int64_t now_s)
{
    struct graph_change c = {.time_s = now_s,
        .op = op,
        .type = GRAPH_CHANGED_MAPPING,
        .id = {*device, *folder}};

    return c;
}

enum mauth_rc
graph_mapping_add(struct kv_txn *txn, const struct id *device, const struct id *folder,
    int64_t now_s, struct mauth_err *err)
{
    struct graph_change c = mapping_change(GRAPH_CREATED, device, folder, now_s);
    struct graph_link m, claim,
        link = {.to = *folder, .version = 1, .created_s = now_s, .updated_s = now_s};
    enum mauth_rc rc;

    rc = graph_link_next(txn, GRAPH_CLAIMED_BY_DEVICE, device, NULL, &claim, err);
    if (rc == MAUTH_OK)
        rc = find(txn, folder, &claim.to, &m, err);
    if (rc == MAUTH_NOT_FOUND)
        return mauth_fail(err, MAUTH_DENIED, "graph: no member claims this device");
    if (rc)
        return rc;
    rc = graph_link_find(txn, GRAPH_MAPPED_BY_DEVICE, device, folder, &m, err);
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    rc = graph_link_put(txn, GRAPH_MAPPED_BY_DEVICE, device, &link, err);
    return rc ? rc : graph_change_put(txn, &c, err);
}

enum mauth_rc
graph_mapping_remove(struct kv_txn *txn, const struct id *device,
    const struct id *folder, int64_t now_s, struct mauth_err *err)
{
    struct graph_change c = mapping_change(GRAPH_DELETED, device, folder, now_s);
    struct graph_link m;
    enum mauth_rc rc;

    rc = graph_link_find(txn, GRAPH_MAPPED_BY_DEVICE, device, folder, &m, err);
    if (rc)
        return rc;
    rc = graph_link_delete(txn, GRAPH_MAPPED_BY_DEVICE, device, folder, err);
    if (rc == MAUTH_OK)
        rc = graph_change_put(txn, &c, err);
    return rc ? rc : graph_revoke(txn, &c, 2, err);
}
