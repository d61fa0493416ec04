#include "authsvc/mesh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/form.h"
#include "authsvc/graph_facts.h"
#include "authsvc/pace.h"
#include "authsvc/precondition.h"
#include "authsvc/problem.h"
#include "authsvc/refusals.h"
#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "policy/eval.h"
#include "store/graph_invitation.h"

enum {
    RUNS = 3 /* with rules that were replaced meanwhile */
};

/* A problem of this file's alone: other rules are in force by now. */
static const char again[] = "again";

static void begin(struct http_exchange *x);

static void
mesh_free(void *state)
{
    struct mesh *m = state;

    shared_drop(m->rules);
    json_body_clear(&m->body);
    buf_clear(&m->json);
    caller_clear(&m->caller);
    mauth_wipe(m->secret, sizeof(m->secret));
    free(m);
}

const char *
mesh_issuer(const struct mesh *m)
{
    return m->service->config->issuer.url;
}

enum mauth_rc
mesh_refuse(struct mesh *m, const char *problem)
{
    m->problem = problem;
    return MAUTH_OK;
}

enum mauth_rc
mesh_refuse_if(struct mesh *m, enum mauth_rc rc, enum mauth_rc wrong,
    const char *problem, struct mauth_err *err)
{
    if (rc != wrong)
        return rc;
    mauth_err_reset(err);
    return mesh_refuse(m, problem);
}

/* Gather. */

static bool
kind_of_letter(char letter, enum id_kind *out)
{
    static const struct {
        char letter;
        enum id_kind kind;
    } letters[] = {
        {'f', ID_FOLDER}, {'d', ID_DEVICE}, {'u', ID_USER}, {'i', ID_INVITATION}};

    for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++) {
        *out = letters[i].kind;
        if (letters[i].letter == letter)
            return true;
    }
    return false;
}

/* The ids of the path, each of its kind; what is none cannot be found. */
static const char *
gather_ids(struct mesh *m)
{
    enum id_kind kind;
    size_t n = 0;

    for (const char *p = m->op->args; *p; p++) {
        struct text id = http_path_id(m->x, n);

        if (!kind_of_letter(*p, &kind))
            continue;
        if (!id_parse(kind, id.p, id.len, &m->id[n++]))
            return "not-found";
    }
    return NULL;
}

static const char *
gather_fresh(struct mesh *m)
{
    struct text own = http_path_id(m->x, 0);

    if (strcmp(http_method(m->x), "PUT") != 0)
        return id_new(&m->fresh, NULL) == MAUTH_OK ? NULL : "internal";
    if (!id_parse(m->op->kind, own.p, own.len, &m->fresh))
        return "not-found";
    return precondition_is_fresh(http_header(m->x, "If-None-Match"))
               ? NULL
               : "precondition-required";
}

/* ?after= and ?limit= of a list; nothing else has a query. */
static const char *
gather_page(struct mesh *m, const struct form *f)
{
    static const char *const nothing[] = {NULL};
    static const char *const known[] = {"after", "limit", NULL};
    const char *after = form_value(f, "after", 0), *limit = form_value(f, "limit", 0);
    uint64_t n = MESH_PAGE;

    if (form_repeated(f, nothing) || form_unknown(f, known))
        return "query";
    if (after && !id_parse(m->op->kind, after, strlen(after), &m->after))
        return "query";
    if (limit && (!str_number(text_of(limit), &n) || n < 1 || n > MESH_PAGE))
        return "query";
    m->has_after = after != NULL;
    m->limit = n;
    return NULL;
}

static const char *
gather_query(struct mesh *m)
{
    struct text query = text_of(http_query(m->x));
    const char *problem = "query";
    struct form *f = NULL;

    m->limit = MESH_PAGE;
    if (!query.len)
        return NULL;
    if ((m->op->flags & MESH_LISTS) && form_parse(query, &f, NULL) == MAUTH_OK)
        problem = gather_page(m, f);
    form_free(f);
    return problem;
}

static const char *
gather_body(struct mesh *m)
{
    const char *problem;

    if (!m->op->members)
        return NULL;
    problem = json_body_parse(http_body(m->x), m->op->members, &m->body);
    memcpy(m->detail, m->body.detail, sizeof(m->detail));
    if (problem)
        return problem;
    m->role = json_body_text(m->body.root, "role");
    return m->role && !str_is_name(text_of(m->role)) ? "role" : NULL;
}

