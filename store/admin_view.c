#include "store/admin_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "store/audit_erase.h"
#include "store/graph_user.h"
#include "store/revocations.h"

static const char *const names[ADMIN_KINDS] = {
    "users", "services", "roles", "revocations", "erasures", "keys", "metadata-key"};

enum {
    PEM_LINE = 64,
    AFTER_MAX = REVOKED_IDS * (REVOKED_ID_MAX + 1) /* the longest one */
};

const char *
admin_kind_name(enum admin_kind kind)
{
    return names[kind];
}

static void
put_text(struct buf *b, const char *name, const char *value)
{
    buf_printf(b, ",\"%s\":", name);
    buf_json(b, text_of(value));
}

static void
put_time(struct buf *b, const char *name, int64_t value_s)
{
    char text[TIME_LEN + 1];

    time_format(value_s, text);
    put_text(b, name, text);
}

static void
put_url(struct buf *b, enum admin_kind kind, const char *issuer, const char *below)
{
    char url[1024];

    snprintf(url, sizeof(url), "%s/v1/admin/%s/%s", issuer, names[kind], below);
    put_text(b, "url", url);
}

void
admin_view_pem_block(struct buf *out, const char *label, struct text der)
{
    uint8_t line[3 * PEM_LINE / 4];

    buf_printf(out, "-----BEGIN %s-----\n", label);
    for (size_t i = 0; i < der.len; i += sizeof(line)) {
        size_t n = der.len - i < sizeof(line) ? der.len - i : sizeof(line);
        char text[PEM_LINE];

        memcpy(line, der.p + i, n);
        buf_put(out, text, b64_encode(B64_STD, line, n, text));
        buf_u8(out, '\n');
    }
    buf_printf(out, "-----END %s-----\n", label);
}

void
admin_view_pem(const uint8_t *spki, size_t len, char out[ADMIN_PEM_MAX])
{
    struct buf b;

    buf_init_fixed(&b, out, ADMIN_PEM_MAX);
    admin_view_pem_block(&b, "PUBLIC KEY", (struct text){(const char *)spki, len});
    if (!buf_cstr(&b))
        out[0] = '\0';
}

static void
put_service(struct buf *b, const char *issuer, const struct graph_service *s)
{
    char id[ID_LEN + 1], audience[sizeof("urn:meshauth:service:") + GRAPH_NAME_MAX];
    char pem[ADMIN_PEM_MAX];

    id_format(ID_SERVICE, &s->id, id);
    snprintf(audience, sizeof(audience), "urn:meshauth:service:%s", s->name);
    buf_printf(b, "{\"id\":\"%s\"", id);
    put_url(b, ADMIN_SERVICES, issuer, id);
    buf_printf(b, ",\"type\":\"service\",\"version\":%" PRIu64, s->version);
    put_time(b, "created", s->created_s);
    put_time(b, "updated", s->updated_s);
    put_text(b, "name", s->name);
    put_text(b, "audience", audience);
    if (s->url[0])
        put_text(b, "prefix", s->url);
    if (s->spki_len) {
        admin_view_pem(s->spki, s->spki_len, pem);
        put_text(b, "key", pem);
    }
    buf_str(b, ",\"actions\":[");
    for (size_t i = 0; i < s->actions; i++) {
        buf_str(b, i ? "," : "");
        buf_json(b, text_of(s->action[i]));
    }
    buf_str(b, "]}");
}

static void
put_user(struct buf *b, const char *issuer, const struct graph_user *u)
{
    char id[ID_LEN + 1];

    id_format(ID_USER, &u->id, id);
    buf_printf(b, "{\"id\":\"%s\"", id);
    put_url(b, ADMIN_USERS, issuer, id);
    buf_printf(b, ",\"type\":\"user\",\"version\":%" PRIu64, u->version);
    put_time(b, "created", u->created_s);
    put_time(b, "updated", u->updated_s);
    if (u->email.address[0])
        put_text(b, "email", u->email.address);
    buf_str(b, "}");
}

