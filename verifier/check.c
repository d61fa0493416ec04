#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "policy/eval.h"
#include "tickets/set.h"
#include "tickets/verify.h"
#include "verifier/decision.h"
#include "verifier/facts.h"
#include "verifier/verifier.h"
#include <meshauth/credential.h>

/* One check under way. */
struct check {
    struct mauth_verifier *v;
    const struct mauth_request *request;
    struct mauth_decision *decision;
    struct mauth_expect want;
    struct verifier_stripe *stripe;
    struct loaded *loaded;
    bool counted; /* loaded is held by its count, no longer by the stripe's lock */
    size_t tickets;
    bool first_is_bound;
    bool allowed;
    size_t rule;             /* that allowed it */
    struct mauth_err denial; /* by the rules */
    struct mauth_err err;    /* of a ticket, or of ours */
};

static void
hold(struct check *c)
{
    int cpu = sched_getcpu();

    c->stripe = &c->v->stripe[(cpu < 0 ? 0U : (unsigned)cpu) % VERIFIER_STRIPES];
    pthread_mutex_lock(&c->stripe->lock);
    c->loaded = c->stripe->loaded;
}

/* What takes long is done without the stripe's lock. */
static void
hold_by_count(struct check *c)
{
    if (c->counted)
        return;
    loaded_use(c->loaded);
    c->counted = true;
    pthread_mutex_unlock(&c->stripe->lock);
}

static void
let_go(struct check *c)
{
    if (c->counted)
        loaded_release(c->loaded);
    else
        pthread_mutex_unlock(&c->stripe->lock);
}

/*
 * Tickets of one set speak of the same subject, key and session. Those that are
 * bound to a key have all stood against the proven one, so their keys are the
 * same; none may be a bearer's among them.
 */
static enum mauth_rc
compare_with_first(struct check *c, const struct mauth_ticket *t)
{
    const struct mauth_decision *d = c->decision;
    bool bound = t->says.holder_spki != NULL;

    if (c->tickets++ == 0) {
        decision_name_ticket(c->decision, t);
        c->first_is_bound = bound;
        return MAUTH_OK;
    }
    if (bound != c->first_is_bound ||
        strcmp(d->subject, mauth_ticket_subject(t)) != 0 ||
        strcmp(d->session, mauth_ticket_session(t)) != 0)
        return mauth_refuse(&c->err, MAUTH_REASON_MIXED_SET,
            "credential: its tickets are not of one subject, key and session");
    return MAUTH_OK;
}

static void
note_denial(struct check *c, const struct mauth_err *err)
{
    if (c->denial.rc == MAUTH_OK ||
        (err->reason == MAUTH_REASON_BOUND && c->denial.reason != MAUTH_REASON_BOUND))
        c->denial = *err;
}

static enum mauth_rc
ask_rules(struct check *c, struct mauth_ticket *t)
{
    const struct mauth_request *r = c->request;
    struct fact_source facts = ticket_facts(t);
    struct text args[RULES_ARGS_MAX];
    struct eval_question q = {.kind = RULE_ALLOW,
        .action = text_of(r->action),
        .arg = args,
        .args = r->arg_count,
        .issuer = t->says.issuer};
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc;
    struct eval e;

    for (size_t i = 0; i < r->arg_count; i++)
        args[i] = text_of(r->args[i]);
    rc = eval_decide(c->loaded->rules, &q, &facts, &e, &err);
    if (rc == MAUTH_OK) {
        c->allowed = true;
        c->rule = eval_rule_number(&e);
        if (c->tickets > 1) /* the first has its names there already */
            decision_name_ticket(c->decision, t);
        decision_name_proof(c->decision, &e);
        return MAUTH_OK;
    }
    if (rc != MAUTH_DENIED) {
        c->err = err;
        return rc;
    }
    note_denial(c, &err);
    return MAUTH_OK;
}

/* A ticket that is good: it takes part in the set, and may prove what is asked. */
static enum mauth_rc
take_part(struct check *c, struct mauth_ticket *t)
{
    enum mauth_rc rc = compare_with_first(c, t);

    if (rc == MAUTH_OK && !c->allowed)
        rc = ask_rules(c, t);
    return rc;
}

/*
 * The same for one that was seen before: it may have been asked the very same.
 * Only the first of a set, and once for all: with others it is one of many things.
 */
