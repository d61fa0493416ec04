#include "store/admin_revoke.h"

#include <string.h>

#include "base/str.h"
#include "store/graph_device.h"
#include "store/graph_member.h"
#include "store/graph_session.h"
#include "store/graph_ticket.h"
#include "store/graph_user.h"

struct admin_revoke_kind {
    enum id_kind id[ADMIN_REVOKE_IDS];
    size_t count; /* of ids; 0: a ticket's own */
    const char *action;
    const char *done;
    enum mauth_rc (*apply)(struct kv_txn *txn, const struct admin_revoke *r,
        int64_t now_s, struct mauth_err *err);
};

static enum mauth_rc
end_ticket(struct kv_txn *txn, const struct admin_revoke *r, int64_t now_s,
    struct mauth_err *err)
{
    (void)now_s;
    return graph_ticket_revoke(txn, r->text[0], err);
}

static enum mauth_rc
end_session(struct kv_txn *txn, const struct admin_revoke *r, int64_t now_s,
    struct mauth_err *err)
{
    (void)now_s;
    return graph_session_close(txn, &r->id[0], err);
}

static enum mauth_rc
end_user(struct kv_txn *txn, const struct admin_revoke *r, int64_t now_s,
    struct mauth_err *err)
{
    struct graph_user u;
    enum mauth_rc rc = graph_user_by_id(txn, &r->id[0], &u, err);

    (void)now_s;
    if (rc == MAUTH_OK && !u.live)
        rc = MAUTH_NOT_FOUND;
    return rc ? rc : graph_session_revoke_all(txn, ID_USER, &r->id[0], err);
}

static enum mauth_rc
end_device(struct kv_txn *txn, const struct admin_revoke *r, int64_t now_s,
    struct mauth_err *err)
{
    return graph_device_revoke(txn, &r->id[0], now_s, err);
}

static enum mauth_rc
end_claim(struct kv_txn *txn, const struct admin_revoke *r, int64_t now_s,
    struct mauth_err *err)
{
    return graph_device_release(txn, &r->id[0], &r->id[1], now_s, err);
}

static enum mauth_rc
end_member(struct kv_txn *txn, const struct admin_revoke *r, int64_t now_s,
    struct mauth_err *err)
{
    return graph_member_remove(txn, &r->id[0], &r->id[1], now_s, err);
}

static enum mauth_rc
end_mapping(struct kv_txn *txn, const struct admin_revoke *r, int64_t now_s,
    struct mauth_err *err)
{
    return graph_mapping_remove(txn, &r->id[0], &r->id[1], now_s, err);
}

/* Named as what the people of the mesh do themselves, where they can. */
static const struct admin_revoke_kind kinds[] = {
    {{ID_SESSION}, 1, "session.close", "closed", end_session},
    {{ID_USER}, 1, "user.revoke", "logged out everywhere", end_user},
    {{ID_DEVICE}, 1, "device.revoke", "released, its sessions closed", end_device},
    {{ID_DEVICE, ID_USER}, 2, "device.release", "released", end_claim},
    {{ID_FOLDER, ID_USER}, 2, "member.remove", "removed", end_member},
    {{ID_DEVICE, ID_FOLDER}, 2, "mapping.remove", "unmapped", end_mapping},
};
static const struct admin_revoke_kind ticket = {
    {ID_SESSION}, 0, "ticket.revoke", "revoked", end_ticket};

static bool
take(struct admin_revoke *r, size_t i, enum id_kind kind, struct text id)
{
    if (id.len > REVOKED_ID_MAX || !id_parse(kind, id.p, id.len, &r->id[i]))
        return false;
    memcpy(r->text[i], id.p, id.len);
    r->text[i][id.len] = '\0';
    return true;
}

/* The ids in this order, or one. */
static bool
matches(struct admin_revoke *r, const struct admin_revoke_kind *k,
    const struct text id[ADMIN_REVOKE_IDS], size_t count)
{
    if (k->count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!take(r, i, k->id[i], id[i]))
            return false;
    r->kind = k;
    return true;
}

static bool
parse_ids(struct admin_revoke *r, struct text first, struct text second)
{
    const struct text ids[] = {first, second}, turned[] = {second, first};
    size_t count = second.len ? 2 : 1;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (matches(r, &kinds[i], ids, count) ||
            (count == 2 && matches(r, &kinds[i], turned, count)))
            return true;
    return false;
}

bool
admin_revoke_parse(struct text name, struct admin_revoke *out)
{
    struct text rest = name, first = name, none = {"", 0};
    bool two = text_cut(&rest, '+', &first);

    memset(out, 0, sizeof(*out));
    if (graph_ticket_is_id(name)) {
        memcpy(out->text[0], name.p, name.len);
        out->kind = &ticket;
    } else if ((two && !rest.len) ||
               !parse_ids(out, two ? first : name, two ? rest : none)) {
        return false;
    }
    out->count = two ? 2 : 1;
    return true;
}

enum mauth_rc
admin_revoke_apply(struct kv_txn *txn, const struct admin_revoke *r, int64_t now_s,
    bool *changed, struct mauth_err *err)
{
    enum mauth_rc rc = r->kind->apply(txn, r, now_s, err);

    *changed = rc == MAUTH_OK;
    return rc == MAUTH_CONFLICT && r->kind == &ticket ? MAUTH_OK : rc;
}

const char *
admin_revoke_action(const struct admin_revoke *r)
{
    return r->kind->action;
}

const char *
admin_revoke_done(const struct admin_revoke *r)
{
    return r->kind->done;
}
