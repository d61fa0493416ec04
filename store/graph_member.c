#include "store/graph_member.h"

#include <string.h>

#include "base/fail.h"
#include "store/graph_record.h"
#include "store/revocations.h"

/* What ended between two nodes; a comes first in the order of prefixes. */
static enum mauth_rc
revoke(struct kv_txn *txn, uint64_t state, enum id_kind a_kind, const struct id *a,
    enum id_kind b_kind, const struct id *b, struct mauth_err *err)
{
    struct revocation gone = {.state = state, .count = 2};

    id_format(a_kind, a, gone.id[0]);
    id_format(b_kind, b, gone.id[1]);
    return revocations_add(txn, &gone, err);
}

static enum mauth_rc
find(struct kv_txn *txn, const struct id *folder, const struct id *user,
    struct graph_link *out, struct mauth_err *err)
{
    return graph_link_find(txn, GRAPH_MEMBER_BY_FOLDER, folder, user, out, err);
}

static enum mauth_rc
put(struct kv_txn *txn, const struct id *folder, struct graph_link *m,
    enum graph_role role, int64_t now_s, struct mauth_err *err)
{
    m->role = role;
    m->version++;
    m->updated_s = now_s;
    return graph_link_put(txn, GRAPH_MEMBER_BY_FOLDER, folder, m, err);
}

static bool
is_given(enum graph_role role)
{
    return role == GRAPH_READER || role == GRAPH_CONTRIBUTOR;
}

enum mauth_rc
graph_member_add(struct kv_txn *txn, const struct id *folder, const struct id *user,
    enum graph_role role, int64_t now_s, struct mauth_err *err)
{
    struct graph_folder f;
    struct graph_link m;
    struct graph_user u;
    uint64_t state;
    enum mauth_rc rc;

    if (!is_given(role))
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
    rc = put(txn, folder, &m, role, now_s, err);
    return rc ? rc : graph_advance(txn, &state, err);
}

enum mauth_rc
graph_member_set_role(struct kv_txn *txn, const struct id *folder,
    const struct id *user, enum graph_role role, int64_t now_s, struct mauth_err *err)
{
    struct graph_link m;
    enum graph_role old;
    uint64_t state;
    enum mauth_rc rc;

    if (!is_given(role))
        return mauth_fail(err, MAUTH_INVALID, "graph: a role that nobody is given");
    rc = find(txn, folder, user, &m, err);
    if (rc)
        return rc;
    if (m.role == GRAPH_OWNER)
        return mauth_fail(err, MAUTH_CONFLICT, "graph: an owner passes it on first");
    old = m.role;
    if (old == role)
        return MAUTH_OK;
    rc = put(txn, folder, &m, role, now_s, err);
    if (rc == MAUTH_OK)
        rc = graph_advance(txn, &state, err);
    if (rc || role > old)
        return rc;
    return revoke(txn, state, ID_FOLDER, folder, ID_USER, user, err);
}

/* The folder's mappings on devices that the user claims. */
static enum mauth_rc
unmap_all(struct kv_txn *txn, const struct id *folder, const struct id *user,
    uint64_t state, struct mauth_err *err)
{
    struct graph_page page = {.count = 0};
    struct graph_link mapping;
    struct id after;
    enum mauth_rc rc;

    do {
        if (page.count)
            after = page.links[page.count - 1].to;
        rc = graph_link_page(
            txn, GRAPH_CLAIMED_BY_USER, user, page.count ? &after : NULL, &page, err);
        for (size_t i = 0; i < page.count && rc == MAUTH_OK; i++) {
            const struct id *device = &page.links[i].to;

            rc = graph_link_find(
                txn, GRAPH_MAPPED_BY_DEVICE, device, folder, &mapping, err);
            if (rc == MAUTH_NOT_FOUND) {
                rc = MAUTH_OK;
                continue;
            }
            if (rc == MAUTH_OK)
                rc =
                    graph_link_delete(txn, GRAPH_MAPPED_BY_DEVICE, device, folder, err);
            if (rc == MAUTH_OK)
                rc = revoke(txn, state, ID_DEVICE, device, ID_FOLDER, folder, err);
        }
    } while (rc == MAUTH_OK && page.more);
    return rc;
}

