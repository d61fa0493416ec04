#include "authsvc/trust_api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/own_trust.h"
#include "authsvc/parking.h"
#include "authsvc/principal.h"
#include "authsvc/problem.h"
#include "base/str.h"
#include "net/form.h"

/* A file's place among all: the later one is the higher one. */
struct place {
    uint64_t epoch, sequence;
};

/* One request, which may wait. */
struct watch {
    struct principal principal;
    struct http_exchange *x;
    struct parked parked;
    bool waits; /* for one behind this */
    struct place after;
    const char *problem;
};

static void
watch_free(void *state)
{
    struct watch *w = state;

    principal_clear(&w->principal);
    free(w);
}

/* "3.17" */
static bool
read_place(const char *s, struct place *out)
{
    struct text rest = text_of(s), epoch;

    return text_cut(&rest, '.', &epoch) && str_number(epoch, &out->epoch) &&
           str_number(rest, &out->sequence);
}

static bool
is_behind(const struct place *a, const struct place *b)
{
    return a->epoch != b->epoch ? a->epoch > b->epoch : a->sequence > b->sequence;
}

/* ?after=, and nothing else. */
static bool
read_query(const char *query, struct watch *w)
{
    static const char *const nothing[] = {NULL};
    static const char *const known[] = {"after", NULL};
    struct form *f = NULL;
    const char *after;
    bool good;

    if (!*query)
        return true;
    if (form_parse(text_of(query), &f, NULL) != MAUTH_OK)
        return false;
    after = form_value(f, "after", 0);
    good = !form_repeated(f, nothing) && !form_unknown(f, known) && after &&
           read_place(after, &w->after);
    w->waits = good;
    form_free(f);
    return good;
}

static enum mauth_rc
ask(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct watch *w = arg;

    return principal_ask(txn, w->x, &w->principal, "trust", &w->problem, err);
}

static void
drop(void *ref)
{
    shared_drop(ref);
}

/* The file, of which there is one for all, or that it is the one that the client has. */
static void
answer(struct http_exchange *x, struct shared_ref *ref, const struct place *at,
    bool is_news)
{
    const struct http_held file = {own_trust_text(ref), drop, ref};
    const char *have = http_header(x, "If-None-Match");
    char tag[64], etag[80];
    const char *const headers[] = {etag, NULL};

    snprintf(tag, sizeof(tag), "\"%" PRIu64 ".%" PRIu64 "\"", at->epoch, at->sequence);
    snprintf(etag, sizeof(etag), "ETag: %s", tag);
    if (is_news && !(have && strcmp(have, tag) == 0)) {
        http_answer_held(x, 200, "text/plain; charset=utf-8", &file, headers);
        return;
    }
    http_answer(x, 304, NULL, text_of(NULL), headers);
    shared_drop(ref);
}

/* Anew after each wait: who may not see it any more does not. */
static void
look(struct http_exchange *x)
{
    const struct service *service = http_context(x);
    struct watch *w = http_state(x);
    uint64_t count = parking_count(service->waiting);
    struct mauth_err err = MAUTH_ERR_INIT;
    struct shared_ref *ref = NULL;
    struct place at;
    bool is_news;
    enum mauth_rc rc;

    rc = principal_read(x, &w->principal, ask, w, &w->problem, &err);
    if (rc == MAUTH_OK && w->problem) {
        principal_refuse(x, &w->principal, w->problem, NULL, false);
        return;
    }
    if (rc == MAUTH_OK)
        rc = own_trust_take(service->trust, &ref, &err);
    if (rc != MAUTH_OK) {
        problem_fail(x, &err);
        return;
    }
    at.epoch = mauth_trust_epoch(own_trust_of(ref));
    at.sequence = mauth_trust_sequence(own_trust_of(ref));
    is_news = !w->waits || is_behind(&at, &w->after);
    if (is_news || !parking_wait(service->waiting, &w->parked, count, x, look))
        answer(x, ref, &at, is_news);
    else
        shared_drop(ref);
}

void
trust_api_start(struct http_exchange *x)
{
    struct watch *w = calloc(1, sizeof(*w));
    struct mauth_err err = MAUTH_ERR_INIT;
    const char *problem;

    if (!w) {
        problem_answer(x, "unavailable", NULL, NULL);
        return;
    }
    http_set_state(x, w, watch_free);
    w->x = x;
    problem = principal_take(x, &w->principal, &err);
    if (problem)
        caller_refuse(x, problem, &err);
    else if (!read_query(http_query(x), w))
        principal_refuse(x, &w->principal, "query", NULL, false);
    else
        look(x);
}
