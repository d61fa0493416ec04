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
    struct text credentials; /* all of the header behind its scheme */
    uint64_t hash;           /* of them, as of one */
    struct text question;    /* in room */
    struct loaded *loaded;   /* held by the lock of a stripe, or by its count */
    size_t tickets;
    bool first_is_bound;
    bool allowed;
    size_t rule;             /* that allowed it */
    struct mauth_err denial; /* by the rules */
    struct mauth_err err;    /* of a ticket, or of ours */
    char room[RECALL_TEXT];
};

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
    struct text question = c->question;
    enum mauth_rc rc;

    if (c->tickets > 0)
        return take_part(c, held->ticket);
    if (recall_answer(held->recall, c->loaded->generation, question, c->loaded->rules,
            c->decision)) {
        c->tickets = 1;
        c->first_is_bound = held->terms->holder.p != NULL;
        c->allowed = true;
        return MAUTH_OK;
    }
    rc = take_part(c, held->ticket);
    if (c->allowed)
        recall_keep(
            held->recall, c->loaded->generation, question, c->rule, c->decision);
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
 * Looks for the credential, whose stripe of the cache is locked, among those seen
 * before; true when it was there and *rc says how it went.
 */
static bool
known_ticket(struct check *c, uint64_t hash, struct text credential, enum mauth_rc *rc)
{
    const struct loaded *l = c->loaded;
    struct cached *held = cache_find(c->v->cache, hash, credential);

    if (!held || held->checked < l->keys_since)
        return false;
    *rc = ticket_check_again(held->ticket, held->terms, l->trust, &c->want,
        held->checked == l->generation, &c->err);
    if (*rc == MAUTH_OK) {
        if (held->checked != l->generation)
            held->checked = l->generation;
        *rc = take_part_again(c, held);
    }
    return true;
}

/* Before the cache takes the ticket over; copies, for it may drop it at once. */
static struct journal_ticket
name_for_journal(const struct check *c, const struct mauth_ticket *t)
{
    struct journal_ticket named = {.id = ""};

    if (!c->v->journal)
        return named;
    decision_copy_id(named.id, t->says.id);
    decision_copy_id(named.key, t->says.key_id);
    memcpy(named.digest, t->digest, sizeof(named.digest));
    return named;
}

static enum mauth_rc
new_ticket(struct check *c, struct text credential)
{
    struct journal_ticket named;
    struct mauth_ticket *t = NULL;
    char xml[MAUTH_TICKET_MAX];
    enum mauth_rc rc;
    size_t len;

    rc = mauth_credential_decode(credential.p, credential.len, xml, &len, &c->err);
    if (rc == MAUTH_OK)
        rc = mauth_ticket_verify(xml, len, c->loaded->trust, &c->want, &t, &c->err);
    if (rc != MAUTH_OK)
        return rc;
    rc = take_part(c, t);
    named = name_for_journal(c, t);
    if (cache_put(c->v->cache, credential, t, sizeof(*t) + t->pool_len,
            c->loaded->generation) &&
        c->v->journal)
        journal_accept(c->v->journal, &named, c->request->now_s);
    return rc;
}

static void
forget_dead(struct check *c, struct text credential, enum mauth_rc rc)
{
    if (rc != MAUTH_OK && is_dead(c->err.reason))
        cache_drop(c->v->cache, credential);
}

/* One of several. */
static enum mauth_rc
any_ticket(struct check *c, struct text credential)
{
    struct cache *cache = c->v->cache;
    uint64_t hash = cache_seek(cache, credential);
    enum mauth_rc rc = MAUTH_INTERNAL;
    bool known;

    (void)!cache_lock(cache, hash); /* this check has its own already */
    known = known_ticket(c, hash, credential, &rc);
    cache_unlock(cache, hash);
    if (!known)
        return new_ticket(c, credential);
    forget_dead(c, credential, rc);
    return rc;
}

