#include "authsvc/admin_api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/admin_body.h"
#include "authsvc/precondition.h"
#include "authsvc/principal.h"
#include "authsvc/problem.h"
#include "authsvc/verifiers.h"
#include "base/fail.h"
#include "base/fault.h"
#include "base/str.h"
#include "net/form.h"
#include "store/admin_view.h"
#include "store/graph_ticket.h"

enum {
    PAGE = 64,
    WHOM_MAX = 64, /* of an id or a name */
    AFTER_MAX = 128
};

enum way {
    LISTS,
    SHOWS,
    CHANGES
};

struct admin_route {
    enum admin_kind kind;
    enum way way;
    enum admin_op op;                  /* of a change */
    bool matches;                      /* it needs If-Match */
    bool sessions;                     /* of whom, instead of himself */
    const struct json_member *members; /* of its body */
    const char *(*take)(
        const json_t *root, struct admin_change *c, char detail[ADMIN_BODY_DETAIL]);
};

struct request {
    struct principal_change write; /* first */
    struct http_exchange *x;
    const struct service *service;
    const struct admin_route *route;
    struct principal principal;
    struct json_body body;
    struct admin_change change;
    struct buf pkcs8;          /* of a new key */
    struct readiness *reports; /* of what verifiers have loaded; for keys */
    size_t report_count;
    char whom[WHOM_MAX + 1], role[WHOM_MAX + 1];
    char after[AFTER_MAX + 1];
    size_t limit;

    /* Found by the transaction, which starts over when it runs again. */
    const char *problem;
    char detail[ADMIN_BODY_DETAIL];
    uint64_t version;
    struct buf json;
};

const struct admin_route admin_users_list = {.kind = ADMIN_USERS, .way = LISTS};
const struct admin_route admin_users_one = {.kind = ADMIN_USERS, .way = SHOWS};
const struct admin_route admin_users_delete = {
    .kind = ADMIN_USERS, .way = CHANGES, .op = ADMIN_USER_DELETE, .matches = true};
const struct admin_route admin_users_sessions = {
    .kind = ADMIN_USERS, .way = LISTS, .sessions = true};
const struct admin_route admin_sessions_close = {
    .way = CHANGES, .op = ADMIN_SESSION_CLOSE};
const struct admin_route admin_tickets_revoke = {
    .way = CHANGES, .op = ADMIN_TICKET_REVOKE};
const struct admin_route admin_services_list = {.kind = ADMIN_SERVICES, .way = LISTS};
const struct admin_route admin_services_create = {.kind = ADMIN_SERVICES,
    .way = CHANGES,
    .op = ADMIN_SERVICE_CREATE,
    .members = admin_body_service_new,
    .take = admin_body_service};
const struct admin_route admin_services_one = {.kind = ADMIN_SERVICES, .way = SHOWS};
const struct admin_route admin_services_update = {.kind = ADMIN_SERVICES,
    .way = CHANGES,
    .op = ADMIN_SERVICE_UPDATE,
    .matches = true,
    .members = admin_body_service_patch,
    .take = admin_body_service};
const struct admin_route admin_services_delete = {.kind = ADMIN_SERVICES,
    .way = CHANGES,
    .op = ADMIN_SERVICE_DELETE,
    .matches = true};
const struct admin_route admin_keys_list = {.kind = ADMIN_KEYS, .way = LISTS};
const struct admin_route admin_keys_one = {.kind = ADMIN_KEYS, .way = SHOWS};
const struct admin_route admin_keys_prepare = {.kind = ADMIN_KEYS,
    .way = CHANGES,
    .op = ADMIN_KEY_PREPARE,
    .members = admin_body_key_new,
    .take = admin_body_key};
const struct admin_route admin_keys_activate = {.kind = ADMIN_KEYS,
    .way = CHANGES,
    .op = ADMIN_KEY_ACTIVATE,
    .members = admin_body_key_activate,
    .take = admin_body_key};
const struct admin_route admin_keys_revoke = {
    .kind = ADMIN_KEYS, .way = CHANGES, .op = ADMIN_KEY_REVOKE};
const struct admin_route admin_metadata_key = {
    .kind = ADMIN_METADATA_KEY, .way = SHOWS};