enum mauth_rc
graph_member_remove(struct kv_txn *txn, const struct id *folder, const struct id *user,
    struct mauth_err *err)
{
    struct graph_link m;
    uint64_t state;
    enum mauth_rc rc;

    rc = find(txn, folder, user, &m, err);
    if (rc)
        return rc;
    if (m.role == GRAPH_OWNER)
        return mauth_fail(err, MAUTH_CONFLICT, "graph: an owner passes it on first");
    rc = graph_link_delete(txn, GRAPH_MEMBER_BY_FOLDER, folder, user, err);
    if (rc == MAUTH_OK)
        rc = graph_advance(txn, &state, err);
    if (rc == MAUTH_OK)
        rc = revoke(txn, state, ID_FOLDER, folder, ID_USER, user, err);
    return rc ? rc : unmap_all(txn, folder, user, state, err);
}

enum mauth_rc
graph_member_pass(struct kv_txn *txn, const struct id *folder, const struct id *from,
    const struct id *to, int64_t now_s, struct mauth_err *err)
{
    struct graph_link old, new;
    uint64_t state;
    enum mauth_rc rc;

    rc = find(txn, folder, from, &old, err);
    if (rc == MAUTH_OK)
        rc = find(txn, folder, to, &new, err);
    if (rc)
        return rc;
    if (old.role != GRAPH_OWNER || new.role == GRAPH_OWNER)
        return mauth_fail(err, MAUTH_CONFLICT, "graph: passed on by its owner only");
    rc = put(txn, folder, &old, GRAPH_CONTRIBUTOR, now_s, err);
    if (rc == MAUTH_OK)
        rc = put(txn, folder, &new, GRAPH_OWNER, now_s, err);
    if (rc == MAUTH_OK)
        rc = graph_advance(txn, &state, err);
    return rc ? rc : revoke(txn, state, ID_FOLDER, folder, ID_USER, from, err);
}

enum mauth_rc
graph_mapping_add(struct kv_txn *txn, const struct id *device, const struct id *folder,
    int64_t now_s, struct mauth_err *err)
{
    struct graph_link m,
        link = {.to = *folder, .version = 1, .created_s = now_s, .updated_s = now_s};
    struct graph_page claims;
    uint64_t state;
    enum mauth_rc rc;

    rc = graph_link_page(txn, GRAPH_CLAIMED_BY_DEVICE, device, NULL, &claims, err);
    if (rc)
        return rc;
    rc = claims.count ? find(txn, folder, &claims.links[0].to, &m, err)
                      : MAUTH_NOT_FOUND;
    if (rc == MAUTH_NOT_FOUND)
        return mauth_fail(err, MAUTH_DENIED, "graph: no member claims this device");
    if (rc)
        return rc;
    rc = graph_link_find(txn, GRAPH_MAPPED_BY_DEVICE, device, folder, &m, err);
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    rc = graph_link_put(txn, GRAPH_MAPPED_BY_DEVICE, device, &link, err);
    return rc ? rc : graph_advance(txn, &state, err);
}

enum mauth_rc
graph_mapping_remove(struct kv_txn *txn, const struct id *device,
    const struct id *folder, struct mauth_err *err)
{
    struct graph_link m;
    uint64_t state;
    enum mauth_rc rc;

    rc = graph_link_find(txn, GRAPH_MAPPED_BY_DEVICE, device, folder, &m, err);
    if (rc)
        return rc;
    rc = graph_link_delete(txn, GRAPH_MAPPED_BY_DEVICE, device, folder, err);
    if (rc == MAUTH_OK)
        rc = graph_advance(txn, &state, err);
    return rc ? rc : revoke(txn, state, ID_DEVICE, device, ID_FOLDER, folder, err);
}
