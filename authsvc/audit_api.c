#include "authsvc/audit_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/log.h"
#include "authsvc/service.h"
#include "base/fail.h"
#include "net/form.h"
#include "store/audit.h"

/* One query, which is itself on record before its answer leaves. */
struct query {
    struct kv_job job; /* first: the store hands back a pointer to it */
    struct http_exchange *x;
    struct form *form;
    struct audit_filter filter;
    struct audit_entry *entry;
    struct buf body;
    bool more; /* than one item */
};

static void
query_free(void *state)
{
    struct query *q = state;

    form_free(q->form);
    audit_entry_free(q->entry);
    buf_clear(&q->body);
    free(q);
}

/* The name of the parameter that is wrong, or NULL. */
static const char *
take_filter(const struct form *f, struct audit_filter *out)
{
    static const char *const nothing[] = {NULL};

    if (form_repeated(f, nothing))
        return form_repeated(f, nothing);
    for (size_t i = 0; audit_filter_names[i]; i++) {
        const char *name = audit_filter_names[i], *value = form_value(f, name, 0);

        if (value && audit_filter_set(out, name, value, NULL) != MAUTH_OK)
            return name;
    }
    return NULL;
}

static bool
add_item(uint64_t sequence, struct text json, void *arg)
{
    struct query *q = arg;

    (void)sequence;
    if (q->more)
        buf_u8(&q->body, ',');
    q->more = true;
    buf_text(&q->body, json);
    return buf_ok(&q->body);
}

static enum mauth_rc
run(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct query *q = arg;

    return audit_query(txn, &q->filter, add_item, q, err);
}

static enum mauth_rc
record(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return audit_append(txn, ((const struct query *)arg)->entry, err);
}

static void
fail(struct http_exchange *x, const struct mauth_err *err)
{
    log_failure(http_request_id(x), err);
    http_answer_problem(x, 503, "unavailable", "The service cannot answer now", NULL);
}

static void
answer(struct http_exchange *x)
{
    struct query *q = http_state(x);
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    if (q->job.rc != MAUTH_OK) {
        fail(x, &q->job.err);
        return;
    }
    buf_str(&q->body, "{\"items\":[");
    rc = kv_read(((const struct service *)http_context(x))->kv, run, q, &err);
    buf_str(&q->body, "]}");
    if (rc == MAUTH_OK && !buf_ok(&q->body))
        rc = mauth_fail(&err, MAUTH_NO_MEMORY, "audit: no memory");
    if (rc == MAUTH_OK) {
        struct text body = {(const char *)q->body.data, q->body.len};

        http_answer(x, 200, "application/json", body, NULL);
    } else {
        fail(x, &err);
    }
}

static void
recorded(struct kv_job *job)
{
    http_resume(((struct query *)(void *)job)->x);
}

void
audit_api_start(struct http_exchange *x)
{
    struct query *q = calloc(1, sizeof(*q));
    struct text text = {http_query(x), strlen(http_query(x))};
    struct audit_record who = {.client = http_client(x), .request = http_request_id(x)};
    struct mauth_err err = MAUTH_ERR_INIT;
    const char *wrong;
    char actor[32];

    if (!q) {
        http_answer_problem(x, 503, "unavailable", "No memory", NULL);
        return;
    }
    http_set_state(x, q, query_free);
    q->x = x;
    if (form_parse(text, &q->form, &err) != MAUTH_OK) {
        http_answer_problem(x, 400, "query", "The query is not well formed", NULL);
        return;
    }
    wrong = take_filter(q->form, &q->filter);
    if (wrong) {
        http_answer_problem(x, 400, "query", "A parameter is not of its form", wrong);
        return;
    }
    snprintf(actor, sizeof(actor), "uid:%u", (unsigned)http_client_uid(x));
    who.actor = actor;
    if (audit_question_entry(&who, http_query(x), &q->entry, &err) != MAUTH_OK) {
        fail(x, &err);
        return;
    }
    q->job.fn = record;
    q->job.arg = q;
    q->job.done = recorded;
    http_suspend(x, answer);
    kv_submit(((const struct service *)http_context(x))->kv, &q->job);
}
