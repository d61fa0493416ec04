#include "authsvc/principal.h"

#include <stdio.h>
#include <string.h>

#include "authsvc/pace.h"
#include "authsvc/problem.h"
#include "authsvc/refusals.h"
#include "authsvc/rules_in_force.h"
#include "base/fail.h"
#include "base/time.h"
#include "facts/graph_facts.h"
#include "policy/eval.h"
#include "store/graph_device.h"
#include "store/revocations.h"

enum {
    RUNS = 3,          /* with rules that were replaced meanwhile */
    REVOKED_BY_ONE = 2 /* at most, by a change of one thing */
};

const char principal_again[] = "again";

void
principal_take_rules(struct http_exchange *x, struct principal *p)
{
    const struct service *service = http_context(x);
    struct shared_ref *tried = p->rules;

    p->rules = in_force_take(service->rules, tried);
    shared_drop(tried);
}

const char *
principal_take(struct http_exchange *x, struct principal *out, struct mauth_err *err)
{
    const char *problem;

    memset(out, 0, sizeof(*out));
    principal_take_rules(x, out);
    if (strcmp(http_client(x), "unix") == 0) {
        out->local = true;
        out->caller.now_s = time_now_s();
        snprintf(
            out->actor, sizeof(out->actor), "uid:%u", (unsigned)http_client_uid(x));
        return NULL;
    }
    problem = caller_take(x, &out->caller, err);
    if (problem)
        return problem;
    id_format(out->caller.kind, &out->caller.principal, out->actor);
    id_format(ID_SESSION, &out->caller.session, out->session);
    snprintf(
        out->device, sizeof(out->device), "%s", mauth_key_id(out->caller.proof.key));
    return NULL;
}

bool
principal_admit(struct http_exchange *x, struct principal *out)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    const char *problem = principal_take(x, out, &err);

    if (problem)
        caller_refuse(x, problem, &err);
    return !problem;
}

/* The socket is for whoever may stop the service as well. */
bool
principal_in_pace(const struct http_exchange *x, const struct principal *p)
{
    const struct service *service = http_context(x);

    return p->local ||
           pace_take(service->pace, &p->caller.principal, time_monotonic_ms());
}

void
principal_take_nobody(struct http_exchange *x, struct principal *out)
{
    memset(out, 0, sizeof(*out));
    principal_take_rules(x, out);
    out->caller.now_s = time_now_s();
}

void
principal_clear(struct principal *p)
{
    shared_drop(p->rules);
    caller_clear(&p->caller);
    p->rules = NULL;
}

static enum mauth_rc
find_holder(struct kv_txn *txn, struct principal *p, struct mauth_err *err)
{
    struct graph_device d;
    enum mauth_rc rc = graph_device_by_key(txn, p->caller.key_hash, &d, err);

    p->has_holder = rc == MAUTH_OK;
    p->holder = d.id;
    if (p->has_holder)
        id_format(ID_DEVICE, &d.id, p->device);
    return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
}

enum mauth_rc
principal_begin(struct kv_txn *txn, struct principal *p, const char **problem,
    struct mauth_err *err)
{
    enum mauth_rc rc = in_force_check(txn, p->rules, err);

    p->has_holder = false;
    p->rule[0] = p->why[0] = '\0';
    *problem = rc == MAUTH_CONFLICT ? principal_again : NULL;
    if (rc == MAUTH_OK && p->caller.ticket) {
        rc = caller_check(txn, &p->caller, err);
        *problem = rc == MAUTH_DENIED ? "session" : NULL;
    }
    if (*problem) {
        mauth_err_reset(err);
        return MAUTH_OK;
    }
    return rc != MAUTH_OK || !p->caller.ticket ? rc : find_holder(txn, p, err);
}

static struct graph_facts
facts_of(struct kv_txn *txn, const struct principal *p, const struct id *shown)
{
    struct graph_facts f = {
        .txn = txn, .now_s = p->caller.now_s, .shown = shown, .local = p->local};

    if (p->caller.proof.key) { /* so he is somebody */
        f.caller_kind = p->caller.kind;
        f.caller = &p->caller.principal;
        f.session = &p->caller.session;
        f.key = mauth_key_id(p->caller.proof.key);
    }
    if (p->has_holder)
        f.holder = &p->holder;
    return f;
}

enum mauth_rc
principal_may(struct kv_txn *txn, struct http_exchange *x, struct principal *p,
    const struct principal_question *what, bool *may, struct mauth_err *err)
{
    const struct service *service = http_context(x);
    const struct mauth_rules *rules = in_force_rules(p->rules);
    struct graph_facts facts = facts_of(txn, p, what->shown);
    struct fact_source source = graph_facts_source(&facts);
    const struct eval_question q = {.kind = RULE_ALLOW,
        .action = text_of(what->action),
        .arg = what->arg,
        .args = what->args,
        .steps = what->steps,
        .issuer = text_of(service->config->issuer.url)};
    struct mauth_err miss = MAUTH_ERR_INIT;
    struct eval e;
    enum mauth_rc rc = eval_decide(rules, &q, &source, &e, &miss);

    *may = rc == MAUTH_OK;
    p->rule[0] = '\0';
    if (rc == MAUTH_OK)
        snprintf(p->rule, sizeof(p->rule), "%s",
            mauth_rules_text(rules, eval_rule_number(&e)));
    return rc == MAUTH_OK || rc == MAUTH_DENIED ? MAUTH_OK
                                                : mauth_fail(err, rc, "%s", miss.text);
}