static void
put_role(struct buf *b, const char *issuer, const struct graph_principal *p,
    const char *role, int64_t granted_s)
{
    char id[ID_LEN + 1], below[AFTER_MAX + 1];

    id_format(p->kind, &p->id, id);
    snprintf(below, sizeof(below), "%s/%s", id, role);
    buf_str(b, "{\"type\":\"role\"");
    put_url(b, ADMIN_ROLES, issuer, below);
    put_text(b, "principal", id);
    put_text(b, "role", role);
    if (granted_s)
        put_time(b, "created", granted_s);
    buf_str(b, "}");
}

static enum mauth_rc
find_user(
    struct kv_txn *txn, const char *whom, struct graph_user *out, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct id id;

    if (!id_parse(ID_USER, whom, strlen(whom), &id))
        return MAUTH_NOT_FOUND;
    rc = graph_user_by_id(txn, &id, out, err);
    return rc == MAUTH_OK && !out->live ? MAUTH_NOT_FOUND : rc;
}

enum mauth_rc
admin_view_one(struct kv_txn *txn, enum admin_kind kind, const char *issuer,
    const char *whom, struct buf *out, uint64_t *version, struct mauth_err *err)
{
    struct graph_service service;
    struct graph_user user;
    enum mauth_rc rc;

    *version = 0;
    if (kind == ADMIN_USERS) {
        rc = find_user(txn, whom, &user, err);
        if (rc != MAUTH_OK)
            return rc;
        put_user(out, issuer, &user);
        *version = user.version;
        return MAUTH_OK;
    }
    if (kind != ADMIN_SERVICES)
        return MAUTH_NOT_FOUND;
    rc = admin_service_find(txn, whom, &service, err);
    if (rc != MAUTH_OK)
        return rc;
    put_service(out, issuer, &service);
    *version = service.version;
    return MAUTH_OK;
}

/* What was ended, and how. */
static void
put_revoke(struct buf *b, const struct admin_revoke *r)
{
    buf_str(b, "{\"ids\":[");
    for (size_t i = 0; i < r->count; i++) {
        buf_str(b, i ? "," : "");
        buf_json(b, text_of(r->text[i]));
    }
    buf_str(b, "]");
    put_text(b, "action", admin_revoke_action(r));
    buf_str(b, "}");
}

void
admin_view_change(struct buf *out, const char *issuer, const struct admin_change *c)
{
    switch (c->op) {
    case ADMIN_SERVICE_CREATE:
    case ADMIN_SERVICE_UPDATE: put_service(out, issuer, &c->found); break;
    case ADMIN_ROLE_GRANT: put_role(out, issuer, &c->principal, c->role, 0); break;
    case ADMIN_KEY_PREPARE:
    case ADMIN_KEY_ACTIVATE:
    case ADMIN_KEY_REVOKE: admin_view_key(out, issuer, &c->key.view, NULL); break;
    case ADMIN_SERVICE_DELETE:
    case ADMIN_ROLE_REVOKE:
    case ADMIN_USER_DELETE:
    case ADMIN_SESSION_CLOSE:
    case ADMIN_TICKET_REVOKE:
    case ADMIN_ERASE: break; /* it is gone */
    case ADMIN_REVOKE: put_revoke(out, &c->revoke); break;
    }
}

/* Lists: each writes its items and says in after where the next page begins, or "". */

static enum mauth_rc
list_users(struct kv_txn *txn, const char *issuer, char after[AFTER_MAX + 1],
    size_t limit, struct buf *out, struct mauth_err *err)
{
    struct graph_ids page;
    struct graph_user u;
    bool found = false;
    enum mauth_rc rc;
    struct id at;
    size_t count;

    if (after[0] && !id_parse(ID_USER, after, strlen(after), &at))
        return mauth_fail(err, MAUTH_INVALID, "users go on behind usr_...");
    rc = graph_user_page(txn, after[0] ? &at : NULL, &page, err);
    count = limit && limit < page.count ? limit : page.count;
    after[0] = '\0';
    for (size_t i = 0; i < count && rc == MAUTH_OK; i++) {
        rc = graph_user_by_id(txn, &page.ids[i], &u, err);
        if (rc == MAUTH_OK && u.live) {
            buf_str(out, found ? "," : "");
            put_user(out, issuer, &u);
            found = true;
        }
        if (i + 1 == count)
            id_format(ID_USER, &page.ids[i], after);
    }
    if (rc == MAUTH_OK && !page.more && count == page.count)
        after[0] = '\0';
    return rc;
}

