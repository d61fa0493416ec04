#include "store/graph_role.h"

#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "store/graph_record.h"
#include "store/graph_service.h"
#include "store/graph_user.h"
#include "store/revocations.h"

bool
graph_principal_parse(struct text text, struct graph_principal *out)
{
    out->kind = id_kind_of(text.p, text.len);
    return (out->kind == ID_USER || out->kind == ID_SERVICE) &&
           id_parse(out->kind, text.p, text.len, &out->id);
}

/* The roles of all principals, of one, or one role. */
static void
role_key(struct store_key *k, const struct graph_principal *p, const char *role)
{
    store_key(k, SPACE_ROLE, NULL, 0);
    if (!p)
        return;
    buf_u8(&k->b, (uint8_t)p->kind);
    record_id(&k->b, &p->id);
    if (role)
        buf_str(&k->b, role);
}

/* Behind the kind: principal and role, as record_load() wants them. */
static enum mauth_rc
load(struct kv_txn *txn, const struct graph_principal *p, const char *role,
    struct reader *r, struct mauth_err *err)
{
    struct store_key k;
    struct text name;

    role_key(&k, p, role);
    name = store_key_text(&k);
    return record_load(txn, SPACE_ROLE, name.p + 1, name.len - 1, r, err);
}

static enum mauth_rc
check_principal(
    struct kv_txn *txn, const struct graph_principal *p, struct mauth_err *err)
{
    struct graph_service service;
    struct graph_user user;
    enum mauth_rc rc;
    bool live;

    if (p->kind == ID_USER) {
        rc = graph_user_by_id(txn, &p->id, &user, err);
        live = user.live;
    } else if (p->kind == ID_SERVICE) {
        rc = graph_service_by_id(txn, &p->id, &service, err);
        live = service.live;
    } else {
        return mauth_fail(err, MAUTH_INVALID, "roles are of users and services");
    }
    return rc == MAUTH_OK && !live ? MAUTH_NOT_FOUND : rc;
}

enum mauth_rc
graph_role_has(struct kv_txn *txn, const struct graph_principal *p, const char *role,
    struct mauth_err *err)
{
    struct reader r;

    return str_is_name(text_of(role)) ? load(txn, p, role, &r, err) : MAUTH_NOT_FOUND;
}

/* *state: the number of the state that it makes. */
static enum mauth_rc
put_change(struct kv_txn *txn, enum graph_change_op op, const struct graph_principal *p,
    int64_t now_s, uint64_t *state, struct mauth_err *err)
{
    struct graph_change c = {.time_s = now_s,
        .op = op,
        .type = p->kind == ID_SERVICE ? GRAPH_CHANGED_SERVICE_ROLE
                                      : GRAPH_CHANGED_USER_ROLE,
        .id = {p->id}};
    enum mauth_rc rc = graph_change_put(txn, &c, err);

    *state = c.sequence;
    return rc;
}

enum mauth_rc
graph_role_grant(struct kv_txn *txn, const struct graph_principal *p, const char *role,
    int64_t now_s, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct store_key k;
    struct text name;
    uint64_t state;
    enum mauth_rc rc;
    struct buf b;

    if (!str_is_name(text_of(role)))
        return mauth_fail(err, MAUTH_INVALID,
            "a role's name is [a-z][a-z0-9_.-]*, 64 characters at most");
    rc = check_principal(txn, p, err);
    if (rc)
        return rc;
    rc = graph_role_has(txn, p, role, err);
    if (rc == MAUTH_OK)
        return MAUTH_CONFLICT;
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    role_key(&k, p, role);
    name = store_key_text(&k);
    record_open(&b, raw);
    buf_u64(&b, (uint64_t)now_s);
    rc = record_save(txn, SPACE_ROLE, name.p + 1, name.len - 1, &b, err);
    return rc ? rc : put_change(txn, GRAPH_CREATED, p, now_s, &state, err);
}

enum mauth_rc
graph_role_revoke(struct kv_txn *txn, const struct graph_principal *p, const char *role,
    int64_t now_s, struct mauth_err *err)
{
    struct revoked gone = {.count = 1};
    struct store_key k;
    enum mauth_rc rc;

    rc = graph_role_has(txn, p, role, err);
    if (rc)
        return rc;
    role_key(&k, p, role);
    rc = kv_delete(txn, store_key_text(&k), err);
    if (rc == MAUTH_OK)
        rc = put_change(txn, GRAPH_DELETED, p, now_s, &gone.state, err);
    if (rc)
        return rc;
    id_format(p->kind, &p->id, gone.id[0]);
    return revocations_add(txn, &gone, err);
}

struct paging {
    struct graph_role_page *page;
    size_t limit;
    bool damaged;
};

static bool
take(struct text key, struct text value, void *arg)
{
    struct paging *p = arg;
    struct graph_grant *g;
    struct reader name, r;
    struct text role;
    unsigned kind;

    if (p->page->count == p->limit) {
        p->page->more = true;
        return false;
    }
    g = &p->page->item[p->page->count++];
    reader_init(&name, key.p, key.len);
    (void)reader_u8(&name);
    kind = reader_u8(&name);
    g->principal.kind = kind == ID_SERVICE ? ID_SERVICE : ID_USER;
    reader_copy(&name, g->principal.id.b, ID_BYTES);
    role = (struct text){(const char *)name.p, name.left};
    reader_init(&r, value.p, value.len);
    (void)reader_u8(&r);
    g->granted_s = (int64_t)reader_u64(&r);
    p->damaged = !reader_done(&r) || !reader_ok(&name) || !str_is_name(role) ||
                 kind != (unsigned)g->principal.kind;
    if (!p->damaged)
        memcpy(g->role, role.p, role.len);
    return !p->damaged;
}

enum mauth_rc
graph_role_page(struct kv_txn *txn, const struct graph_principal *of,
    const struct graph_grant *after, size_t limit, struct graph_role_page *out,
    struct mauth_err *err)
{
    struct paging p = {.page = out};
    struct store_key first, end;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    p.limit = limit && limit < GRAPH_ROLES_PAGE ? limit : GRAPH_ROLES_PAGE;
    role_key(&first, after ? &after->principal : of, after ? after->role : NULL);
    if (after)
        buf_u8(&first.b, 0); /* the first key behind it */
    role_key(&end, of, NULL);
    if (of)
        buf_u8(&end.b, 'z' + 1); /* behind every name */
    else
        store_key(&end, SPACE_ROLE + 1, NULL, 0);
    rc = kv_scan(
        txn, store_key_text(&first), store_key_text(&end), KV_UP, take, &p, err);
    if (rc == MAUTH_OK && p.damaged)
        rc = record_damaged("role", err);
    return rc;
}

enum mauth_rc
graph_role_drop_all(
    struct kv_txn *txn, const struct graph_principal *p, struct mauth_err *err)
{
    struct graph_role_page page;
    struct store_key k;
    enum mauth_rc rc;

    do {
        rc = graph_role_page(txn, p, NULL, 0, &page, err);
        for (size_t i = 0; i < page.count && rc == MAUTH_OK; i++) {
            role_key(&k, p, page.item[i].role);
            rc = kv_delete(txn, store_key_text(&k), err);
        }
    } while (rc == MAUTH_OK && page.more);
    return rc;
}