static const char *
gather(struct mesh *m, struct mauth_err *err)
{
    const struct mesh_op *op = m->op;
    const char *problem = NULL;

    m->caller.now_s = time_now_s();
    if (!(op->flags & MESH_ANYONE))
        problem = caller_take(m->x, &m->caller, err);
    if (!problem && m->caller.ticket && !(op->flags & MESH_READS) &&
        !pace_take(m->service->pace, &m->caller.principal, time_monotonic_ms()))
        problem = "too-fast";
    if (!problem)
        problem = gather_ids(m);
    if (!problem)
        problem = gather_query(m);
    if (!problem && (op->flags & MESH_MATCH) && !m->if_match)
        problem = "precondition-required";
    if (!problem && (op->flags & MESH_MAKES))
        problem = gather_fresh(m);
    if (!problem)
        problem = gather_body(m);
    if (!problem && op->gather)
        problem = op->gather(m);
    if (!problem && mauth_random(m->salt, sizeof(m->salt), err) != MAUTH_OK)
        problem = "internal";
    return problem;
}

/* Decide. */

static void
write_args(struct mesh *m, const char *args)
{
    enum id_kind kind;
    size_t n = 0;

    for (size_t i = 0; i < MESH_ARGS && args[i]; i++) {
        if (args[i] == 'r')
            snprintf(m->arg[i], NODE_URL_MAX, "%s", m->role);
        else if (kind_of_letter(args[i], &kind) && kind == ID_INVITATION)
            id_format(kind, &m->id[n++], m->arg[i]);
        else
            node_url(mesh_issuer(m), kind, &m->id[n++], m->arg[i]);
    }
}

static struct graph_facts
facts_of(struct mesh *m, struct kv_txn *txn)
{
    struct graph_facts f = {.txn = txn, .now_s = m->caller.now_s};

    if (m->caller.ticket) {
        f.caller_kind = m->caller.kind;
        f.caller = &m->caller.principal;
        f.session = &m->caller.session;
        f.key = mauth_key_id(m->caller.proof.key);
    }
    if (m->has_holder)
        f.holder = &m->holder;
    if (m->op->flags & MESH_SECRET)
        f.shown = &m->id[0];
    return f;
}

/* Ask about the arguments from first on, count of them; remembers the rule. */
static enum mauth_rc
ask(struct mesh *m, struct kv_txn *txn, const char *action, size_t first, size_t count,
    bool *may, struct mauth_err *err)
{
    struct graph_facts facts = facts_of(m, txn);
    struct fact_source source = graph_facts_source(&facts);
    struct text arg[MESH_ARGS];
    struct eval_question q = {.kind = RULE_ALLOW,
        .action = text_of(action),
        .arg = arg,
        .args = count,
        .issuer = text_of(mesh_issuer(m))};
    struct mauth_err miss = MAUTH_ERR_INIT;
    enum mauth_rc rc;
    struct eval e;

    for (size_t i = 0; i < count; i++)
        arg[i] = text_of(m->arg[first + i]);
    rc = eval_decide(in_force_rules(m->rules), &q, &source, &e, &miss);
    *may = rc == MAUTH_OK;
    m->rule[0] = '\0';
    if (rc == MAUTH_OK)
        snprintf(m->rule, sizeof(m->rule), "%s",
            mauth_rules_text(in_force_rules(m->rules), eval_rule_number(&e)));
    if (rc == MAUTH_OK || rc == MAUTH_DENIED)
        return MAUTH_OK;
    return mauth_fail(err, rc, "%s", miss.text);
}

enum mauth_rc
mesh_may(struct mesh *m, struct kv_txn *txn, const char *action, const char *args,
    bool *may, struct mauth_err *err)
{
    write_args(m, args);
    return ask(m, txn, action, 0, strlen(args), may, err);
}

/* Is everything that the question names something that the caller may know of? */
static enum mauth_rc
check_known(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;
    enum id_kind kind;
    bool known = true;

    for (size_t i = 0; m->args[i] && known && rc == MAUTH_OK; i++)
        if (kind_of_letter(m->args[i], &kind))
            rc =
                ask(m, txn, kind == ID_INVITATION ? "view" : "know", i, 1, &known, err);
    return rc != MAUTH_OK || known ? rc : mesh_refuse(m, "not-found");
}

static enum mauth_rc
check_allowed(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    enum mauth_rc rc;
    bool may;

    rc = ask(m, txn, m->action, 0, strlen(m->args), &may, err);
    return rc != MAUTH_OK || may ? rc : mesh_refuse(m, "forbidden");
}

/* The device of the key that was proven, if it is one that is registered. */
static enum mauth_rc
find_holder(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_device d;
    enum mauth_rc rc = graph_device_by_key(txn, m->caller.key_hash, &d, err);

    m->has_holder = rc == MAUTH_OK;
    m->holder = d.id;
    return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
}

