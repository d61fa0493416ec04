#include "authsvc/decisions_api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/auditing.h"
#include "authsvc/decisions_body.h"
#include "authsvc/log.h"
#include "authsvc/pace.h"
#include "authsvc/principal.h"
#include "authsvc/problem.h"
#include "authsvc/refusals.h"
#include "authsvc/service.h"
#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "store/reported.h"

enum {
    TICKET_S = 12 * 3600 + 600, /* no ticket lives longer; and clocks differ */
    OLDEST_S = 7 * 86400,       /* what comes later is not looked up as far back */
    RECORDS = REPORTED_ALARMS + DECISIONS_RECORDS
};

struct request {
    struct principal_change write; /* first: the store hands back a pointer to it */
    struct auditing_question question;
    struct http_exchange *x;
    const struct service *service;
    struct principal principal;
    struct decisions_body body;
    struct mauth_err err; /* of the search */
    bool in_pace[DECISIONS_RECORDS];
    uint8_t salt[RECORDS][AUDIT_SALT];

    /* Found by the transaction, which starts over when it runs again. */
    const char *problem;
    size_t salts;
    size_t records; /* of decisions */
    bool told[DECISIONS_ACCEPTED];
};

static void
request_free(void *state)
{
    struct request *r = state;

    principal_clear(&r->principal);
    decisions_body_clear(&r->body);
    free(r);
}

static bool
is_unknown(const struct issued_ticket *t)
{
    return t->state == ISSUED_NOWHERE || t->state == ISSUED_OTHERWISE;
}

static size_t
count(const struct request *r, enum issued_state state)
{
    size_t n = 0;

    for (size_t i = 0; i < r->body.tickets; i++)
        n += r->body.ticket[i].state == state;
    return n;
}

static size_t
count_unknown(const struct request *r)
{
    return count(r, ISSUED_NOWHERE) + count(r, ISSUED_OTHERWISE);
}

/* Answer. */

static void
say(const struct request *r)
{
    const char *who = r->principal.actor;
    size_t unsure = count(r, ISSUED_UNSURE);

    for (size_t i = 0; i < r->body.tickets; i++)
        if (r->told[i])
            log_error("ALARM: %s has accepted the ticket %s, signed with the key %s, "
                      "which was not issued here: somebody else has that key",
                who, r->body.ticket[i].id, r->body.accepted[i].key);
    if (unsure)
        log_error("%zu tickets that %s has accepted could not be looked up: the audit "
                  "log does not go back so far, or has no index",
            unsure, who);
    if (r->body.lost)
        log_info("%s lost %" PRIu64 " entries of a journal", who, r->body.lost);
}

static void
answer(struct http_exchange *x)
{
    const struct request *r = http_state(x);
    char text[160];
    int n;

    say(r);
    n = snprintf(text, sizeof(text),
        "{\"known\":%zu,\"unknown\":%zu,\"unsure\":%zu,\"recorded\":%zu}",
        count(r, ISSUED_HERE), count_unknown(r), count(r, ISSUED_UNSURE), r->records);
    http_answer(x, 200, "application/json", (struct text){text, (size_t)n}, NULL);
}

/* On record. */

static enum mauth_rc
put_alarm(struct request *r, struct kv_txn *txn, size_t i, uint64_t told,
    struct mauth_err *err)
{
    const struct accepted_entry *e = &r->body.accepted[i];
    const struct issued_ticket *t = &r->body.ticket[i];
    struct audit_record record;
    char note[DECISIONS_NOTE];

    principal_record(&r->principal, r->x, &record);
    snprintf(note, sizeof(note), "accepted %.20s", e->time);
    record.time_us = time_now_us();
    record.action = "alarm.ticket";
    record.outcome = "deny";
    record.reason = t->state == ISSUED_OTHERWISE ? "other-digest" : "not-issued";
    record.note = note;
    record.rule = NULL;
    record.ticket = t->id;
    record.digest = t->digest;
    record.key = e->key;
    record.count = told > 1 ? told : 0;
    return audit_append_record(txn, &record, r->salt[r->salts++], err);
}

static enum mauth_rc
put_alarms(struct request *r, struct kv_txn *txn, struct reported *so_far,
    struct mauth_err *err)
{
    int64_t now_s = time_now_s();
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < r->body.tickets && rc == MAUTH_OK; i++) {
        const struct issued_ticket *t = &r->body.ticket[i];
        uint8_t raw[REPORTED_TICKET];
        uint64_t told;

        if (is_unknown(t) && str_unhex(text_of(t->id + 1), sizeof(raw), raw)) {
            r->told[i] = reported_alarm(so_far, raw, now_s, &told);
            if (r->told[i])
                rc = put_alarm(r, txn, i, told, err);
        }
    }
    return rc;
}

static enum mauth_rc
put_decision(struct request *r, struct kv_txn *txn, const struct decision_entry *d,
    struct mauth_err *err)
{
    struct audit_record record;
    char note[DECISIONS_NOTE];

    principal_record(&r->principal, r->x, &record);
    record.time_us = time_now_us();
    decision_record(d, &record, note);
    r->records++;
    return audit_append_record(txn, &record, r->salt[r->salts++], err);
}

