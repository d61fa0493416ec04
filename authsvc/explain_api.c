#include "authsvc/explain_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/commit.h"
#include "authsvc/json_body.h"
#include "authsvc/principal.h"
#include "authsvc/problem.h"
#include "authsvc/rules_in_force.h"
#include "authsvc/service.h"
#include "base/fail.h"
#include "facts/explain.h"

struct request {
    struct commit commit;
    struct http_exchange *x;
    const struct service *service;
    struct principal principal;
    struct json_body body;
    struct explain what;
    struct audit_entry *entry;

    /* Found by the transaction, which starts over when it runs again. */
    const char *problem;
    char detail[sizeof(((struct mauth_err *)0)->text)];
    bool allowed;
    struct buf json;
};

static const struct json_member members[] = {
    {"action", JSON_BODY_TEXT, true},
    {"args", JSON_BODY_LIST, false},
    {"subject", JSON_BODY_TEXT, true},
    {"holder", JSON_BODY_TEXT, false},
    {"shown", JSON_BODY_TEXT, false},
    {NULL, 0, false},
};

static void
request_free(void *state)
{
    struct request *r = state;

    audit_entry_free(r->entry);
    principal_clear(&r->principal);
    json_body_clear(&r->body);
    buf_clear(&r->json);
    free(r);
}

/* Gather. */

static const char *
wrong(struct request *r, const char *why)
{
    snprintf(r->detail, sizeof(r->detail), "%s", why);
    return "body";
}

static const char *
gather_body(struct request *r)
{
    const char *problem = json_body_parse(http_body(r->x), members, &r->body);
    const json_t *root = r->body.root, *args;
    struct explain *w = &r->what;

    snprintf(r->detail, sizeof(r->detail), "%s", r->body.detail);
    if (problem)
        return problem;
    args = json_object_get(root, "args");
    if (json_array_size(args) > RULES_ARGS_MAX)
        return wrong(r, "A question has four arguments at most.");
    for (; w->args < json_array_size(args); w->args++)
        w->arg[w->args] = json_string_value(json_array_get(args, w->args));
    w->action = json_body_text(root, "action");
    w->subject = json_body_text(root, "subject");
    w->holder = json_body_text(root, "holder");
    w->shown = json_body_text(root, "shown");
    w->issuer = r->service->config->issuer.url;
    w->now_s = r->principal.caller.now_s;
    return NULL;
}

static const char *
gather(struct request *r)
{
    if (!principal_in_pace(r->x, &r->principal))
        return "too-fast";
    return *http_query(r->x) ? "query" : gather_body(r);
}

/* Decide. */

static enum mauth_rc
run(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct request *r = arg;
    enum mauth_rc rc;

    buf_rewind(&r->json);
    rc = principal_ask(txn, r->x, &r->principal, "administer", &r->problem, err);
    if (rc != MAUTH_OK || r->problem)
        return rc;
    r->what.rules = in_force_rules(r->principal.rules);
    rc = explain_write(txn, &r->what, &r->json, &r->allowed, err);
    if (rc != MAUTH_INVALID && rc != MAUTH_NOT_FOUND)
        return rc;
    r->problem = rc == MAUTH_INVALID ? "body" : "not-found";
    if (err)
        snprintf(r->detail, sizeof(r->detail), "%s", err->text);
    mauth_err_reset(err);
    return MAUTH_OK;
}

/* Record. */

static enum mauth_rc
record(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return audit_append(txn, ((const struct request *)arg)->entry, err);
}

static void
answer(struct http_exchange *x)
{
    struct request *r = http_state(x);

    if (r->commit.job.rc != MAUTH_OK)
        problem_fail(x, &r->commit.job.err);
    else
        http_answer(x, 200, "application/json", buf_slice(&r->json), NULL);
}

static enum mauth_rc
submit(struct request *r, struct mauth_err *err)
{
    struct audit_record who;
    enum mauth_rc rc;

    principal_record(&r->principal, r->x, &who);
    rc = explain_entry(&r->what, &who, &r->entry, err);
    if (rc == MAUTH_OK)
        commit_start(r->x, &r->commit, record, r, answer);
    return rc;
}

static void
decide(struct request *r)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = principal_read(r->x, &r->principal, run, r, &r->problem, &err);

    if (rc == MAUTH_OK && r->problem) {
        principal_refuse(
            r->x, &r->principal, r->problem, r->detail[0] ? r->detail : NULL, false);
        return;
    }
    if (rc == MAUTH_OK && !buf_ok(&r->json))
        rc = mauth_fail(&err, MAUTH_NO_MEMORY, "explain: no memory");
    if (rc == MAUTH_OK)
        rc = submit(r, &err);
    if (rc != MAUTH_OK)
        problem_fail(r->x, &err);
}

void
explain_api_start(struct http_exchange *x)
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
    buf_init(&r->json);
    if (!principal_admit(x, &r->principal))
        return;
    problem = gather(r);
    if (problem)
        principal_refuse(
            x, &r->principal, problem, r->detail[0] ? r->detail : NULL, false);
    else
        decide(r);
}