static enum mauth_rc
take_part_again(struct check *c, struct cached *held)
{
    char room[RECALL_TEXT];
    struct text question;
    enum mauth_rc rc;

    if (c->tickets > 0)
        return take_part(c, held->ticket);
    question = recall_question(c->request, room);
    if (recall_answer(&held->recall, c->loaded->generation, question, c->loaded->rules,
            c->decision)) {
        c->tickets = 1;
        c->first_is_bound = held->ticket->says.holder_spki != NULL;
        c->allowed = true;
        return MAUTH_OK;
    }
    rc = take_part(c, held->ticket);
    if (c->allowed)
        recall_keep(
            &held->recall, c->loaded->generation, question, c->rule, c->decision);
    return rc;
}

/* Will it never be good again? Then it need not be kept. */
static bool
is_dead(enum mauth_reason reason)
{
    return reason == MAUTH_REASON_EXPIRED || reason == MAUTH_REASON_REVOKED ||
           reason == MAUTH_REASON_KEY_REVOKED || reason == MAUTH_REASON_KEY_UNKNOWN;
}

/*
 * Looks for the credential among those seen before; true when it was there and
 * *rc says how it went. Its stripe of the cache is locked meanwhile.
 */
static bool
known_ticket(struct check *c, struct text credential, enum mauth_rc *rc)
{
    const struct loaded *l = c->loaded;
    size_t stripe;
    struct cached *held = cache_lock(c->v->cache, credential, &stripe);
    bool usable = held && held->checked >= l->keys_since;

    if (usable) {
        *rc = ticket_check_again(
            held->ticket, l->trust, &c->want, held->checked == l->generation, &c->err);
        if (*rc == MAUTH_OK) {
            held->checked = l->generation;
            *rc = take_part_again(c, held);
        }
    }
    cache_unlock(c->v->cache, stripe);
    if (usable && *rc != MAUTH_OK && is_dead(c->err.reason))
        cache_drop(c->v->cache, credential);
    return usable;
}

static enum mauth_rc
new_ticket(struct check *c, struct text credential)
{
    struct mauth_ticket *t = NULL;
    char xml[MAUTH_TICKET_MAX];
    enum mauth_rc rc;
    size_t len;

    hold_by_count(c);
    rc = mauth_credential_decode(credential.p, credential.len, xml, &len, &c->err);
    if (rc == MAUTH_OK)
        rc = mauth_ticket_verify(xml, len, c->loaded->trust, &c->want, &t, &c->err);
    if (rc != MAUTH_OK)
        return rc;
    rc = take_part(c, t);
    cache_put(
        c->v->cache, credential, t, sizeof(*t) + t->pool_len, c->loaded->generation);
    return rc;
}

static enum mauth_rc
check_set(struct check *c)
{
    const struct mauth_request *r = c->request;
    struct text header = {r->authorization, r->authorization_len};
    struct ticket_set set;
    enum mauth_rc rc;

    if (!r->authorization)
        return mauth_fail(&c->err, MAUTH_UNTRUSTED, "no ticket was shown");
    rc = ticket_set_parse(header, &set, &c->err);
    for (size_t i = 0; i < set.count && rc == MAUTH_OK; i++)
        if (!known_ticket(c, set.credential[i], &rc))
            rc = new_ticket(c, set.credential[i]);
    if (rc != MAUTH_OK || c->allowed)
        return rc;
    c->err = c->denial;
    return c->err.rc;
}

static bool
makes_sense(const struct mauth_request *r)
{
    if (r->size != sizeof(*r) || !r->action || r->arg_count > RULES_ARGS_MAX ||
        (r->arg_count && !r->args) || r->now_s < 0 || r->now_s > INT64_MAX / 2)
        return false;
    for (size_t i = 0; i < r->arg_count; i++)
        if (!r->args[i])
            return false;
    return true;
}

enum mauth_rc
mauth_verifier_check(struct mauth_verifier *v, const struct mauth_request *request,
    struct mauth_decision *decision)
{
    struct check c = {.v = v,
        .request = request,
        .decision = decision,
        .want = {.size = sizeof(c.want),
            .audience = v->audience,
            .skew_s = v->skew_s,
            .allow_bearer = v->allow_bearer}};
    enum mauth_rc rc;

    if (decision->size != sizeof(*decision))
        return MAUTH_INVALID;
    decision_start(decision);
    if (!makes_sense(request))
        return MAUTH_INVALID;
    c.want.now_s = request->now_s;
    c.want.holder_spki = request->key_spki;
    c.want.holder_spki_len = request->key_spki_len;
    verifier_look(v);
    hold(&c);
    decision->epoch = mauth_trust_epoch(c.loaded->trust);
    decision->sequence = mauth_trust_sequence(c.loaded->trust);
    rc = check_set(&c);
    let_go(&c);
    decision_end(decision, rc, &c.err);
    return rc;
}