static enum mauth_rc
list_services(struct kv_txn *txn, const char *issuer, char after[AFTER_MAX + 1],
    size_t limit, struct buf *out, struct mauth_err *err)
{
    struct graph_service_page *page = malloc(sizeof(*page)); /* it is large */
    enum mauth_rc rc;

    if (!page)
        return mauth_fail(err, MAUTH_NO_MEMORY, "services: no memory");
    if (after[0] && !str_is_name(text_of(after)))
        rc = mauth_fail(err, MAUTH_INVALID, "services go on behind a name");
    else
        rc = graph_service_page(txn, after[0] ? after : NULL, limit, page, err);
    for (size_t i = 0; rc == MAUTH_OK && i < page->count; i++) {
        buf_str(out, i ? "," : "");
        put_service(out, issuer, &page->item[i]);
    }
    if (rc == MAUTH_OK)
        snprintf(after, AFTER_MAX + 1, "%s",
            page->more ? page->item[page->count - 1].name : "");
    free(page);
    return rc;
}

static bool
read_role(const char *after, struct graph_grant *out)
{
    struct text rest = text_of(after), principal;

    if (!text_cut(&rest, '/', &principal) || !str_is_name(rest) ||
        !graph_principal_parse(principal, &out->principal))
        return false;
    snprintf(out->role, sizeof(out->role), "%.*s", (int)rest.len, rest.p);
    return true;
}

static enum mauth_rc
list_roles(struct kv_txn *txn, const char *issuer, char after[AFTER_MAX + 1],
    size_t limit, struct buf *out, struct mauth_err *err)
{
    struct graph_role_page page;
    struct graph_grant at;
    char id[ID_LEN + 1];
    enum mauth_rc rc;

    if (after[0] && !read_role(after, &at))
        return mauth_fail(err, MAUTH_INVALID, "roles go on behind PRINCIPAL/ROLE");
    rc = graph_role_page(txn, NULL, after[0] ? &at : NULL, limit, &page, err);
    for (size_t i = 0; rc == MAUTH_OK && i < page.count; i++) {
        const struct graph_grant *g = &page.item[i];

        buf_str(out, i ? "," : "");
        put_role(out, issuer, &g->principal, g->role, g->granted_s);
        id_format(g->principal.kind, &g->principal.id, id);
        snprintf(after, AFTER_MAX + 1, "%s/%s", id, g->role);
    }
    if (rc == MAUTH_OK && !page.more)
        after[0] = '\0';
    return rc;
}

/* "*", or ids in their order, each behind a '.'. */
static bool
read_revoked(const char *after, struct revoked *out)
{
    struct text rest = text_of(after), id;
    bool more = true;

    memset(out, 0, sizeof(*out));
    if (strcmp(after, "*") == 0)
        return true;
    while (more && out->count < REVOKED_IDS) {
        more = text_cut(&rest, '.', &id);
        if (!more)
            id = rest;
        if (!id.len || id.len > REVOKED_ID_MAX)
            return false;
        memcpy(out->id[out->count++], id.p, id.len);
    }
    return !more;
}

static void
put_revoked(struct buf *b, const struct revoked_entry *e)
{
    buf_printf(b, "{\"type\":\"revocation\",\"state\":%" PRIu64, e->set.state);
    if (e->listed_s)
        put_time(b, "listed", e->listed_s);
    buf_str(b, ",\"ids\":[");
    for (size_t i = 0; i < e->set.count; i++) {
        buf_str(b, i ? "," : "");
        buf_json(b, text_of(e->set.id[i]));
    }
    buf_str(b, e->set.count ? "]}" : "\"*\"]}");
}