const struct admin_route admin_revocations_list = {
    .kind = ADMIN_REVOCATIONS, .way = LISTS};
const struct admin_route admin_revocations_add = {.way = CHANGES,
    .op = ADMIN_REVOKE,
    .members = admin_body_revocation,
    .take = admin_body_revoke};
const struct admin_route admin_erasures_list = {.kind = ADMIN_ERASURES, .way = LISTS};
const struct admin_route admin_erasures_begin = {
    .kind = ADMIN_ERASURES, .way = CHANGES, .op = ADMIN_ERASE};
const struct admin_route admin_roles_list = {.kind = ADMIN_ROLES, .way = LISTS};
const struct admin_route admin_roles_grant = {
    .kind = ADMIN_ROLES, .way = CHANGES, .op = ADMIN_ROLE_GRANT};
const struct admin_route admin_roles_revoke = {
    .kind = ADMIN_ROLES, .way = CHANGES, .op = ADMIN_ROLE_REVOKE};

static void
request_free(void *state)
{
    struct request *r = state;

    principal_clear(&r->principal);
    json_body_clear(&r->body);
    buf_clear(&r->json);
    buf_clear(&r->pkcs8);
    free(r->reports);
    free(r);
}

/* Gather. */

/* Ids are names as well, but for tickets' and keys'; all else is nobody's. */
static const char *
gather_path(struct request *r)
{
    struct text whom = http_path_id(r->x, 0), role = http_path_id(r->x, 1);

    if (whom.len) {
        if (!str_is_name(whom) && !graph_ticket_is_id(whom) && !admin_key_is_id(whom))
            return "not-found";
        memcpy(r->whom, whom.p, whom.len);
        r->change.whom = r->whom;
    }
    if (role.len) {
        if (!str_is_name(role))
            return "role";
        memcpy(r->role, role.p, role.len);
        r->change.role = r->role;
    }
    return NULL;
}

/* ?after= and ?limit= of a list, but of keys; nothing else has a query. */
static const char *
gather_query(struct request *r)
{
    static const char *const nothing[] = {NULL};
    static const char *const known[] = {"after", "limit", NULL};
    const char *query = http_query(r->x), *after, *limit;
    uint64_t n = PAGE;
    struct form *f = NULL;
    bool good;

    r->limit = PAGE;
    if (!*query)
        return NULL;
    if (r->route->way != LISTS || r->route->kind == ADMIN_KEYS ||
        form_parse(text_of(query), &f, NULL) != MAUTH_OK)
        return "query";
    after = form_value(f, "after", 0);
    limit = form_value(f, "limit", 0);
    good = !form_repeated(f, nothing) && !form_unknown(f, known) &&
           (!after || strlen(after) <= AFTER_MAX) &&
           (!limit || (str_number(text_of(limit), &n) && n >= 1 && n <= PAGE));
    if (good)
        snprintf(r->after, sizeof(r->after), "%s", after ? after : "");
    r->limit = n;
    form_free(f);
    return good ? NULL : "query";
}

static const char *
gather_body(struct request *r)
{
    const char *problem;

    if (!r->route->members)
        return NULL;
    problem = json_body_parse(http_body(r->x), r->route->members, &r->body);
    snprintf(r->detail, sizeof(r->detail), "%s", r->body.detail);
    return problem ? problem : r->route->take(r->body.root, &r->change, r->detail);
}

static enum mauth_rc
ask(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct request *r = arg;

    return principal_ask(txn, r->x, &r->principal, "administer", &r->problem, err);
}

/* A key takes time to make, and to try: not for whoever will be refused. */
static const char *
ready_key(struct request *r)
{
    struct admin_key *k = &r->change.key;

    if (verifiers_take(r->service->verifiers, &r->reports, &r->report_count, NULL) !=
        MAUTH_OK)
        return "unavailable";
    k->reports = (struct key_reports){r->reports, r->report_count};
    k->seal = r->service->seal;
    k->longest_s = config_longest_ticket_s(r->service->config);
    k->module = r->service->config->pkcs11_module;
    k->modules = r->service->config->pkcs11_modules;
    if (r->route->way != CHANGES || kv_read(r->service->kv, ask, r, NULL) != MAUTH_OK ||
        r->problem) {
        r->problem = NULL; /* it is found again, and told */
        return NULL;
    }
    k->pkcs8 = &r->pkcs8;
    return admin_key_try(r->service->kv, &r->change, NULL) ? "unavailable" : NULL;
}

