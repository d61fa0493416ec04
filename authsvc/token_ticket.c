#include "authsvc/token_ticket.h"

#include <stdlib.h>
#include <string.h>

#include "authsvc/caller.h"
#include "authsvc/commit.h"
#include "authsvc/ground.h"
#include "authsvc/oauth.h"
#include "authsvc/renewal.h"
#include "authsvc/rights.h"
#include "authsvc/token_request.h"
#include "base/str.h"
#include "base/time.h"

/* One exchange of a ticket, from its first byte to its answer. */
struct exchange {
    struct form *form;
    struct caller caller;
    struct commit commit;
    struct renewal renewal; /* one of the two is used */
    struct rights *rights;
};

static void
exchange_free(void *state)
{
    struct exchange *e = state;

    renewal_clear(&e->renewal);
    rights_free(e->rights);
    caller_clear(&e->caller);
    form_free(e->form);
    free(e);
}

/* Why a ticket was not taken; NULL when it was our own clock, trust file or memory. */
static const char *
refusal_of(const struct mauth_err *err)
{
    switch (err->reason) {
    case MAUTH_REASON_NONE: return err->rc == MAUTH_DENIED ? "ticket-kind" : NULL;
    case MAUTH_REASON_TRUST_EXPIRED:
    case MAUTH_REASON_CLOCK: return NULL;
    case MAUTH_REASON_SIZE:
    case MAUTH_REASON_FORM:
    case MAUTH_REASON_LIFETIME: return "ticket-form";
    case MAUTH_REASON_ISSUER: return "ticket-issuer";
    case MAUTH_REASON_KEY_UNKNOWN:
    case MAUTH_REASON_KEY_REVOKED:
    case MAUTH_REASON_KEY_WINDOW:
    case MAUTH_REASON_SIGNATURE: return "ticket-signature";
    case MAUTH_REASON_NOT_YET: return "ticket-not-yet";
    case MAUTH_REASON_EXPIRED: return "ticket-expired";
    case MAUTH_REASON_AUDIENCE: return "ticket-kind"; /* the issuer is theirs alone */
    case MAUTH_REASON_REVOKED: return "ticket-revoked";
    case MAUTH_REASON_HOLDER:
    case MAUTH_REASON_NO_PROOF: return "ticket-key";
    case MAUTH_REASON_MIXED_SET:
    case MAUTH_REASON_NO_RULE:
    case MAUTH_REASON_BOUND: break; /* not of a ticket */
    }
    return NULL;
}

static void
refuse_ticket(struct http_exchange *x, const struct mauth_err *err)
{
    const char *wrong = refusal_of(err);

    if (wrong)
        token_refuse(x, wrong);
    else
        token_fail(x, err);
}

static void
answer(struct http_exchange *x, struct token_answer *a)
{
    const struct exchange *e = http_state(x);

    a->by_dpop = e->caller.proof.by_dpop;
    token_answer(x, a);
}

/* Renewal. */

static void
renewed(struct http_exchange *x)
{
    struct exchange *e = http_state(x);
    struct renewal *r = &e->renewal;
    struct token_line line[LOGIN_LINES];
    struct token_answer a = {.line = line};
    char root[ISSUE_URL_MAX];

    if (e->commit.job.rc != MAUTH_OK) {
        token_fail(x, &e->commit.job.err);
        return;
    }
    if (r->refusal) {
        token_refuse(x, r->refusal);
        return;
    }
    if (e->caller.kind == ID_USER && issue_mesh_root(r->service->config->issuer.url,
                                         &e->caller.principal, root, sizeof(root)))
        a.mesh = root;
    a.lines = login_lines(&r->tickets, line);
    answer(x, &a);
}