/* A secret opens its own invitation; with any other one there is nothing to be found. */
static enum mauth_rc
check_secret(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_invitation i;
    enum mauth_rc rc;

    if (!(m->op->flags & MESH_SECRET))
        return MAUTH_OK;
    rc = graph_invitation_by_id(txn, &m->id[0], m->caller.now_s, &i, err);
    if (rc == MAUTH_NOT_FOUND ||
        (rc == MAUTH_OK && !graph_invitation_shows(&i, m->secret)))
        return mesh_refuse(m, "not-found");
    return rc;
}

static enum mauth_rc
find_caller(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    enum mauth_rc rc;

    if (m->op->flags & MESH_ANYONE)
        return MAUTH_OK;
    rc = caller_check(txn, &m->caller, err);
    if (rc == MAUTH_DENIED)
        return mesh_refuse_if(m, rc, MAUTH_DENIED, "session", err);
    return rc ? rc : find_holder(m, txn, err);
}

static enum mauth_rc
decide(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    enum mauth_rc rc;

    write_args(m, m->args);
    rc = check_secret(m, txn, err);
    if (rc == MAUTH_OK && !m->problem)
        rc = check_known(m, txn, err);
    if (rc == MAUTH_OK && !m->problem && m->op->find)
        rc = mesh_refuse_if(
            m, m->op->find(m, txn, err), MAUTH_NOT_FOUND, "not-found", err);
    if (rc == MAUTH_OK && !m->problem)
        rc = check_allowed(m, txn, err);
    if (rc == MAUTH_OK && !m->problem && (m->op->flags & MESH_MATCH) &&
        !precondition_matches(m->if_match, m->version))
        rc = mesh_refuse(m, "version");
    return rc;
}

/* Act. */

/* One record of the change, or of its refusal. */
static enum mauth_rc
put_record(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    char actor[ID_LEN + 1], session[ID_LEN + 1], device[ID_LEN + 1];
    struct audit_record r = {
        .time_us = time_now_us(),
        .action = m->record,
        .outcome = m->problem ? "deny" : "done",
        .reason = m->problem,
        .rule = m->rule[0] && !m->problem ? m->rule : NULL,
        .client = http_client(m->x),
        .request = http_request_id(m->x),
    };

    if (m->caller.ticket) {
        id_format(m->caller.kind, &m->caller.principal, actor);
        id_format(ID_SESSION, &m->caller.session, session);
        id_format(ID_DEVICE, &m->holder, device);
        r.actor = actor;
        r.session = session;
        r.device = m->has_holder ? device : mauth_key_id(m->caller.proof.key);
    }
    for (size_t i = 0; m->args[i]; i++)
        r.resources[r.resource_count++] = m->arg[i];
    if (m->made[0])
        r.resources[r.resource_count++] = m->made;
    return audit_append_record(txn, &r, m->salt, err);
}

static void
forget(struct mesh *m)
{
    m->problem = NULL;
    m->status = 200;
    m->version = 0;
    m->has_holder = m->unchanged = false;
    m->made[0] = m->rule[0] = '\0';
    buf_rewind(&m->json);
}

/* Everything that the store is asked and told. Strangers leave no record. */
static enum mauth_rc
run(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct mesh *m = arg;
    enum mauth_rc rc;

    forget(m);
    rc = in_force_check(txn, m->rules, err);
    if (rc == MAUTH_CONFLICT)
        return mesh_refuse_if(m, rc, MAUTH_CONFLICT, again, err);
    if (rc == MAUTH_OK)
        rc = find_caller(m, txn, err);
    if (rc != MAUTH_OK || m->problem)
        return rc;
    rc = decide(m, txn, err);
    if (rc == MAUTH_OK && !m->problem && m->op->act)
        rc = m->op->act(m, txn, err);
    if (rc == MAUTH_OK && !m->problem && m->op->show)
        rc = m->op->show(m, txn, err);
    if (rc == MAUTH_OK && m->record && !m->unchanged)
        rc = put_record(m, txn, err);
    return rc;
}

/* Answer. */

/* What a stranger or a reader was refused is counted; a change's refusal is on record. */
static void
answer_problem(struct mesh *m, const char *problem)
{
    if (!m->record || (m->op->flags & MESH_ANYONE) || strcmp(problem, "session") == 0)
        refusals_count(
            m->service->refusals, m->caller.now_s, http_client(m->x), problem);
    problem_answer(m->x, problem, m->detail[0] ? m->detail : NULL, NULL);
}

