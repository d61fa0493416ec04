#include "authsvc/audit_api.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/auditing.h"
#include "authsvc/principal.h"
#include "authsvc/problem.h"
#include "authsvc/rules_in_force.h"
#include "authsvc/service.h"
#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "facts/audit_who.h"
#include "net/fetch.h"
#include "net/form.h"
#include "store/audit_find.h"

enum {
    KNOWN = 32 /* parameters */
};

struct request {
    struct principal_change write; /* first */
    struct auditing_question question;
    struct http_exchange *x;
    const struct service *service;
    const struct audit_route *route;
    struct principal principal;
    struct form *form;
    struct audit_filter filter;
    struct mauth_err wrong; /* with what is asked */
    enum audit_by by;
    struct audit_who who;
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
    /* The name of the parameter that is wrong, or NULL. */
    const char *(*read)(struct request *r);
    enum mauth_rc (*answer)(struct request *r, struct mauth_err *err);
    const char *const *others; /* parameters that are no filters */
    bool filters;
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

/* What is asked. */

static const char *const of_records[] = {"wait", NULL};
static const char *const of_counts[] = {"by", NULL};
static const char *const of_who[] = {"at", "folder", NULL};

/* The name of the parameter that is wrong, or NULL; r->wrong says more. */
static const char *
read_filters(struct request *r)
{
    for (size_t i = 0; audit_filter_names[i]; i++) {
        const char *name = audit_filter_names[i], *value = form_value(r->form, name, 0);

        if (value && audit_filter_set(&r->filter, name, value, &r->wrong) != MAUTH_OK)
            return name;
    }
    return NULL;
}

/* It waits for what comes behind a record: nothing else is worth waiting for. */
static const char *
read_records(struct request *r)
{
    const char *wait = form_value(r->form, "wait", 0);
    uint64_t s;

    if (!wait)
        return NULL;
    if (!str_number(text_of(wait), &s) || s < 1 || s > AUDITING_WAIT_MS / 1000 ||
        !r->filter.oldest_first || !r->filter.has_after)
        return "wait";
    r->waits = true;
    r->parked.ends_ms = time_monotonic_ms() + (int64_t)s * 1000;
    return NULL;
}

/* All of them are counted, so there is no place to go on from. */
static const char *
read_counts(struct request *r)
{
    const char *by = form_value(r->form, "by", 0);

    r->by = by ? audit_by_of(by) : AUDIT_BYS;
    if (r->by == AUDIT_BYS)
        return "by";
    if (form_value(r->form, "order", 0))
        return "order";
    if (form_value(r->form, "archive", 0))
        return "archive";
    return r->filter.has_after ? "after" : NULL;
}

static const char *
read_who(struct request *r)
{
    const char *folder = form_value(r->form, "folder", 0);
    const char *at = form_value(r->form, "at", 0);

    r->who.at_s = r->principal.caller.now_s;
    r->who.now = !at;
    if (!folder || !id_parse(ID_FOLDER, folder, strlen(folder), &r->who.folder))
        return "folder";
    return at && !time_parse(at, strlen(at), &r->who.at_s) ? "at" : NULL;
}

static const char *
find_unknown(const struct request *r)
{
    const char *known[KNOWN + 1] = {NULL};
    size_t n = 0;

    for (size_t i = 0; r->route->others[i] && n < KNOWN; i++)
        known[n++] = r->route->others[i];
    for (size_t i = 0; r->route->filters && audit_filter_names[i] && n < KNOWN; i++)
        known[n++] = audit_filter_names[i];
    return form_unknown(r->form, known);
}

static const char *
read_query(struct request *r)
{
    static const char *const nothing[] = {NULL};
    const char *wrong;

    if (form_parse(text_of(http_query(r->x)), &r->form, NULL) != MAUTH_OK)
        return "";
    wrong = form_repeated(r->form, nothing);
    if (!wrong)
        wrong = find_unknown(r);
    if (!wrong && r->route->filters)
        wrong = read_filters(r);
    return wrong ? wrong : r->route->read(r);
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

/* Those of the names that are asked for, but for one. */
static void
put_parameters(
    const struct request *r, const char *const *names, const char *but, struct buf *out)
{
    for (size_t i = 0; names[i]; i++) {
        const char *value = form_value(r->form, names[i], 0);

        if (!value || strcmp(names[i], but) == 0)
            continue;
        buf_printf(out, "&%s=", names[i]);
        fetch_form_escape(out, value, strlen(value));
    }
}

/* All that is asked but where to begin. */
static void
put_filters(const struct request *r, struct buf *out)
{
    put_parameters(r, audit_filter_names, "after", out);
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
    if (r->waits) {
        buf_str(&url, "&wait=");
        buf_str(&url, form_value(r->form, "wait", 0));
    }
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
    struct audit_looked looked = {.missing = 0};
    enum mauth_rc rc;

    r->count = 0;
    buf_str(&r->body, "{\"items\":[");
    rc = audit_find(r->service->kv, auditing_index(r->service->auditing), &r->filter,
        add_record, r, &looked, err);
    buf_printf(&r->body, "],\"first\":%" PRIu64 ",\"size\":%" PRIu64,
        looked.in_store.first, looked.in_store.next);
    if (r->filter.archive)
        buf_printf(&r->body, ",\"missing\":%" PRIu64, looked.missing);
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
    buf_printf(&r->body, "],\"first\":%" PRIu64 ",\"kinds\":%zu,\"total\":%" PRIu64 "}",
        t.first, t.rows, t.total);
    audit_tally_clear(&t);
    return rc;
}

static enum mauth_rc
answer_who(struct request *r, struct mauth_err *err)
{
    r->who.kv = r->service->kv;
    r->who.index = auditing_index(r->service->auditing);
    r->who.rules = in_force_rules(r->principal.rules);
    r->who.stop = r->filter.stop;
    r->who.issuer = r->service->config->issuer.url;
    return audit_who_write(&r->who, &r->body, err);
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

static enum mauth_rc
check(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct request *r = arg;

    /* Who has come in by the admin socket could read the store itself. */
    if (r->principal.local)
        return principal_begin(txn, &r->principal, &r->problem, err);
    return principal_ask(txn, r->x, &r->principal, "audit", &r->problem, err);
}

static enum mauth_rc
record(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct request *r = arg;
    enum mauth_rc rc = check(txn, arg, err);

    return rc != MAUTH_OK || r->problem ? rc : audit_append(txn, r->entry, err);
}

static void answer(struct http_exchange *x);

static void
look(struct request *r, enum mauth_rc rc, const struct mauth_err *err)
{
    if (rc != MAUTH_OK) {
        problem_fail(r->x, err);
        return;
    }
    if (r->problem) {
        principal_refuse(r->x, &r->principal, r->problem, NULL, false);
        return;
    }
    r->woken = parking_count(auditing_parking(r->service->auditing));
    r->question.run = find;
    http_suspend(r->x, answer);
    r->filter.stop = auditing_is_ending(r->service->auditing);
    auditing_ask(r->service->auditing,
        r->filter.archive || !r->route->filters ? AUDITING_ASKED_OF_ARCHIVE
                                                : AUDITING_ASKED,
        &r->question);
}

/* Who asks, and for what, wherever it begins; false: no memory. */
static bool
put_what(const struct request *r, struct buf *out)
{
    buf_init(out);
    buf_str(out, r->principal.actor);
    put_filters(r, out);
    return buf_ok(out);
}

/* A question that waits is asked again behind each answer: it goes on record once an
 * hour. */
static bool
is_on_record(const struct request *r)
{
    struct buf what;
    bool is_followed;

    if (!r->waits)
        return false;
    is_followed =
        put_what(r, &what) && auditing_is_followed(r->service->auditing,
                                  buf_slice(&what), r->filter.after, time_now_s());
    buf_clear(&what);
    return is_followed;
}

static void
note_on_record(const struct request *r)
{
    struct buf what;

    if (put_what(r, &what))
        auditing_follow(
            r->service->auditing, buf_slice(&what), r->filter.after, time_now_s());
    buf_clear(&what);
}

static void
recorded(struct http_exchange *x)
{
    struct request *r = http_state(x);

    if (r->waits && r->write.commit.job.rc == MAUTH_OK && !r->problem)
        note_on_record(r);
    look(r, r->write.commit.job.rc, &r->write.commit.job.err);
}

/* Anew after each wait: who may not ask any more does not. */
static void
look_again(struct http_exchange *x)
{
    struct request *r = http_state(x);
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = principal_read(x, &r->principal, check, r, &r->problem, &err);

    look(r, rc, &err);
}

static void
answer(struct http_exchange *x)
{
    struct request *r = http_state(x);

    if (r->err.rc ==
        MAUTH_MALFORMED) /* a segment: auditors may know which, and where */
        problem_answer(x, "archive", r->err.text, NULL);
    else if (r->err.rc)
        problem_fail(x, &r->err);
    else if (!r->waits || r->count ||
             !parking_wait(auditing_parking(r->service->auditing), &r->parked, r->woken,
                 x, look_again))
        http_answer(x, 200, "application/json", buf_slice(&r->body), NULL);
}

/* What was understood, in one way, however it was written. */
static enum mauth_rc
make_entry(struct request *r, struct mauth_err *err)
{
    struct audit_record who;
    enum mauth_rc rc;
    struct buf asked;

    principal_record(&r->principal, r->x, &who);
    buf_init(&asked);
    put_parameters(r, r->route->others, "", &asked);
    if (r->route->filters)
        put_parameters(r, audit_filter_names, "rule", &asked);
    if (buf_cstr(&asked))
        rc = audit_question_entry(&who, buf_cstr(&asked) + (asked.len ? 1 : 0),
            form_value(r->form, "rule", 0), &r->entry, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    buf_clear(&asked);
    return rc;
}

static void
begin(struct request *r)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    bool goes_on = is_on_record(r);
    enum mauth_rc rc = goes_on ? MAUTH_OK : make_entry(r, &err);

    if (goes_on)
        look_again(r->x);
    else if (rc == MAUTH_TOO_LARGE)
        principal_refuse(r->x, &r->principal, "query", err.text, false);
    else if (rc != MAUTH_OK)
        problem_fail(r->x, &err);
    else
        principal_write(r->x, &r->principal, record, r, &r->problem, recorded);
}

void
audit_api_start(struct http_exchange *x)
{
    struct request *r = calloc(1, sizeof(*r));
    const char *wrong;

    if (!r) {
        problem_answer(x, "unavailable", NULL, NULL);
        return;
    }
    http_set_state(x, r, request_free);
    r->x = x;
    r->service = http_context(x);
    r->route = http_what(x);
    r->write.commit.job.needed = true;
    if (!principal_admit(x, &r->principal))
        return;
    wrong = read_query(r);
    if (r->wrong.text[0])
        wrong = r->wrong.text;
    if (wrong)
        principal_refuse(x, &r->principal, "query", *wrong ? wrong : NULL, false);
    else
        begin(r);
}

const struct audit_route audit_records = {
    read_records, answer_records, of_records, true};
const struct audit_route audit_counts = {read_counts, answer_counts, of_counts, true};
const struct audit_route audit_rights = {read_who, answer_who, of_who, false};
