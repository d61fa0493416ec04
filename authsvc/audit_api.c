#include "authsvc/audit_api.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/form.h"
#include "authsvc/log.h"
#include "authsvc/service.h"
#include "base/fail.h"
#include "base/time.h"
#include "store/audit.h"

enum {
    LIMIT_MAX = 10000
};

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

static bool
take_time(const struct form *f, const char *name, int64_t *out_us)
{
    const char *text = form_value(f, name, 0);
    int64_t t_s;

    *out_us = 0;
    if (!text)
        return true;
    if (!time_parse(text, strlen(text), &t_s))
        return false;
    *out_us = t_s * 1000000;
    return true;
}

static bool
take_limit(const struct form *f, uint64_t *out)
{
    const char *text = form_value(f, "limit", 0);
    uint64_t v = 0;

    *out = 0;
    if (!text)
        return true;
    for (; *text >= '0' && *text <= '9' && v <= LIMIT_MAX; text++)
        v = v * 10 + (uint64_t)(*text - '0');
    *out = v;
    return !*text && v >= 1 && v <= LIMIT_MAX;
}

/* The name of the parameter that is wrong, or NULL. */
static const char *
take_filter(const struct form *f, struct audit_filter *out)
{
    static const char *const nothing[] = {NULL};

    if (form_repeated(f, nothing))
        return form_repeated(f, nothing);
    if (!take_time(f, "since", &out->since_us))
        return "since";
    if (!take_time(f, "until", &out->until_us))
        return "until";
    if (!take_limit(f, &out->limit))
        return "limit";
    out->actor = form_value(f, "actor", 0);
    out->action = form_value(f, "action", 0);
    out->outcome = form_value(f, "outcome", 0);
    out->reason = form_value(f, "reason", 0);
    out->ticket = form_value(f, "ticket", 0);
    out->session = form_value(f, "session", 0);
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

static enum mauth_rc
prepare_record(struct http_exchange *x, struct query *q, struct mauth_err *err)
{
    char actor[32];
    struct audit_record r = {
        .time_us = time_now_us(),
        .actor = actor,
        .action = "audit.query",
        .resources = {http_query(x)},
        .resource_count = *http_query(x) ? 1 : 0,
        .outcome = "allow",
        .client = http_client(x),
        .request = http_request_id(x),
    };

    snprintf(actor, sizeof(actor), "uid:%u", (unsigned)http_client_uid(x));
    return audit_entry_new(&r, &q->entry, err);
}

void
audit_api_start(struct http_exchange *x)
{
    struct query *q = calloc(1, sizeof(*q));
    struct text text = {http_query(x), strlen(http_query(x))};
    struct mauth_err err = MAUTH_ERR_INIT;
    const char *wrong;

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
    if (prepare_record(x, q, &err) != MAUTH_OK) {
        fail(x, &err);
        return;
    }
    q->job.fn = record;
    q->job.arg = q;
    q->job.done = recorded;
    http_suspend(x, answer);
    kv_submit(((const struct service *)http_context(x))->kv, &q->job);
}
