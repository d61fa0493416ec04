#include "store/admin.h"

#include <string.h>

#include "base/fail.h"
#include "base/fault.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "store/audit_erase.h"
#include "store/graph_purge.h"
#include "store/graph_session.h"
#include "store/graph_ticket.h"
#include "store/graph_user.h"

/* As they go on record. */
static const char *const actions[] = {
    [ADMIN_SERVICE_CREATE] = "service.create",
    [ADMIN_SERVICE_UPDATE] = "service.update",
    [ADMIN_SERVICE_DELETE] = "service.delete",
    [ADMIN_ROLE_GRANT] = "role.grant",
    [ADMIN_ROLE_REVOKE] = "role.revoke",
    [ADMIN_USER_DELETE] = "user.delete",
    [ADMIN_SESSION_CLOSE] = "session.close",
    [ADMIN_TICKET_REVOKE] = "ticket.revoke",
    [ADMIN_KEY_PREPARE] = "key.prepare",
    [ADMIN_KEY_ACTIVATE] = "key.activate",
    [ADMIN_KEY_REVOKE] = "key.revoke",
    [ADMIN_ERASE] = AUDIT_ERASE_ACTION,
};

bool
admin_change_is_of_key(const struct admin_change *c)
{
    return c->op == ADMIN_KEY_PREPARE || c->op == ADMIN_KEY_ACTIVATE ||
           c->op == ADMIN_KEY_REVOKE;
}

enum mauth_rc
admin_change_ready(struct admin_change *c, struct mauth_err *err)
{
    enum mauth_rc rc = id_new(&c->service.id, err);

    if (rc == MAUTH_OK && admin_change_is_of_key(c))
        rc = admin_key_ready(c, err);
    return rc ? rc : mauth_random(c->salt, sizeof(c->salt), err);
}

enum mauth_rc
admin_service_find(struct kv_txn *txn, const char *whom, struct graph_service *out,
    struct mauth_err *err)
{
    enum mauth_rc rc;
    struct id id;

    if (!id_parse(ID_SERVICE, whom, strlen(whom), &id))
        return graph_service_by_name(txn, whom, out, err);
    rc = graph_service_by_id(txn, &id, out, err);
    return rc == MAUTH_OK && !out->live ? MAUTH_NOT_FOUND : rc;
}

static enum mauth_rc
find_service(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    enum mauth_rc rc = admin_service_find(txn, c->whom, &c->found, err);

    c->principal = (struct graph_principal){ID_SERVICE, c->found.id};
    c->version = c->found.version;
    return rc;
}

static enum mauth_rc
find_user(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    struct graph_user user;
    enum mauth_rc rc;

    if (!graph_principal_parse(text_of(c->whom), &c->principal) ||
        c->principal.kind != ID_USER)
        return MAUTH_NOT_FOUND;
    rc = graph_user_by_id(txn, &c->principal.id, &user, err);
    c->version = user.version;
    return rc == MAUTH_OK && !user.live ? MAUTH_NOT_FOUND : rc;
}

/* One who has, or once had, an account. */
static enum mauth_rc
find_erased(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    if (!graph_principal_parse(text_of(c->whom), &c->principal) ||
        c->principal.kind != ID_USER)
        return MAUTH_NOT_FOUND;
    return graph_purge_taken(txn, ID_USER, &c->principal.id, err);
}

/* A user, or a service by its id or its name. */
static enum mauth_rc
find_principal(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    bool by_user = id_kind_of(c->whom, strlen(c->whom)) == ID_USER;
    enum mauth_rc rc = by_user ? find_user(txn, c, err) : find_service(txn, c, err);

    c->version = 0; /* a role has none */
    return rc;
}

/* Whose session it is, while it is open. */
static enum mauth_rc
find_session(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    struct graph_session s;
    enum mauth_rc rc;

    if (!id_parse(ID_SESSION, c->whom, strlen(c->whom), &c->session))
        return MAUTH_NOT_FOUND;
    rc = graph_session_by_id(txn, &c->session, &s, err);
    c->principal = (struct graph_principal){s.subject_kind, s.subject};
    return rc == MAUTH_OK && !s.open ? MAUTH_NOT_FOUND : rc;
}

static bool
is_session(const char *whom)
{
    return id_kind_of(whom, strlen(whom)) == ID_SESSION;
}

/* Whether it is there is found when it is ended; of a session, whose it is. */
static enum mauth_rc
find_revoked(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    if (admin_revoke_parse(text_of(c->whom), &c->revoke))
        return is_session(c->whom) ? find_session(txn, c, err) : MAUTH_OK;
    return mauth_fail(err, MAUTH_INVALID,
        "What can be revoked is a ticket's ID, ses_..., usr_..., dev_..., and "
        "dev_... with usr_..., fld_... with usr_..., dev_... with fld_....");
}

