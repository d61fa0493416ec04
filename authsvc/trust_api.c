#include "authsvc/trust_api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/log.h"
#include "authsvc/own_trust.h"
#include "authsvc/parking.h"
#include "authsvc/principal.h"
#include "authsvc/problem.h"
#include "authsvc/verifiers.h"
#include "base/str.h"
#include "base/time.h"
#include "keys/trust_delta.h"
#include "keys/trust_place.h"
#include "net/form.h"

/* One request, which may wait. */
struct watch {
    struct principal principal;
    struct http_exchange *x;
    struct parked parked;
    bool waits; /* for one behind this */
    struct trust_place after;
    bool reports; /* what its service has loaded */
    struct trust_report loaded;
    const char *problem;
};

static void
watch_free(void *state)
{
    struct watch *w = state;

    principal_clear(&w->principal);
    free(w);
}

/* ?after= and ?loaded=, and nothing else. */
static bool
read_query(const char *query, struct watch *w)
{
    static const char *const nothing[] = {NULL};
    static const char *const known[] = {"after", "loaded", NULL};
    struct form *f = NULL;
    const char *after, *loaded;
    bool good;

    if (!*query)
        return true;
    if (form_parse(text_of(query), &f, NULL) != MAUTH_OK)
        return false;
    after = form_value(f, "after", 0);
    loaded = form_value(f, "loaded", 0);
    good = !form_repeated(f, nothing) && !form_unknown(f, known) && (after || loaded) &&
           (!after || trust_place_read(text_of(after), &w->after)) &&
           (!loaded || verifiers_read(text_of(loaded), &w->loaded));
    w->waits = good && after;
    w->reports = good && loaded;
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

/* Does it take this type? Weights are left alone: nobody asks for what he does not want. */
static bool
accepts(struct http_exchange *x, const char *type)
{
    struct text rest = text_of(http_header(x, "Accept")), one;
    bool is_last = false;

    while (!is_last) {
        is_last = !text_cut(&rest, ',', &one);
        one = is_last ? rest : one;
        while (one.len && *one.p == ' ')
            one = (struct text){one.p + 1, one.len - 1};
        if (text_is(one, type))
            return true;
    }
    return false;
}

/* The file, or the delta, of which there is one for all. The ETag is that of the file, as
 * in RFC 3229 5. */
static void
send(struct http_exchange *x, struct shared_ref *ref, const char *etag)
{
    const struct watch *w = http_state(x);
    const char *const headers[] = {etag, NULL};
    struct http_held held = {own_trust_text(ref), drop, ref};
    struct text delta = {"", 0};

    if (w->waits && accepts(x, TRUST_DELTA_TYPE))
        delta = own_trust_delta(ref, w->after);
    if (!delta.len) {
        http_answer_held(x, 200, "text/plain; charset=utf-8", &held, headers);
        return;
    }
    held.body = delta;
    http_answer_held(x, 200, TRUST_DELTA_TYPE, &held, headers);
}

/* The file, or that it is the one that the client has. */
static void
answer(struct http_exchange *x, struct shared_ref *ref, bool is_news)
{
    const char *have = http_header(x, "If-None-Match");
    char place[TRUST_PLACE_MAX + 1], tag[TRUST_PLACE_MAX + 3], etag[80];
    const char *const headers[] = {etag, NULL};

    trust_place_format(trust_place_of(own_trust_of(ref)), place);
    snprintf(tag, sizeof(tag), "\"%s\"", place);
    snprintf(etag, sizeof(etag), "ETag: %s", tag);
    if (is_news && !(have && strcmp(have, tag) == 0)) {
        send(x, ref, etag);
        return;
    }
    http_answer(x, 304, NULL, text_of(NULL), headers);
    shared_drop(ref);
}

/* Only what services have loaded counts: nobody waits for a user's device. */
static void
note_report(struct http_exchange *x, const struct watch *w)
{
    const struct service *service = http_context(x);
    const struct caller *caller = &w->principal.caller;
    struct mauth_err err = MAUTH_ERR_INIT;
    bool is_alarm;

    if (!w->reports || caller->kind != ID_SERVICE)
        return;
    if (verifiers_report(service->verifiers, &caller->principal, &w->loaded,
            time_now_s(), &is_alarm, &err) != MAUTH_OK)
        log_failure(http_request_id(x), &err);
    else if (is_alarm)
        log_error("%s has loaded a trust file %" PRIu64 ".%" PRIu64
                  " that was not published here: somebody else signs with the "
                  "authority's key",
            w->principal.actor, w->loaded.place.epoch, w->loaded.place.sequence);
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
    bool is_news;
    enum mauth_rc rc;

    rc = principal_read(x, &w->principal, ask, w, &w->problem, &err);
    if (rc == MAUTH_OK && w->problem) {
        principal_refuse(x, &w->principal, w->problem, NULL, false);
        return;
    }
    if (rc == MAUTH_OK) {
        note_report(x, w);
        w->reports = false; /* once */
        rc = own_trust_take(service->trust, &ref, &err);
    }
    if (rc != MAUTH_OK) {
        problem_fail(x, &err);
        return;
    }
    is_news = !w->waits ||
              trust_place_compare(trust_place_of(own_trust_of(ref)), w->after) > 0;
    if (is_news || !parking_wait(service->waiting, &w->parked, count, x, look))
        answer(x, ref, is_news);
    else
        shared_drop(ref);
}

void
trust_api_start(struct http_exchange *x)
{
    struct watch *w = calloc(1, sizeof(*w));

    if (!w) {
        problem_answer(x, "unavailable", NULL, NULL);
        return;
    }
    http_set_state(x, w, watch_free);
    w->x = x;
    if (!principal_admit(x, &w->principal))
        return;
    if (!read_query(http_query(x), w))
        principal_refuse(x, &w->principal, "query", NULL, false);
    else
        look(x);
}