static enum mauth_rc
put_decisions(struct request *r, struct kv_txn *txn, struct reported *so_far,
    struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < r->body.decisions && rc == MAUTH_OK; i++)
        if (reported_entry(so_far, r->body.journal, r->body.decision[i].number) &&
            r->in_pace[i])
            rc = put_decision(r, txn, &r->body.decision[i], err);
    return rc;
}

static enum mauth_rc
ask(struct request *r, struct kv_txn *txn, struct mauth_err *err)
{
    enum mauth_rc rc =
        principal_ask(txn, r->x, &r->principal, "witness", &r->problem, err);

    if (rc == MAUTH_OK && !r->problem && r->principal.caller.kind != ID_SERVICE)
        r->problem = "forbidden";
    return rc;
}

static enum mauth_rc
run(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct request *r = arg;
    struct reported so_far;
    enum mauth_rc rc;

    r->salts = r->records = 0;
    memset(r->told, 0, sizeof(r->told));
    rc = ask(r, txn, err);
    if (rc != MAUTH_OK || r->problem)
        return rc;
    rc = reported_load(txn, &r->principal.caller.principal, &so_far, err);
    if (rc == MAUTH_OK)
        rc = put_alarms(r, txn, &so_far, err);
    if (rc == MAUTH_OK)
        rc = put_decisions(r, txn, &so_far, err);
    return rc ? rc : reported_put(txn, &so_far, err);
}

static void
recorded(struct http_exchange *x)
{
    const struct request *r = http_state(x);

    if (r->write.commit.job.rc != MAUTH_OK)
        problem_fail(x, &r->write.commit.job.err);
    else if (r->problem)
        principal_refuse(x, &r->principal, r->problem, NULL, false);
    else
        answer(x);
}

/* How fast a service may fill the log: what is too much of it is counted, with the
 * refusals of the minute. Room that is kept for admins is not for this. */
static enum mauth_rc
admit_decisions(struct request *r, struct mauth_err *err)
{
    const struct service *s = r->service;
    int64_t now_ms = time_monotonic_ms();
    enum mauth_rc rc = MAUTH_OK;

    if (r->body.decisions && !count_unknown(r))
        rc = kv_check(s->kv, err);
    for (size_t i = 0; i < r->body.decisions && rc == MAUTH_OK; i++) {
        r->in_pace[i] = pace_take(s->decisions, &r->principal.caller.principal, now_ms);
        if (!r->in_pace[i])
            refusals_count(
                s->refusals, time_now_s(), r->principal.actor, "decisions-too-fast");
    }
    return rc ? rc : mauth_random(r->salt, sizeof(r->salt), err);
}

static void
looked_up(struct http_exchange *x)
{
    struct request *r = http_state(x);
    struct mauth_err err = r->err;

    if (!err.rc && !r->body.decisions && !count_unknown(r)) {
        answer(x); /* nothing that anybody need know of */
        return;
    }
    if (!err.rc && admit_decisions(r, &err) == MAUTH_OK)
        principal_write(x, &r->principal, run, r, &r->problem, recorded);
    else
        problem_fail(x, &err);
}

/* Looking up, in the thread for questions. */

static int64_t
oldest_s(const struct request *r)
{
    int64_t now_s = time_now_s(), oldest = now_s;

    for (size_t i = 0; i < r->body.tickets; i++)
        if (r->body.accepted[i].time_s < oldest)
            oldest = r->body.accepted[i].time_s;
    oldest -= TICKET_S;
    return oldest < now_s - OLDEST_S ? now_s - OLDEST_S : oldest;
}

static void
look_up(struct auditing_question *q)
{
    struct request *r =
        (struct request *)(void *)((char *)q - offsetof(struct request, question));
    const struct service *s = r->service;

    if (issued_find(s->kv, auditing_index(s->auditing), r->body.ticket, r->body.tickets,
            oldest_s(r) * 1000000, &r->err) != MAUTH_OK)
        r->err.rc = MAUTH_UNAVAILABLE; /* the updater keeps what it has */
    http_resume(r->x);
}

/* Who asks. */

static enum mauth_rc
may(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return ask(arg, txn, err);
}

static void
begin(struct request *r)
{
    const struct service *s = r->service;
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = principal_read(r->x, &r->principal, may, r, &r->problem, &err);

    if (rc == MAUTH_OK && !r->problem &&
        !pace_take(s->reports, &r->principal.caller.principal, time_monotonic_ms()))
        r->problem = "too-fast";
    if (rc != MAUTH_OK)
        problem_fail(r->x, &err);
    else if (r->problem)
        principal_refuse(r->x, &r->principal, r->problem, NULL, false);
    else {
        r->question.run = look_up;
        http_suspend(r->x, looked_up);
        auditing_ask(s->auditing, AUDITING_HANDED_IN, &r->question);
    }
}

void
decisions_api_start(struct http_exchange *x)
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
    if (!principal_admit(x, &r->principal))
        return;
    problem = *http_query(x) ? "query" : decisions_body_parse(http_body(x), &r->body);
    if (problem)
        principal_refuse(x, &r->principal, problem,
            r->body.json.detail[0] ? r->body.json.detail : NULL, false);
    else
        begin(r);
}
