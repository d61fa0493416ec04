#include "authsvc/changes_api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "authsvc/parking.h"
#include "authsvc/principal.h"
#include "authsvc/problem.h"
#include "base/str.h"
#include "base/time.h"
#include "net/form.h"
#include "store/graph_change.h"

/* One request, which may wait. */
struct follow {
    struct principal principal;
    struct http_exchange *x;
    struct parked parked;
    bool waits; /* it said behind which change */
    uint64_t after;
    uint64_t limit;
    struct graph_changes page;
    const char *problem;
};

static void
follow_free(void *state)
{
    struct follow *f = state;

    principal_clear(&f->principal);
    free(f);
}

/* ?after= and ?limit=. */
static bool
read_query(const char *query, struct follow *f)
{
    static const char *const nothing[] = {NULL};
    static const char *const known[] = {"after", "limit", NULL};
    const char *after, *limit;
    struct form *form = NULL;
    bool good;

    f->limit = GRAPH_PAGE_MAX;
    if (!*query)
        return true;
    if (form_parse(text_of(query), &form, NULL) != MAUTH_OK)
        return false;
    after = form_value(form, "after", 0);
    limit = form_value(form, "limit", 0);
    good = !form_repeated(form, nothing) && !form_unknown(form, known) &&
           (!after || str_number(text_of(after), &f->after)) &&
           (!limit || (str_number(text_of(limit), &f->limit) && f->limit >= 1 &&
                          f->limit <= GRAPH_PAGE_MAX));
    f->waits = after != NULL;
    form_free(form);
    return good;
}

/* Who does not say where to begin is told where that is now. */
static enum mauth_rc
ask(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct follow *f = arg;
    enum mauth_rc rc =
        principal_ask(txn, f->x, &f->principal, "changes", &f->problem, err);

    f->page.count = 0;
    if (rc != MAUTH_OK || f->problem)
        return rc;
    if (!f->waits)
        return graph_state(txn, &f->after, err);
    rc = graph_change_page(txn, f->after, (size_t)f->limit, &f->page, err);
    if (rc == MAUTH_NOT_FOUND)
        f->problem = "changes-gone";
    return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
}

static void
write_change(struct buf *out, const struct graph_change *c)
{
    const struct graph_change_form *form = graph_change_form(c->type);
    char when[TIME_LEN + 1], id[ID_LEN + 1];

    time_format(c->time_s, when);
    buf_printf(out,
        "{\"sequence\":%" PRIu64 ",\"time\":\"%s\",\"op\":\"%s\",\"type\":\"%s\","
        "\"ids\":[",
        c->sequence, when, graph_change_op_name(c->op), form->name);
    for (size_t i = 0; i < form->count; i++) {
        id_format(form->kind[i], &c->id[i], id);
        buf_printf(out, "%s\"%s\"", i ? "," : "", id);
    }
    buf_str(out, "]}");
}

static void
answer(struct http_exchange *x, const struct follow *f)
{
    const struct service *service = http_context(x);
    uint64_t next =
        f->page.count ? f->page.items[f->page.count - 1].sequence : f->after;
    struct buf json;

    buf_init(&json);
    buf_str(&json, "{\"items\":[");
    for (size_t i = 0; i < f->page.count; i++) {
        buf_str(&json, i ? "," : "");
        write_change(&json, &f->page.items[i]);
    }
    buf_printf(&json, "],\"next\":\"%s%s?after=%" PRIu64, service->config->issuer.url,
        http_path(x), next);
    if (f->limit != GRAPH_PAGE_MAX)
        buf_printf(&json, "&limit=%" PRIu64, f->limit);
    buf_str(&json, "\"}");
    if (buf_ok(&json))
        http_answer(x, 200, "application/json", buf_slice(&json), NULL);
    else
        problem_answer(x, "unavailable", NULL, NULL);
    buf_clear(&json);
}

/* Anew after each wait: who may not follow any more does not. */
static void
look(struct http_exchange *x)
{
    const struct service *service = http_context(x);
    struct follow *f = http_state(x);
    uint64_t count = parking_count(service->followers);
    struct mauth_err err = MAUTH_ERR_INIT;

    if (principal_read(x, &f->principal, ask, f, &f->problem, &err) != MAUTH_OK)
        problem_fail(x, &err);
    else if (f->problem)
        principal_refuse(x, &f->principal, f->problem, NULL, false);
    else if (!f->waits || f->page.count ||
             !parking_wait(service->followers, &f->parked, count, x, look))
        answer(x, f);
}

void
changes_api_start(struct http_exchange *x)
{
    struct follow *f = calloc(1, sizeof(*f));

    if (!f) {
        problem_answer(x, "unavailable", NULL, NULL);
        return;
    }
    http_set_state(x, f, follow_free);
    f->x = x;
    if (!principal_admit(x, &f->principal))
        return;
    if (!read_query(http_query(x), f))
        principal_refuse(x, &f->principal, "query", NULL, false);
    else
        look(x);
}