static enum mauth_rc
find(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    switch (c->op) {
    case ADMIN_SERVICE_CREATE: return MAUTH_OK;
    case ADMIN_SERVICE_UPDATE:
    case ADMIN_SERVICE_DELETE: return find_service(txn, c, err);
    case ADMIN_ROLE_GRANT:
    case ADMIN_ROLE_REVOKE: return find_principal(txn, c, err);
    case ADMIN_USER_DELETE: return find_user(txn, c, err);
    case ADMIN_SESSION_CLOSE: return find_session(txn, c, err);
    case ADMIN_TICKET_REVOKE:
        return graph_ticket_is_id(text_of(c->whom)) ? MAUTH_OK : MAUTH_NOT_FOUND;
    case ADMIN_REVOKE: return find_revoked(txn, c, err);
    case ADMIN_KEY_PREPARE:
    case ADMIN_KEY_ACTIVATE:
    case ADMIN_KEY_REVOKE: return admin_key_find(txn, c, err);
    case ADMIN_ERASE: return find_erased(txn, c, err);
    }
    return MAUTH_INTERNAL;
}

static bool
finds_principal(const struct admin_change *c)
{
    if (c->op == ADMIN_REVOKE)
        return is_session(c->whom);
    return c->op != ADMIN_SERVICE_CREATE && c->op != ADMIN_TICKET_REVOKE &&
           !admin_change_is_of_key(c);
}

enum mauth_rc
admin_change_find(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    enum mauth_rc rc;

    c->unchanged = false;
    c->version = 0;
    rc = find(txn, c, err);
    c->is_found = rc == MAUTH_OK && finds_principal(c);
    return rc;
}

/* What the service has become, for whoever shows it. */
static enum mauth_rc
look_again(struct kv_txn *txn, struct admin_change *c, const struct id *id,
    struct mauth_err *err)
{
    enum mauth_rc rc = graph_service_by_id(txn, id, &c->found, err);

    c->principal = (struct graph_principal){ID_SERVICE, *id};
    c->version = c->found.version;
    c->is_found = rc == MAUTH_OK;
    return rc;
}

static enum mauth_rc
create_service(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    enum mauth_rc rc;

    c->service.created_s = c->now_s;
    rc = graph_service_create(txn, &c->service, err);
    return rc ? rc : look_again(txn, c, &c->service.id, err);
}

static bool
is_same(const struct graph_service *a, const struct graph_service *b)
{
    if (strcmp(a->url, b->url) != 0 || a->spki_len != b->spki_len ||
        memcmp(a->spki, b->spki, a->spki_len) != 0 || a->actions != b->actions)
        return false;
    for (size_t i = 0; i < a->actions; i++)
        if (strcmp(a->action[i], b->action[i]) != 0)
            return false;
    return true;
}

static enum mauth_rc
update_service(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    struct graph_service want = c->found;
    enum mauth_rc rc;

    if (c->gives & ADMIN_GIVES_KEY) {
        memcpy(want.spki, c->service.spki, sizeof(want.spki));
        want.spki_len = c->service.spki_len;
    }
    if (c->gives & ADMIN_GIVES_PREFIX)
        memcpy(want.url, c->service.url, sizeof(want.url));
    if (c->gives & ADMIN_GIVES_ACTIONS) {
        memcpy(want.action, c->service.action, sizeof(want.action));
        want.actions = c->service.actions;
    }
    c->unchanged = is_same(&want, &c->found);
    if (c->unchanged)
        return MAUTH_OK;
    want.updated_s = c->now_s;
    rc = graph_service_update(txn, &want, err);
    return rc ? rc : look_again(txn, c, &want.id, err);
}

static enum mauth_rc
grant_role(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    enum mauth_rc rc = graph_role_grant(txn, &c->principal, c->role, c->now_s, err);

    c->unchanged = rc == MAUTH_CONFLICT;
    return c->unchanged ? MAUTH_OK : rc;
}

static enum mauth_rc
delete_user(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    const struct id *id = &c->principal.id;
    enum mauth_rc rc = graph_role_drop_all(txn, &c->principal, err);

    return rc ? rc : graph_user_delete(txn, id, c->now_s, err);
}

/* No list of tickets is kept: any may be revoked, each once. */
static enum mauth_rc
revoke_ticket(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    enum mauth_rc rc = graph_ticket_revoke(txn, c->whom, err);

    c->unchanged = rc == MAUTH_CONFLICT;
    return c->unchanged ? MAUTH_OK : rc;
}

static enum mauth_rc
revoke(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    bool changed;
    enum mauth_rc rc = admin_revoke_apply(txn, &c->revoke, c->now_s, &changed, err);

    c->unchanged = rc == MAUTH_OK && !changed;
    return rc;
}

