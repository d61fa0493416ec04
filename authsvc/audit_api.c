#include "authsvc/audit_api.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/auditing.h"
#include "authsvc/principal.h"
#include "authsvc/problem.h"
#include "authsvc/service.h"
#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "net/fetch.h"
#include "net/form.h"
#include "store/audit_find.h"

struct request {
    struct principal_change write; /* first: the store hands back a pointer to it */
    struct auditing_question question;
    struct http_exchange *x;
    const struct service *service;
    const struct audit_route *route;
    struct principal principal;
    struct form *form;
    struct audit_filter filter;
    enum audit_by by;
    bool waits; /* for a record, if there is none yet */
    struct parked parked;
    uint64_t woken; /* parking_count() before the last look */
    struct audit_entry *entry;
    const char *problem;
    /* The answer. */
    struct buf body;
    uint64_t count;
    uint64_t last; /* sequence */
    struct mauth_err err;
};

struct audit_route {
    enum mauth_rc (*answer)(struct request *r, struct mauth_err *err);
    bool counts;
};

static void
request_free(void *state)
{
    struct request *r = state;

    principal_clear(&r->principal);
    form_free(r->form);
    audit_entry_free(r->entry);
    buf_clear(&r->body);
    free(r);
}

/* The name of the parameter that is wrong, or NULL. */
static const char *
read_query(struct request *r)
{
    static const char *const nothing[] = {NULL};
    const struct form *f = r->form;
    const char *by = form_value(f, "by", 0), *wait = form_value(f, "wait", 0);
    const char *wrong = form_repeated(f, nothing);

    for (size_t i = 0; audit_filter_names[i] && !wrong; i++) {
        const char *name = audit_filter_names[i], *value = form_value(f, name, 0);

        if (value && audit_filter_set(&r->filter, name, value, NULL) != MAUTH_OK)
            wrong = name;
    }
    r->by = by ? audit_by_of(by) : AUDIT_BYS;
    r->waits = wait != NULL;
    if (!wrong && r->route->counts != (r->by != AUDIT_BYS))
        wrong = "by";
    if (!wrong && wait &&
        (strcmp(wait, "1") != 0 || r->route->counts || !r->filter.oldest_first ||
            !r->filter.has_after))
        wrong = "wait"; /* for what comes behind: nothing else is worth waiting for */
    return wrong;
}

static const char *
find_unknown(const struct form *f)
{
    static const char *const known[] = {"action", "actor", "after", "by", "client",
        "device", "folder", "key", "limit", "order", "outcome", "reason", "request",
        "rule", "service", "session", "since", "ticket", "until", "user", "wait", NULL};

    return form_unknown(f, known);
}

/* What is found, in the thread for questions. */

static bool
add_record(uint64_t sequence, struct text json, void *arg)
{
    struct request *r = arg;

    if (r->count++)
        buf_u8(&r->body, ',');
    buf_text(&r->body, json);
    r->last = sequence;
    return buf_ok(&r->body);
}

/* All that is asked but where to begin. */
static void
put_filters(const struct request *r, struct buf *out)
{
    for (size_t i = 0; audit_filter_names[i]; i++) {
        const char *name = audit_filter_names[i], *value = form_value(r->form, name, 0);

        if (!value || strcmp(name, "after") == 0)
            continue;
        buf_printf(out, "&%s=", name);
        fetch_form_escape(out, value, strlen(value));
    }
}

/* Where to go on: the same question behind the last record. */
static void
put_next(struct request *r)
{
    uint64_t after = r->count ? r->last : r->filter.after;
    struct buf url;

    buf_init(&url);
    buf_printf(
        &url, "%s/v1/audit?after=%" PRIu64, r->service->config->issuer.url, after);
    put_filters(r, &url);
    if (r->waits)
        buf_str(&url, "&wait=1");
    buf_str(&r->body, ",\"next\":");
    buf_json(&r->body, buf_slice(&url));
    if (!buf_ok(&url))
        r->body.failed = true;
    buf_clear(&url);
}

static enum mauth_rc
answer_records(struct request *r, struct mauth_err *err)
{
    uint64_t limit = r->filter.limit ? r->filter.limit : AUDIT_LIMIT_DEFAULT;
    enum mauth_rc rc;

    r->count = 0;
    buf_str(&r->body, "{\"items\":[");
    rc = audit_find(r->service->kv, auditing_index(r->service->auditing), &r->filter,
        add_record, r, err);
    buf_u8(&r->body, ']');
    if (r->count == limit || r->waits)
        put_next(r);
    buf_u8(&r->body, '}');
    return rc;
}

static enum mauth_rc
put_rows(struct request *r, const struct audit_tally *t, struct mauth_err *err)
{
    uint64_t limit = r->filter.limit ? r->filter.limit : AUDIT_LIMIT_DEFAULT;
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < t->rows && i < limit && rc == MAUTH_OK; i++) {
        buf_str(&r->body, i ? ",{\"value\":\"" : "{\"value\":\"");
        rc = audit_count_label(r->service->kv, t, &t->row[i], &r->body, err);
        buf_printf(&r->body, "\",\"count\":%" PRIu64 "}", t->row[i].count);
    }
    return rc;
}