static void
renew(struct http_exchange *x, struct exchange *e, struct text credential)
{
    struct renewal *r = &e->renewal;
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    r->service = http_context(x);
    r->caller = &e->caller;
    r->ground = ground_of_request(x, e->caller.proof.key);
    if (caller_read(r->service, credential, &e->caller, &err) != MAUTH_OK) {
        refuse_ticket(x, &err);
        return;
    }
    rc = renewal_begin(r, &err);
    if (rc == MAUTH_OK && !r->refusal && !token_in_pace(x, &e->caller.principal))
        r->refusal = "too-fast";
    if (rc == MAUTH_OK && !r->refusal)
        rc = renewal_issue(r, &err);
    if (rc != MAUTH_OK)
        token_fail(x, &err);
    else if (r->refusal)
        token_refuse(x, r->refusal);
    else
        commit_start(x, &e->commit, renewal_record, r, renewed);
}

/* Rights. */

static void
granted(struct http_exchange *x)
{
    struct exchange *e = http_state(x);
    struct token_answer a = {.line = NULL};

    if (e->commit.job.rc != MAUTH_OK) {
        token_fail(x, &e->commit.job.err);
        return;
    }
    rights_answer(e->rights, &a);
    answer(x, &a);
}

static void
denied(struct http_exchange *x)
{
    struct exchange *e = http_state(x);

    if (e->commit.job.rc != MAUTH_OK)
        token_fail(x, &e->commit.job.err);
    else
        oauth_answer_refusal_because(
            x, oauth_refusal_named(rights_refusal(e->rights)), rights_lacks(e->rights));
}

/* What the rules deny to somebody known is on record before it is said. */
static void
refuse_rights(struct http_exchange *x, struct exchange *e)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (!rights_are_denied(e->rights))
        token_refuse(x, rights_refusal(e->rights));
    else if (rights_prepare_refusal(e->rights, &err) == MAUTH_OK)
        commit_start(x, &e->commit, rights_record_refusal, e->rights, denied);
    else
        token_fail(x, &err);
}

static void
grant(struct http_exchange *x, struct exchange *e, struct text credential)
{
    const struct issue_ground ground = ground_of_request(x, e->caller.proof.key);
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = rights_new(&ground, &e->caller, e->form, &e->rights, &err);

    if (rc == MAUTH_OK && !rights_refusal(e->rights)) {
        if (caller_verify(ground.service, credential, &e->caller, &err) != MAUTH_OK) {
            refuse_ticket(x, &err);
            return;
        }
        if (!token_in_pace(x, &e->caller.principal)) {
            token_refuse(x, "too-fast");
            return;
        }
        rc = rights_prove(e->rights, &err);
    }
    if (rc == MAUTH_OK && !rights_refusal(e->rights))
        rc = rights_issue(e->rights, &err);
    if (rc != MAUTH_OK)
        token_fail(x, &err);
    else if (rights_refusal(e->rights))
        refuse_rights(x, e);
    else
        commit_start(x, &e->commit, rights_record, e->rights, granted);
}

static void
begin(struct http_exchange *x, struct exchange *e)
{
    struct text credential = text_of(form_value(e->form, "subject_token", 0));
    struct mauth_err err = MAUTH_ERR_INIT;
    const char *wrong;

    e->caller.now_s = time_now_s(); /* before the transaction that proves anything */
    wrong = token_take_proof(x, &e->caller.proof, &err);
    if (!wrong && !e->caller.proof.key)
        wrong = "no-proof";
    if (wrong)
        token_refuse(x, wrong);
    else if (form_value(e->form, "audience", 0) || form_value(e->form, "resource", 0))
        grant(x, e, credential);
    else if (form_value(e->form, "scope", 0))
        token_refuse(x, "renewal-scope");
    else
        renew(x, e, credential);
}

void
token_ticket_start(struct http_exchange *x, struct form *form)
{
    struct exchange *e = calloc(1, sizeof(*e));

    if (!e) {
        form_free(form);
        oauth_answer_refusal(x, oauth_refusal_named("unavailable"));
        return;
    }
    http_set_state(x, e, exchange_free);
    e->form = form;
    begin(x, e);
}