/* A key in a token may be described well, and not be there. */
static const char *
make_ready(struct request *r)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = admin_change_ready(&r->change, &err);

    if (rc == MAUTH_OK)
        return NULL;
    if (rc != MAUTH_INVALID)
        return "internal";
    snprintf(r->detail, sizeof(r->detail), "%s", err.text);
    return "key";
}

static const char *
gather(struct request *r)
{
    const char *problem = gather_path(r);

    if (r->route->way == CHANGES && !principal_in_pace(r->x, &r->principal))
        problem = "too-fast";
    if (!problem)
        problem = gather_query(r);
    if (!problem && r->route->matches && !http_header(r->x, "If-Match"))
        problem = "precondition-required";
    if (!problem)
        problem = gather_body(r);
    if (!problem && r->route->kind == ADMIN_KEYS)
        problem = ready_key(r);
    return problem || r->route->way != CHANGES ? problem : make_ready(r);
}

/* Decide and act. */

/* rc, unless it is one of those that are refused: then the problem tells. */
static enum mauth_rc
refuse_if(struct request *r, enum mauth_rc rc, struct mauth_err *err)
{
    const char *reason = rc ? admin_change_reason(&r->change, rc) : NULL;

    if (!reason)
        return rc;
    r->problem = reason;
    if (err)
        snprintf(r->detail, sizeof(r->detail), "%s", err->text);
    mauth_err_reset(err);
    return MAUTH_OK;
}

static enum mauth_rc
change(struct request *r, struct kv_txn *txn, struct mauth_err *err)
{
    struct admin_change *c = &r->change;
    const char *match = http_header(r->x, "If-Match");
    struct audit_record who;
    enum mauth_rc rc = MAUTH_OK;

    if (!r->problem)
        rc = refuse_if(r, admin_change_find(txn, c, err), err);
    if (rc == MAUTH_OK && !r->problem && r->route->matches &&
        !precondition_matches(match, c->version))
        r->problem = "version";
    if (rc == MAUTH_OK && !r->problem)
        rc = refuse_if(r, admin_change_apply(txn, c, err), err);
    if (rc != MAUTH_OK || (c->unchanged && !r->problem))
        return rc;
    principal_record(&r->principal, r->x, &who);
    return admin_change_record(txn, c, &who, r->problem, err);
}

static enum mauth_rc
look_at_keys(struct request *r, struct kv_txn *txn, struct mauth_err *err)
{
    const struct admin_keys_look keys = {r->service->seal,
        r->service->config->issuer.url, {r->reports, r->report_count},
        r->principal.caller.now_s};

    if (r->route->kind == ADMIN_METADATA_KEY)
        return admin_view_metadata_key(txn, r->service->seal, &r->json, err);
    if (r->route->way == LISTS)
        return admin_view_keys(txn, &keys, &r->json, err);
    return admin_view_key_of(txn, &keys, r->whom, &r->json, err);
}

static enum mauth_rc
look(struct request *r, struct kv_txn *txn, struct mauth_err *err)
{
    const char *issuer = r->service->config->issuer.url;
    const char *after = r->after[0] ? r->after : NULL;
    enum mauth_rc rc;

    if (r->route->kind == ADMIN_KEYS || r->route->kind == ADMIN_METADATA_KEY)
        rc = look_at_keys(r, txn, err);
    else if (r->route->sessions)
        rc = admin_view_sessions(txn, issuer, r->whom, after, r->limit, &r->json, err);
    else if (r->route->way == SHOWS)
        rc = admin_view_one(
            txn, r->route->kind, issuer, r->whom, &r->json, &r->version, err);
    else
        rc = admin_view_list(
            txn, r->route->kind, issuer, after, r->limit, &r->json, err);
    if (rc != MAUTH_INVALID && rc != MAUTH_NOT_FOUND)
        return rc;
    r->problem = rc == MAUTH_INVALID ? "query" : "not-found";
    mauth_err_reset(err);
    return MAUTH_OK;
}