static enum mauth_rc
list_revocations(struct kv_txn *txn, const char *issuer, char after[AFTER_MAX + 1],
    size_t limit, struct buf *out, struct mauth_err *err)
{
    struct revoked_entry page[GRAPH_PAGE_MAX];
    const struct revoked *last;
    struct revoked at;
    size_t count;
    bool more;
    enum mauth_rc rc;

    (void)issuer;
    if (after[0] && !read_revoked(after, &at))
        return mauth_fail(
            err, MAUTH_INVALID, "revocations go on behind ids joined by '.', or '*'");
    rc = revocations_page(txn, after[0] ? &at : NULL,
        limit && limit < GRAPH_PAGE_MAX ? limit : GRAPH_PAGE_MAX, page, &count, &more,
        err);
    for (size_t i = 0; rc == MAUTH_OK && i < count; i++) {
        buf_str(out, i ? "," : "");
        put_revoked(out, &page[i]);
    }
    if (rc != MAUTH_OK || !more) {
        after[0] = '\0';
        return rc;
    }
    last = &page[count - 1].set;
    snprintf(after, AFTER_MAX + 1, "%s%s%s%s%s", last->count ? last->id[0] : "*",
        last->count > 1 ? "." : "", last->id[1], last->count > 2 ? "." : "",
        last->id[2]);
    return MAUTH_OK;
}

static enum mauth_rc
list_erasures(struct kv_txn *txn, const char *issuer, char after[AFTER_MAX + 1],
    size_t limit, struct buf *out, struct mauth_err *err)
{
    struct audit_erasure e;
    char id[ID_LEN + 1];
    enum mauth_rc rc;
    struct id at;

    (void)issuer;
    if (after[0] && !id_parse(ID_USER, after, strlen(after), &at))
        return mauth_fail(err, MAUTH_INVALID, "erasures go on behind usr_...");
    rc = audit_erase_next(txn, after[0] ? &at : NULL, &e, err);
    after[0] = '\0';
    for (size_t i = 0; rc == MAUTH_OK; i++) {
        if (i == (limit ? limit : GRAPH_PAGE_MAX)) {
            memcpy(after, id, sizeof(id));
            break;
        }
        id_format(ID_USER, &e.user, id);
        buf_printf(out,
            "%s{\"type\":\"erasure\",\"id\":\"%s\",\"segments\":%" PRIu64
            ",\"at\":%" PRIu64 ",\"of\":%" PRIu64 ",\"erased\":%" PRIu64 "}",
            i ? "," : "", id, e.segments, e.at, e.end, e.erased);
        at = e.user;
        rc = audit_erase_next(txn, &at, &e, err);
    }
    return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
}

enum mauth_rc
admin_view_list(struct kv_txn *txn, enum admin_kind kind, const char *issuer,
    const char *after, size_t limit, struct buf *out, struct mauth_err *err)
{
    static enum mauth_rc (*const lists[ADMIN_KEYS])(struct kv_txn *, const char *,
        char *, size_t, struct buf *, struct mauth_err *) = {
        list_users, list_services, list_roles, list_revocations, list_erasures};
    char next[AFTER_MAX + 1] = "", url[1024];
    enum mauth_rc rc;

    if (kind >= ADMIN_KEYS || (after && strlen(after) > AFTER_MAX))
        return mauth_fail(err, MAUTH_INVALID, "nothing goes on behind this");
    snprintf(next, sizeof(next), "%s", after ? after : "");
    buf_str(out, "{\"items\":[");
    rc = lists[kind](txn, issuer, next, limit, out, err);
    buf_str(out, "]");
    if (rc == MAUTH_OK && next[0]) {
        snprintf(
            url, sizeof(url), "%s/v1/admin/%s?after=%s", issuer, names[kind], next);
        put_text(out, "next", url);
    }
    buf_str(out, "}");
    return rc;
}