static enum mauth_rc
check_set(struct check *c)
{
    struct ticket_set set;
    enum mauth_rc rc = ticket_set_split(c->credentials, &set, &c->err);

    if (rc == MAUTH_OK && set.count == 1) /* which is not known */
        return new_ticket(c, set.credential[0]);
    for (size_t i = 0; i < set.count && rc == MAUTH_OK; i++)
        rc = any_ticket(c, set.credential[i]);
    return rc;
}

/* With a stripe locked. */
static void
note_loaded(struct check *c, struct loaded *l)
{
    c->loaded = l;
    c->decision->epoch = mauth_trust_epoch(l->trust);
    c->decision->sequence = mauth_trust_sequence(l->trust);
}

/*
 * Most headers are one ticket that was seen before. So all of it is looked for in
 * one piece, under the lock of its stripe: what is kept has no '~' in it. What
 * takes longer is done without the lock.
 */
static enum mauth_rc
check_header(struct check *c)
{
    struct cache *cache = c->v->cache;
    enum mauth_rc rc = c->err.rc; /* so far */
    bool known;

    note_loaded(c, cache_lock(cache, c->hash));
    known = rc == MAUTH_OK && known_ticket(c, c->hash, c->credentials, &rc);
    if (known || rc != MAUTH_OK) {
        cache_unlock(cache, c->hash);
        if (known)
            forget_dead(c, c->credentials, rc);
        return rc;
    }
    loaded_use(c->loaded);
    cache_unlock(cache, c->hash);
    rc = check_set(c);
    loaded_release(c->loaded);
    return rc;
}

/* First of all: what is done meanwhile need not wait for memory any more. */
static enum mauth_rc
open_header(struct check *c)
{
    const struct mauth_request *r = c->request;
    struct text header = {r->authorization, r->authorization_len};
    enum mauth_rc rc;

    if (!header.p)
        return mauth_fail(&c->err, MAUTH_UNTRUSTED, "no ticket was shown");
    rc = ticket_set_open(header, &c->credentials, &c->err);
    if (rc == MAUTH_OK)
        c->hash = cache_seek(c->v->cache, c->credentials);
    return rc;
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

/* A new error, without wiping all the room for its text. */
static void
blank(struct mauth_err *err)
{
    err->rc = MAUTH_OK;
    err->reason = MAUTH_REASON_NONE;
    err->where[0] = err->text[0] = '\0';
}

static void
start(struct check *c, struct mauth_verifier *v, const struct mauth_request *r,
    struct mauth_decision *d)
{
    c->v = v;
    c->request = r;
    c->decision = d;
    c->want = (struct mauth_expect){.size = sizeof(c->want),
        .audience = v->audience,
        .now_s = r->now_s,
        .skew_s = v->skew_s,
        .allow_bearer = v->allow_bearer,
        .holder_spki = r->key_spki,
        .holder_spki_len = r->key_spki_len};
    c->credentials = c->question = (struct text){"", 0};
    c->hash = 0;
    c->loaded = NULL;
    c->tickets = 0;
    c->first_is_bound = c->allowed = false;
    c->rule = 0;
    blank(&c->denial);
    blank(&c->err);
}

enum mauth_rc
mauth_verifier_check(struct mauth_verifier *v, const struct mauth_request *request,
    struct mauth_decision *decision)
{
    enum mauth_rc rc;
    struct check c;

    if (decision->size != sizeof(*decision))
        return MAUTH_INVALID;
    decision_start(decision);
    if (!makes_sense(request))
        return MAUTH_INVALID;
    start(&c, v, request, decision);
    rc = open_header(&c);
    verifier_look(v);
    if (rc == MAUTH_OK)
        c.question = recall_question(request, c.room);
    rc = check_header(&c);
    if (rc == MAUTH_OK && !c.allowed) {
        c.err = c.denial;
        rc = c.err.rc;
    }
    decision_end(decision, rc, &c.err);
    return rc;
}