static enum mauth_rc
answer_counts(struct request *r, struct mauth_err *err)
{
    struct audit_index *index = auditing_index(r->service->auditing);
    static const uint8_t no_key[SIPHASH_KEY];
    struct audit_tally t;
    enum mauth_rc rc;

    audit_tally_init(&t, r->by, index ? audit_index_key(index) : no_key);
    rc = audit_count(r->service->kv, index, &r->filter, &t, err);
    buf_str(&r->body, "{\"items\":[");
    if (rc == MAUTH_OK)
        rc = put_rows(r, &t, err);
    buf_printf(&r->body, "],\"kinds\":%zu,\"total\":%" PRIu64 "}", t.rows, t.total);
    audit_tally_clear(&t);
    return rc;
}

static void
find(struct auditing_question *q)
{
    struct request *r =
        (struct request *)(void *)((char *)q - offsetof(struct request, question));
    enum mauth_rc rc;

    buf_rewind(&r->body);
    mauth_err_reset(&r->err);
    rc = r->route->answer(r, &r->err);
    if (rc == MAUTH_OK && !buf_ok(&r->body))
        (void)mauth_fail(&r->err, MAUTH_NO_MEMORY, "audit: no memory");
    http_resume(r->x);
}

/* The steps: on record, found, answered, or found once more when something came. */

static void look(struct http_exchange *x);

static void
answer(struct http_exchange *x)
{
    struct request *r = http_state(x);

    if (r->err.rc)
        problem_fail(x, &r->err);
    else if (!r->waits || r->count ||
             !parking_wait(
                 auditing_parking(r->service->auditing), &r->parked, r->woken, x, look))
        http_answer(x, 200, "application/json", buf_slice(&r->body), NULL);
}

static void
look(struct http_exchange *x)
{
    struct request *r = http_state(x);

    r->woken = parking_count(auditing_parking(r->service->auditing));
    r->question.run = find;
    http_suspend(x, answer);
    auditing_ask(r->service->auditing, &r->question);
}

static enum mauth_rc
run(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct request *r = arg;
    enum mauth_rc rc;

    /* Who has come in by the admin socket could read the store itself. */
    if (r->principal.local)
        rc = principal_begin(txn, &r->principal, &r->problem, err);
    else
        rc = principal_ask(txn, r->x, &r->principal, "audit", &r->problem, err);
    if (rc != MAUTH_OK || r->problem || !r->entry)
        return rc;
    return audit_append(txn, r->entry, err);
}

static void
recorded(struct http_exchange *x)
{
    struct request *r = http_state(x);

    if (r->write.job.rc != MAUTH_OK)
        problem_fail(x, &r->write.job.err);
    else if (r->problem)
        principal_refuse(x, &r->principal, r->problem, NULL, false);
    else
        look(x);
}

/* A question that waits is asked again behind each answer: it goes on record once an
 * hour. */
static bool
is_on_record(struct request *r, const struct audit_record *who)
{
    struct buf what;
    bool news;

    if (!r->waits)
        return false;
    buf_init(&what);
    buf_str(&what, who->actor);
    put_filters(r, &what);
    news = !buf_ok(&what) ||
           auditing_is_news(r->service->auditing, buf_slice(&what), time_now_s());
    buf_clear(&what);
    return !news;
}

static void
begin(struct request *r)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct audit_record who;
    enum mauth_rc rc = MAUTH_OK;

    principal_record(&r->principal, r->x, &who);
    if (!is_on_record(r, &who))
        rc = audit_question_entry(&who, http_query(r->x), &r->entry, &err);
    if (rc != MAUTH_OK)
        problem_fail(r->x, &err);
    else
        principal_write(r->x, &r->principal, run, r, &r->problem, recorded);
}

void
audit_api_start(struct http_exchange *x)
{
    struct request *r = calloc(1, sizeof(*r));
    const char *wrong = NULL;

    if (!r) {
        problem_answer(x, "unavailable", NULL, NULL);
        return;
    }
    http_set_state(x, r, request_free);
    r->x = x;
    r->service = http_context(x);
    r->route = http_what(x);
    if (!principal_admit(x, &r->principal))
        return;
    if (form_parse(text_of(http_query(x)), &r->form, NULL) != MAUTH_OK)
        wrong = "";
    if (!wrong)
        wrong = find_unknown(r->form);
    if (!wrong)
        wrong = read_query(r);
    if (wrong)
        principal_refuse(x, &r->principal, "query", *wrong ? wrong : NULL, false);
    else
        begin(r);
}

const struct audit_route audit_records = {answer_records, false};
const struct audit_route audit_counts = {answer_counts, true};
