#include "authsvc/rights.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/rights_parts.h"
#include "base/fail.h"
#include "base/time.h"

static struct rights *
rights_empty(void)
{
    struct rights *r = malloc(sizeof(*r));

    if (r)
        memset(r, 0, offsetof(struct rights, audience));
    return r;
}

enum mauth_rc
rights_new(const struct issue_ground *ground, const struct caller *caller,
    const struct form *form, struct rights **out, struct mauth_err *err)
{
    struct rights *r = rights_empty();

    *out = r;
    if (!r)
        return mauth_fail(err, MAUTH_NO_MEMORY, "rights: no memory");
    r->ground = *ground;
    r->caller = caller;
    r->refusal = rights_gather(r, form);
    return MAUTH_OK;
}

enum mauth_rc
rights_new_initial(const struct issue_ground *ground, const struct caller *caller,
    const uint8_t key_hash[GRAPH_KEY_HASH], const struct id *folder,
    struct rights **out, struct mauth_err *err)
{
    struct rights *r = rights_empty();

    *out = r;
    if (!r)
        return mauth_fail(err, MAUTH_NO_MEMORY, "rights: no memory");
    r->ground = *ground;
    r->caller = caller;
    r->key_hash = key_hash;
    r->initial = true;
    r->has_folder = folder != NULL;
    if (folder)
        r->folder = *folder;
    return MAUTH_OK;
}

void
rights_forget_tickets(struct rights *r)
{
    while (r->tickets) {
        issued_clear(&r->ticket[--r->tickets]->issued);
        free(r->ticket[r->tickets]);
    }
}

void
rights_free(struct rights *r)
{
    if (!r)
        return;
    rights_forget_tickets(r);
    audit_entry_free(r->refused);
    free(r);
}

const char *
rights_refusal(const struct rights *r)
{
    return r->refusal;
}

const char *
rights_lacks(const struct rights *r)
{
    return r->why;
}

bool
rights_are_denied(const struct rights *r)
{
    return r->refusal && (strcmp(r->refusal, "not-granted") == 0 ||
                             strcmp(r->refusal, "resource-unknown") == 0);
}

/* Issue. */

struct permits {
    struct ticket_permit permit[TICKET_PERMITS];
    struct text action[TICKET_ACTIONS];
    size_t permits, actions;
};

/* False when there are more actions than a ticket holds. */
static bool
add_permit(
    const struct rights *r, const char *url, uint64_t actions, struct permits *out)
{
    struct ticket_permit *p = &out->permit[out->permits++];

    p->resource = text_of(url);
    p->first = out->actions;
    for (size_t i = 0; i < r->actions; i++) {
        if (!(actions >> i & 1))
            continue;
        if (out->actions == TICKET_ACTIONS)
            return false;
        out->action[out->actions++] = r->action[i];
    }
    p->count = out->actions - p->first;
    return true;
}

static enum mauth_rc
issue_one(const struct rights *r, struct rights_ticket *t, struct mauth_err *err)
{
    struct permits permits = {.permits = 0};
    struct issue_rights says = {.audiences = t->audiences,
        .permit = permits.permit,
        .action = permits.action,
        .fact = t->fact,
        .facts = t->facts,
        .rule = t->rule};

    memcpy(says.audience, t->audience, sizeof(says.audience));
    for (size_t i = 0; i < r->nodes; i++) {
        if (t->granted[i])
            says.about[says.abouts++] = r->node[i].url;
        if (t->permitted[i] &&
            !add_permit(r, r->node[i].url, t->permitted[i], &permits))
            return mauth_fail(err, MAUTH_TOO_LARGE, "rights: too many actions");
    }
    says.permits = permits.permits;
    says.actions = permits.actions;
    return issue_rights(&r->ground, &says, &t->issued, err);
}

static void
forget_ticket(struct rights *r, size_t i)
{
    issued_clear(&r->ticket[i]->issued);
    free(r->ticket[i]);
    r->tickets--;
    memmove(&r->ticket[i], &r->ticket[i + 1], (r->tickets - i) * sizeof(*r->ticket));
}

/* What nobody asked for is left out when the key for its audience does not sign now: who
 * needs it asks, and is told. */
static bool
may_lack(struct rights *r, size_t i, enum mauth_rc rc, struct mauth_err *err)
{
    if (!r->initial || rc != MAUTH_UNAVAILABLE)
        return false;
    mauth_err_reset(err);
    forget_ticket(r, i);
    return true;
}

enum mauth_rc
rights_issue(struct rights *r, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;
    size_t i = 0;

    while (i < r->tickets && rc == MAUTH_OK) {
        rc = issue_one(r, r->ticket[i], err);
        if (may_lack(r, i, rc, err))
            rc = MAUTH_OK; /* the next one is here now */
        else
            i++;
    }
    if (rc != MAUTH_TOO_LARGE)
        return rc;
    mauth_err_reset(err);
    rights_forget_tickets(r);
    r->refusal = "too-much";
    return MAUTH_OK;
}

/* Record. */

enum mauth_rc
rights_record(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct rights *r = arg;
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < r->tickets && rc == MAUTH_OK; i++)
        rc = audit_append(txn, r->ticket[i]->issued.entry, err);
    return rc;
}

enum mauth_rc
rights_prepare_refusal(struct rights *r, struct mauth_err *err)
{
    const struct issue_ground *g = &r->ground;
    char actor[ID_LEN + 1], session[ID_LEN + 1], device[ID_LEN + 1];
    struct audit_record record = {
        .time_us = time_now_us(),
        .actor = actor,
        .session = session,
        .device = g->has_device ? device : mauth_key_id(g->holder),
        .action = "ticket.issue",
        .outcome = "deny",
        .reason = r->refusal,
        .client = g->client,
        .request = g->request,
    };

    id_format(g->subject_kind, &g->subject, actor);
    id_format(ID_SESSION, &g->session, session);
    id_format(ID_DEVICE, &g->device, device);
    for (size_t i = 0; i < r->resources && record.resource_count < AUDIT_RESOURCES; i++)
        record.resources[record.resource_count++] = r->resource[i];
    for (size_t i = 0; i < r->names && record.resource_count < AUDIT_RESOURCES; i++)
        record.resources[record.resource_count++] = r->named[i];
    return audit_entry_new(&record, &r->refused, err);
}

enum mauth_rc
rights_record_refusal(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return audit_append(txn, ((const struct rights *)arg)->refused, err);
}

/* Answer. */

/* A line for each audience and node of a ticket. */
static void
add_lines(struct rights *r, const struct rights_ticket *t, struct token_answer *out)
{
    size_t nodes = r->nodes ? r->nodes : 1;

    for (size_t a = 0; a < t->audiences; a++)
        for (size_t n = 0; n < nodes; n++)
            if (t->granted[n]) {
                r->line[out->lines++] = (struct token_line){.ticket = &t->issued,
                    .audience = t->audience[a],
                    .resource = r->nodes ? r->node[n].url : NULL,
                    .action = r->action,
                    .actions = t->granted[n]};
                out->scope |= t->granted[n];
            }
}

void
rights_answer(struct rights *r, struct token_answer *out)
{
    out->line = r->line;
    out->lines = 0;
    out->action = r->action;
    out->scope = 0;
    for (size_t i = 0; i < r->tickets; i++)
        add_lines(r, r->ticket[i], out);
    if (!r->narrowed || r->initial)
        out->scope = 0;
}