enum mauth_rc
principal_explain(struct kv_txn *txn, struct http_exchange *x, struct principal *p,
    const struct principal_question *q, const char *what, struct mauth_err *err)
{
    const struct service *service = http_context(x);
    struct graph_facts facts = facts_of(txn, p, q->shown);
    const struct eval_question asked = {.kind = RULE_ALLOW,
        .action = text_of(q->action),
        .arg = q->arg,
        .args = q->args,
        .steps = EXPLAIN_DENIAL_STEPS,
        .issuer = text_of(service->config->issuer.url)};

    p->why[0] = '\0';
    return explain_denial(in_force_rules(p->rules), &asked, &facts, what, p->why, err);
}

enum mauth_rc
principal_ask(struct kv_txn *txn, struct http_exchange *x, struct principal *p,
    const char *action, const char **problem, struct mauth_err *err)
{
    const struct principal_question q = {.action = action};
    enum mauth_rc rc = principal_begin(txn, p, problem, err);
    bool may;

    if (rc != MAUTH_OK || *problem)
        return rc;
    rc = principal_may(txn, x, p, &q, &may, err);
    if (rc != MAUTH_OK || may)
        return rc;
    *problem = "forbidden";
    return principal_explain(txn, x, p, &q, "", err);
}

enum mauth_rc
principal_read(struct http_exchange *x, struct principal *p, kv_fn *fn, void *arg,
    const char **problem, struct mauth_err *err)
{
    const struct service *service = http_context(x);
    enum mauth_rc rc;

    for (unsigned runs = 0;;) {
        principal_take_rules(x, p);
        rc = kv_read(service->kv, fn, arg, err);
        if (rc != MAUTH_OK || *problem != principal_again || ++runs == RUNS)
            return rc;
    }
}

static enum mauth_rc
run_counted(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct principal_change *c = arg;
    uint64_t before, after = 0;
    enum mauth_rc rc = revocations_serial(txn, &before, err);

    if (rc == MAUTH_OK)
        rc = c->fn(txn, c->arg, err);
    if (rc == MAUTH_OK)
        rc = revocations_serial(txn, &after, err);
    c->revoked = after - before;
    return rc;
}

/* Whoever gathers much and ends it all at once has made as many changes as it takes to
 * end it singly: so nobody fills the list by a few. */
static void
spend(const struct service *service, const struct principal_change *c)
{
    const struct caller *by = &c->principal->caller;

    if (by->proof.key && c->revoked > REVOKED_BY_ONE)
        pace_spend(service->pace, &by->principal,
            (uint32_t)(c->revoked - REVOKED_BY_ONE), time_monotonic_ms());
}

static void written(struct http_exchange *x);

/* With the rules that are in force now. */
static void
submit(struct http_exchange *x, struct principal_change *c)
{
    c->runs++;
    principal_take_rules(x, c->principal);
    commit_start(x, &c->commit, run_counted, c, written);
}

static void
written(struct http_exchange *x)
{
    struct principal_change *c = http_state(x);
    bool good = c->commit.job.rc == MAUTH_OK;

    if (good && *c->problem == principal_again && c->runs < RUNS) {
        submit(x, c);
        return;
    }
    if (good)
        spend(http_context(x), c);
    c->then(x);
}

void
principal_write(struct http_exchange *x, struct principal *p, kv_fn *fn, void *arg,
    const char *const *problem, http_step *then)
{
    struct principal_change *c = http_state(x);

    *c = (struct principal_change){.commit.job.needed = c->commit.job.needed,
        .principal = p,
        .fn = fn,
        .arg = arg,
        .problem = problem,
        .then = then};
    submit(x, c);
}

void
principal_record(
    const struct principal *p, const struct http_exchange *x, struct audit_record *out)
{
    *out = (struct audit_record){
        .actor = p->actor[0] ? p->actor : NULL,
        .device = p->device[0] ? p->device : NULL,
        .session = p->session[0] ? p->session : NULL,
        .rule = p->rule[0] ? p->rule : NULL,
        .client = http_client(x),
        .request = http_request_id(x),
    };
}

void
principal_refuse(struct http_exchange *x, const struct principal *p,
    const char *problem, const char *detail, bool on_record)
{
    const struct service *service = http_context(x);

    if (problem == principal_again)
        problem = "unavailable";
    else if (!on_record || strcmp(problem, "session") == 0)
        refusals_count(service->refusals, p->caller.now_s, http_client(x), problem);
    if (!detail && p->why[0] && strcmp(problem, "forbidden") == 0)
        detail = p->why;
    problem_answer(x, problem, detail, NULL);
}