/* What he does next would be on record again. */
static enum mauth_rc
erase(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    struct graph_user user;
    enum mauth_rc rc = graph_user_by_id(txn, &c->principal.id, &user, err);

    if (rc == MAUTH_OK && user.live)
        return mauth_fail(err, MAUTH_CONFLICT,
            "The user still has an account: `meshauth user remove` closes it first.");
    if (rc == MAUTH_OK || rc == MAUTH_NOT_FOUND)
        rc = audit_erase_begin(txn, &c->principal.id, NULL);
    c->unchanged = rc == MAUTH_CONFLICT;
    return c->unchanged ? MAUTH_OK : rc;
}

enum mauth_rc
admin_change_apply(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    switch (c->op) {
    case ADMIN_SERVICE_CREATE: return create_service(txn, c, err);
    case ADMIN_SERVICE_UPDATE: return update_service(txn, c, err);
    case ADMIN_SERVICE_DELETE:
        return graph_service_delete(txn, &c->found.id, c->now_s, err);
    case ADMIN_ROLE_GRANT: return grant_role(txn, c, err);
    case ADMIN_ROLE_REVOKE:
        return graph_role_revoke(txn, &c->principal, c->role, c->now_s, err);
    case ADMIN_USER_DELETE: return delete_user(txn, c, err);
    case ADMIN_SESSION_CLOSE: return graph_session_close(txn, &c->session, err);
    case ADMIN_TICKET_REVOKE: return revoke_ticket(txn, c, err);
    case ADMIN_REVOKE: return revoke(txn, c, err);
    case ADMIN_KEY_PREPARE:
    case ADMIN_KEY_ACTIVATE:
    case ADMIN_KEY_REVOKE: return admin_key_apply(txn, c, err);
    case ADMIN_ERASE: return erase(txn, c, err);
    }
    return MAUTH_INTERNAL;
}

const char *
admin_change_reason(const struct admin_change *c, enum mauth_rc rc)
{
    bool is_role = c->op == ADMIN_ROLE_GRANT || c->op == ADMIN_ROLE_REVOKE;
    bool is_revoke = c->op == ADMIN_REVOKE;

    switch (rc) {
    case MAUTH_NOT_FOUND: return "not-found";
    case MAUTH_INVALID:
        return is_revoke                   ? "revocation"
               : is_role                   ? "role"
               : admin_change_is_of_key(c) ? "key"
                                           : "service";
    case MAUTH_CONFLICT:
        if (admin_change_is_of_key(c))
            return c->key.is_lacking && !c->key.force ? "key-not-loaded" : "key-state";
        if (c->op == ADMIN_ERASE)
            return "user-lives";
        return is_revoke ? "owner" : "service-taken";
    default: return NULL;
    }
}

/* Of a revocation: what it names, and whose session that was. */
static void
put_revoked(const struct admin_change *c, char id[ID_LEN + 1], struct audit_record *r)
{
    const struct admin_revoke *what = &c->revoke;

    r->action = what->kind ? admin_revoke_action(what) : "revoke";
    for (size_t i = 0; i < what->count; i++)
        r->resources[r->resource_count++] = what->text[i];
    if (!what->count)
        r->resources[r->resource_count++] = c->whom;
    else if (graph_ticket_is_id(text_of(what->text[0])))
        r->ticket = what->text[0];
    if (c->is_found) {
        id_format(c->principal.kind, &c->principal.id, id);
        r->resources[r->resource_count++] = id;
    }
}

/* Of all else: the place, whom it is about, and in what role. id is room for a name. */
static void
put_resources(const struct admin_change *c, char id[ID_LEN + 1], struct audit_record *r)
{
    r->action = actions[c->op];
    if (c->op == ADMIN_TICKET_REVOKE)
        r->ticket = c->whom;
    if (admin_change_is_of_key(c))
        admin_key_on_record(c, r);
    if (c->op == ADMIN_SESSION_CLOSE)
        r->resources[r->resource_count++] = c->whom;
    if (c->is_found) {
        id_format(c->principal.kind, &c->principal.id, id);
        r->resources[r->resource_count++] = id;
    } else if (c->whom && c->op != ADMIN_SESSION_CLOSE && !admin_change_is_of_key(c)) {
        r->resources[r->resource_count++] = c->whom;
    }
    if (c->op == ADMIN_SERVICE_CREATE)
        r->resources[r->resource_count++] = c->service.name;
    if (c->role)
        r->resources[r->resource_count++] = c->role;
}

enum mauth_rc
admin_change_record(struct kv_txn *txn, const struct admin_change *c,
    const struct audit_record *who, const char *reason, struct mauth_err *err)
{
    struct audit_record r = *who;
    char id[ID_LEN + 1];
    enum mauth_rc rc;

    r.time_us = time_now_us();
    r.outcome = reason ? "deny" : "done";
    r.reason = reason;
    r.note = c->note;
    if (c->op == ADMIN_REVOKE)
        put_revoked(c, id, &r);
    else
        put_resources(c, id, &r);
    rc = audit_append_record(txn, &r, c->salt, err);
    fault_point("admin.recorded");
    return rc;
}
