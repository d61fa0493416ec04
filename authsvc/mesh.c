#include "authsvc/mesh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/log.h"
#include "authsvc/precondition.h"
#include "authsvc/problem.h"
#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "store/graph_invitation.h"

enum {
    KNOW_STEPS = 4096 /* to tell what is forbidden from what is not there */
};

static void
mesh_free(void *state)
{
    struct mesh *m = state;

    json_body_clear(&m->body);
    buf_clear(&m->json);
    mesh_tickets_clear(&m->tickets); /* borrows from who */
    principal_clear(&m->who);
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

void
mesh_opens_folder(struct mesh *m, const struct id *folder)
{
    m->opens = MESH_OPENS_FOLDER;
    m->opened = *folder;
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

/* Decide. */

static void
write_args(struct mesh *m, const char *args)
{
    enum id_kind kind;
    size_t n = 0;

    for (size_t i = 0; i < MESH_ARGS && args[i]; i++) {
        if (args[i] == 'r')
            snprintf(m->arg[i], NODE_URL_MAX, "%s", m->role);
        else if (mesh_kind_of(args[i], &kind) && kind == ID_INVITATION)
            id_format(kind, &m->id[n++], m->arg[i]);
        else
            node_url(mesh_issuer(m), kind, &m->id[n++], m->arg[i]);
    }
}

static void
take_args(const struct mesh *m, size_t first, struct text arg[MESH_ARGS],
    struct principal_question *q)
{
    for (size_t i = 0; i < q->args; i++)
        arg[i] = text_of(m->arg[first + i]);
    q->arg = arg;
    q->shown = m->op->flags & MESH_SECRET ? &m->id[0] : NULL;
}

/* With the arguments at hand: an action asks about all, "know" about one. */
static enum mauth_rc
ask(struct mesh *m, struct kv_txn *txn, struct principal_question q, size_t first,
    bool *may, struct mauth_err *err)
{
    struct text arg[MESH_ARGS];

    take_args(m, first, arg, &q);
    return principal_may(txn, m->x, &m->who, &q, may, err);
}

/* He knows of all of it, and may not; the refusal says what he lacks. */
static enum mauth_rc
forbid(struct mesh *m, struct kv_txn *txn, struct principal_question q,
    struct mauth_err *err)
{
    struct text arg[MESH_ARGS];
    enum mauth_rc rc = mesh_refuse(m, "forbidden");

    take_args(m, 0, arg, &q);
    return rc ? rc : principal_explain(txn, m->x, &m->who, &q, "", err);
}

enum mauth_rc
mesh_may(struct mesh *m, struct kv_txn *txn, const char *action, const char *args,
    bool *may, struct mauth_err *err)
{
    struct principal_question q = {.action = action, .args = strlen(args)};

    write_args(m, args);
    return ask(m, txn, q, 0, may, err);
}

/*
 * He may not: does he know of everything that the question names? To find that out may
 * take a walk through all that somebody else has, who can have very much of it: whom it
 * would take too far is told nothing.
 */
static enum mauth_rc
check_known(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;
    enum id_kind kind;
    bool known = true;

    for (size_t i = 0; m->args[i] && known && rc == MAUTH_OK; i++) {
        struct principal_question q = {.args = 1, .steps = KNOW_STEPS};

        if (!mesh_kind_of(m->args[i], &kind))
            continue;
        q.action = kind == ID_INVITATION ? "view" : "know";
        rc = ask(m, txn, q, i, &known, err);
    }
    return rc != MAUTH_OK || known ? rc : mesh_refuse(m, "not-found");
}

/* A secret opens its own invitation; with any other one there is nothing to be found. */
static enum mauth_rc
check_secret(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_invitation i;
    enum mauth_rc rc;

    if (!(m->op->flags & MESH_SECRET))
        return MAUTH_OK;
    rc = graph_invitation_by_id(txn, &m->id[0], m->who.caller.now_s, &i, err);
    if (rc == MAUTH_NOT_FOUND ||
        (rc == MAUTH_OK && !graph_invitation_shows(&i, m->secret)))
        return mesh_refuse(m, "not-found");
    return rc;
}

static enum mauth_rc
decide(struct mesh *m, struct kv_txn *txn, struct mauth_err *err)
{
    struct principal_question q = {.action = m->action, .args = strlen(m->args)};
    bool may = false;
    enum mauth_rc rc;

    write_args(m, m->args);
    rc = check_secret(m, txn, err);
    if (rc == MAUTH_OK && !m->problem)
        rc = ask(m, txn, q, 0, &may, err);
    if (rc == MAUTH_OK && !m->problem && !may)
        rc = check_known(m, txn, err);
    if (rc == MAUTH_OK && !m->problem && m->op->find)
        rc = mesh_refuse_if(
            m, m->op->find(m, txn, err), MAUTH_NOT_FOUND, "not-found", err);
    if (rc == MAUTH_OK && !m->problem && !may)
        rc = forbid(m, txn, q, err);
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
    struct audit_record r;

    principal_record(&m->who, m->x, &r);
    r.time_us = time_now_us();
    r.action = m->record;
    r.outcome = m->problem ? "deny" : "done";
    r.reason = m->problem;
    if (m->problem)
        r.rule = NULL;
    for (size_t i = 0; m->args[i]; i++)
        r.resources[r.resource_count++] = m->arg[i];
    if (m->made[0])
        r.resources[r.resource_count++] = m->made;
    if (m->joined[0]) {
        r.resources[r.resource_count++] = m->joined;
        r.resources[r.resource_count++] = m->joined_as;
    }
    m->on_record = true;
    return audit_append_record(txn, &r, m->salt, err);
}

static void
forget(struct mesh *m)
{
    m->problem = NULL;
    m->status = 200;
    m->version = 0;
    m->unchanged = m->on_record = false;
    m->made[0] = m->joined[0] = '\0';
    m->opens = MESH_OPENS_NOTHING;
    buf_rewind(&m->json);
}

/* Everything that the store is asked and told. Strangers leave no record. */
static enum mauth_rc
run(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct mesh *m = arg;
    enum mauth_rc rc;

    forget(m);
    rc = principal_begin(txn, &m->who, &m->problem, err);
    if (rc != MAUTH_OK || m->problem)
        return rc;
    rc = decide(m, txn, err);
    if (rc == MAUTH_OK && !m->problem && m->op->act)
        rc = m->op->act(m, txn, err);
    if (rc == MAUTH_OK && !m->problem && m->op->show)
        rc = m->op->show(m, txn, err);
    if (rc == MAUTH_OK && m->record && !m->unchanged &&
        !(m->problem && (m->op->flags & MESH_ANYONE)))
        rc = put_record(m, txn, err);
    return rc;
}

/* Answer. */

static void
answer(struct mesh *m)
{
    char etag[40], location[NODE_URL_MAX + 16];
    const char *headers[3] = {NULL}, *none_match = http_header(m->x, "If-None-Match");
    struct text body = buf_slice(&m->json);
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
refuse(struct mesh *m, const char *problem)
{
    principal_refuse(
        m->x, &m->who, problem, m->detail[0] ? m->detail : NULL, m->on_record);
}

static void
tickets_recorded(struct http_exchange *x)
{
    struct mesh *m = http_state(x);

    if (m->write.commit.job.rc == MAUTH_OK)
        mesh_tickets_answer(m);
    else
        log_failure(http_request_id(x), &m->write.commit.job.err);
    answer(m);
}

static void
end(struct mesh *m, enum mauth_rc rc, const struct mauth_err *err)
{
    if (rc != MAUTH_OK)
        problem_fail(m->x, err);
    else if (m->problem)
        refuse(m, m->problem);
    else if (mesh_tickets_issue(m))
        commit_start(m->x, &m->write.commit, mesh_tickets_record, m, tickets_recorded);
    else
        answer(m);
}

static void
committed(struct http_exchange *x)
{
    struct mesh *m = http_state(x);

    end(m, m->write.commit.job.rc, &m->write.commit.job.err);
}

static void
begin(struct mesh *m)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    if (!(m->op->flags & MESH_READS)) {
        principal_write(m->x, &m->who, run, m, &m->problem, committed);
        return;
    }
    rc = principal_read(m->x, &m->who, run, m, &m->problem, &err);
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
    /* What ends a right is written also when the disk is nearly full. */
    m->write.commit.job.needed = strcmp(http_method(x), "DELETE") == 0;
    buf_init_secret(&m->json);
    problem = mesh_gather(m, &err);
    if (!problem)
        begin(m);
    else if (!m->who.caller.ticket && !(m->op->flags & MESH_ANYONE))
        caller_refuse(x, problem, &err);
    else
        refuse(m, problem);
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