static void
answer(struct mesh *m)
{
    char etag[40], location[NODE_URL_MAX + 16];
    const char *headers[3] = {NULL}, *none_match = http_header(m->x, "If-None-Match");
    struct text body = {(const char *)m->json.data, m->json.len};
    size_t n = 0;

    if (!buf_ok(&m->json)) {
        problem_answer(m->x, "unavailable", NULL, NULL);
        return;
    }
    if (m->version && body.len) { /* of what is deleted there is none any more */
        snprintf(etag, sizeof(etag), "ETag: \"%llu\"", (unsigned long long)m->version);
        headers[n++] = etag;
    }
    if (m->status == 201) {
        snprintf(location, sizeof(location), "Location: %s", m->made);
        headers[n++] = location;
    }
    if ((m->op->flags & MESH_READS) && m->version && none_match &&
        precondition_none_match(none_match, m->version))
        http_answer(m->x, 304, NULL, text_of(NULL), headers);
    else
        http_answer(m->x, body.len ? m->status : 204,
            body.len ? "application/json" : NULL, body, headers);
}

static void
end(struct mesh *m, enum mauth_rc rc, const struct mauth_err *err)
{
    if (rc != MAUTH_OK)
        problem_fail(m->x, err);
    else if (m->problem == again && m->runs < RUNS)
        begin(m->x);
    else if (m->problem == again)
        problem_answer(m->x, "unavailable", NULL, NULL);
    else if (m->problem)
        answer_problem(m, m->problem);
    else
        answer(m);
}

static void
committed(struct http_exchange *x)
{
    struct mesh *m = http_state(x);

    end(m, m->job.rc, &m->job.err);
}

static void
job_done(struct kv_job *job)
{
    http_resume(((struct mesh *)(void *)job)->x);
}

/* With the rules that are in force now. */
static void
begin(struct http_exchange *x)
{
    struct mesh *m = http_state(x);
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    m->runs++;
    shared_drop(m->rules);
    m->rules = in_force_take(m->service->rules);
    if (!(m->op->flags & MESH_READS)) {
        memset(&m->job, 0, sizeof(m->job));
        m->job.fn = run;
        m->job.arg = m;
        m->job.done = job_done;
        http_suspend(x, committed);
        kv_submit(m->service->kv, &m->job);
        return;
    }
    rc = kv_read(m->service->kv, run, m, &err);
    end(m, rc, &err);
}

void
mesh_start(struct http_exchange *x)
{
    struct mesh *m = calloc(1, sizeof(*m));
    struct mauth_err err = MAUTH_ERR_INIT;
    const char *problem;

    if (!m) {
        problem_answer(x, "unavailable", NULL, NULL);
        return;
    }
    http_set_state(x, m, mesh_free);
    m->x = x;
    m->service = http_context(x);
    m->op = http_what(x);
    m->action = m->op->action;
    m->args = m->op->args;
    m->record = m->op->record;
    m->if_match = http_header(x, "If-Match");
    buf_init(&m->json);
    problem = gather(m, &err);
    if (!problem)
        begin(x);
    else if (!m->caller.ticket && !(m->op->flags & MESH_ANYONE))
        caller_refuse(x, problem, &err);
    else
        answer_problem(m, problem);
}

/* Lists. */

void
mesh_list_begin(struct mesh *m)
{
    buf_str(&m->json, "{\"items\":[");
}

void
mesh_list_item(struct mesh *m)
{
    if (m->json.len && m->json.data[m->json.len - 1] != '[')
        buf_u8(&m->json, ',');
}

void
mesh_list_end(struct mesh *m, const struct id *last)
{
    char after[ID_LEN + 1];

    buf_u8(&m->json, ']');
    if (last) {
        id_format(m->op->kind, last, after);
        buf_printf(&m->json, ",\"next\":\"%s%s?after=%s", mesh_issuer(m),
            http_path(m->x), after);
        if (m->limit != MESH_PAGE)
            buf_printf(&m->json, "&limit=%zu", m->limit);
        buf_u8(&m->json, '"');
    }
    buf_u8(&m->json, '}');
}

enum mauth_rc
mesh_page(struct mesh *m, struct kv_txn *txn, enum graph_way way,
    struct graph_page *out, struct mauth_err *err)
{
    enum mauth_rc rc =
        graph_link_page(txn, way, &m->id[0], m->has_after ? &m->after : NULL, out, err);

    if (rc == MAUTH_OK && out->count > m->limit) {
        out->count = m->limit;
        out->more = true;
    }
    mesh_list_begin(m);
    return rc;
}

void
mesh_page_end(struct mesh *m, const struct graph_page *page)
{
    mesh_list_end(m, page->more ? &page->links[page->count - 1].to : NULL);
}