static enum mauth_rc
run(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct request *r = arg;
    enum mauth_rc rc;

    r->detail[0] = '\0';
    r->version = 0;
    r->change.is_found = r->change.unchanged = false;
    buf_rewind(&r->json);
    rc = principal_ask(txn, r->x, &r->principal, "administer", &r->problem, err);
    if (rc != MAUTH_OK || r->problem == principal_again)
        return rc;
    if (r->problem && (r->route->way != CHANGES || strcmp(r->problem, "session") == 0))
        return MAUTH_OK;
    if (r->route->way == CHANGES)
        return change(r, txn, err);
    return look(r, txn, err);
}

/* Answer. */

static void
answer_change(struct request *r)
{
    const struct admin_change *c = &r->change;
    bool is_key = c->op == ADMIN_KEY_PREPARE;
    bool is_new = is_key || c->op == ADMIN_SERVICE_CREATE;
    char etag[40], location[640], id[ID_LEN + 1];
    const char *headers[3] = {NULL};
    size_t n = 0;

    admin_view_change(&r->json, r->service->config->issuer.url, c);
    if (!r->json.len) {
        http_answer(r->x, 204, NULL, text_of(NULL), NULL);
        return;
    }
    if (c->version) {
        snprintf(etag, sizeof(etag), "ETag: \"%" PRIu64 "\"", c->version);
        headers[n++] = etag;
    }
    if (is_new) {
        id_format(ID_SERVICE, &c->found.id, id);
        snprintf(location, sizeof(location), "Location: %s/v1/admin/%s/%s",
            r->service->config->issuer.url, admin_kind_name(r->route->kind),
            is_key ? c->key.view.id : id);
        headers[n++] = location;
    }
    http_answer(
        r->x, is_new ? 201 : 200, "application/json", buf_slice(&r->json), headers);
}

static void
answer_look(struct request *r)
{
    const char *none_match = http_header(r->x, "If-None-Match");
    char etag[40];
    const char *headers[2] = {NULL};

    if (r->version) {
        snprintf(etag, sizeof(etag), "ETag: \"%" PRIu64 "\"", r->version);
        headers[0] = etag;
    }
    if (r->version && none_match && precondition_none_match(none_match, r->version))
        http_answer(r->x, 304, NULL, text_of(NULL), headers);
    else
        http_answer(r->x, 200, "application/json", buf_slice(&r->json), headers);
}

static void
end(struct request *r, enum mauth_rc rc, const struct mauth_err *err)
{
    bool changes = r->route->way == CHANGES;

    if (rc != MAUTH_OK)
        problem_fail(r->x, err);
    else if (r->problem)
        principal_refuse(
            r->x, &r->principal, r->problem, r->detail[0] ? r->detail : NULL, changes);
    else if (!buf_ok(&r->json))
        problem_answer(r->x, "unavailable", NULL, NULL);
    else if (changes)
        answer_change(r);
    else
        answer_look(r);
}

static void
changed(struct http_exchange *x)
{
    struct request *r = http_state(x);

    fault_point("admin.committed");
    end(r, r->write.commit.job.rc, &r->write.commit.job.err);
}

static void
begin(struct request *r)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    if (r->route->way == CHANGES) {
        principal_write(r->x, &r->principal, run, r, &r->problem, changed);
        return;
    }
    rc = principal_read(r->x, &r->principal, run, r, &r->problem, &err);
    end(r, rc, &err);
}

void
admin_api_start(struct http_exchange *x)
{
    struct request *r = calloc(1, sizeof(*r));
    const char *problem;

    if (!r) {
        problem_answer(x, "unavailable", NULL, NULL);
        return;
    }
    http_set_state(x, r, request_free);
    r->x = x;
    r->service = http_context(x);
    r->route = http_what(x);
    r->write.commit.job.needed = true;
    r->change.op = r->route->op;
    buf_init(&r->json);
    buf_init_secret(&r->pkcs8);
    if (!principal_admit(x, &r->principal))
        return;
    r->change.now_s = r->principal.caller.now_s;
    problem = gather(r);
    if (problem)
        principal_refuse(
            x, &r->principal, problem, r->detail[0] ? r->detail : NULL, false);
    else
        begin(r);
}
