#include "authsvc/authority_api.h"

#include <stdlib.h>
#include <string.h>

#include "authsvc/json_body.h"
#include "authsvc/principal.h"
#include "authsvc/problem.h"
#include "authsvc/service.h"
#include "base/fault.h"
#include "base/str.h"
#include "store/authority_change.h"

struct authority_route {
    bool changes;
    enum authority_op op;
    const struct json_member *members; /* of its body */
};

struct request {
    struct principal_change write; /* first */
    struct http_exchange *x;
    const struct service *service;
    const struct authority_route *route;
    struct principal principal;
    struct json_body body;
    struct authority_change change;
    struct note_verifier new_root;

    /* Found by the transaction, which starts over when it runs again. */
    const char *problem;
    struct buf json;
};

static const struct json_member request_members[] = {
    {"epoch", JSON_BODY_NUMBER, false},
    {"seconds", JSON_BODY_NUMBER, false},
    {NULL, 0, false},
};

static const struct json_member install_members[] = {
    {"delegation", JSON_BODY_TEXT, true},
    {"new_root", JSON_BODY_TEXT, false},
    {NULL, 0, false},
};

const struct authority_route authority_show = {.changes = false};
const struct authority_route authority_request = {
    .changes = true, .op = AUTHORITY_REQUEST, .members = request_members};
const struct authority_route authority_install = {
    .changes = true, .op = AUTHORITY_INSTALL, .members = install_members};

static void
request_free(void *state)
{
    struct request *r = state;

    authority_change_clear(&r->change);
    principal_clear(&r->principal);
    json_body_clear(&r->body);
    buf_clear(&r->json);
    free(r);
}

/* Gather. */

/* Another root is only for whoever may stop the service as well. */
static const char *
gather_root(struct request *r)
{
    const char *vkey = json_body_text(r->body.root, "new_root");

    if (!vkey)
        return NULL;
    if (!r->principal.local)
        return "forbidden";
    if (note_verifier_parse(vkey, strlen(vkey), &r->new_root, NULL) != MAUTH_OK)
        return "body";
    r->change.new_root = &r->new_root;
    return NULL;
}

static const char *
gather_body(struct request *r)
{
    const char *problem;

    if (!r->route->members)
        return NULL;
    problem = json_body_parse(http_body(r->x), r->route->members, &r->body);
    if (problem)
        return problem;
    r->change.epoch = json_body_number(r->body.root, "epoch", 0);
    r->change.life_s = (int64_t)json_body_number(r->body.root, "seconds", 0);
    r->change.delegation = text_of(json_body_text(r->body.root, "delegation"));
    return gather_root(r);
}

static const char *
gather(struct request *r)
{
    const char *problem;

    if (r->route->changes && !principal_in_pace(r->x, &r->principal))
        return "too-fast";
    problem = *http_query(r->x) ? "query" : gather_body(r);
    if (problem || !r->route->changes)
        return problem;
    return authority_change_ready(&r->change, NULL) == MAUTH_OK ? NULL : "internal";
}

/* Decide and act. */

static enum mauth_rc
change(struct request *r, struct kv_txn *txn, struct mauth_err *err)
{
    struct authority_change *c = &r->change;
    enum mauth_rc rc;

    principal_record(&r->principal, r->x, &c->who);
    if (r->problem)
        return authority_change_refuse(txn, c, r->problem, err);
    rc = authority_change_run(txn, c, err);
    if (rc == MAUTH_OK && c->refused)
        r->problem = "authority";
    return rc;
}

static enum mauth_rc
run(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct request *r = arg;
    enum mauth_rc rc;

    buf_rewind(&r->json);
    rc = principal_ask(txn, r->x, &r->principal, "administer", &r->problem, err);
    if (rc != MAUTH_OK || r->problem == principal_again)
        return rc;
    if (r->problem && (!r->route->changes || strcmp(r->problem, "session") == 0))
        return MAUTH_OK;
    if (r->route->changes)
        rc = change(r, txn, err);
    if (rc != MAUTH_OK || r->problem)
        return rc;
    return authority_view(txn, r->service->seal, r->change.now_s,
        config_handover_s(r->service->config), &r->json, err);
}

/* Answer. */

static void
end(struct request *r, enum mauth_rc rc, const struct mauth_err *err)
{
    const char *why = r->change.refused ? r->change.why.text : NULL;

    if (rc != MAUTH_OK)
        problem_fail(r->x, err);
    else if (r->problem)
        principal_refuse(r->x, &r->principal, r->problem, why, r->route->changes);
    else if (!buf_ok(&r->json))
        problem_answer(r->x, "unavailable", NULL, NULL);
    else
        http_answer(r->x, 200, "application/json", buf_slice(&r->json), NULL);
}

static void
changed(struct http_exchange *x)
{
    struct request *r = http_state(x);

    fault_point("authority.committed");
    end(r, r->write.commit.job.rc, &r->write.commit.job.err);
}

static void
begin(struct request *r)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    if (r->route->changes) {
        principal_write(r->x, &r->principal, run, r, &r->problem, changed);
        return;
    }
    rc = principal_read(r->x, &r->principal, run, r, &r->problem, &err);
    end(r, rc, &err);
}

void
authority_api_start(struct http_exchange *x)
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
    buf_init(&r->json);
    if (!principal_admit(x, &r->principal))
        return;
    r->change.op = r->route->op;
    r->change.seal = r->service->seal;
    r->change.issuer = r->service->config->issuer.url;
    r->change.now_s = r->principal.caller.now_s;
    problem = gather(r);
    if (problem)
        principal_refuse(x, &r->principal, problem,
            r->body.detail[0] ? r->body.detail : NULL, false);
    else
        begin(r);
}
