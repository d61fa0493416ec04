/* Rights are proven: the rules in force over one moment of the graph. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/ground.h"
#include "authsvc/rights_parts.h"
#include "authsvc/rules_in_force.h"
#include "base/fail.h"
#include "facts/graph_facts.h"
#include "policy/eval.h"

enum {
    RUNS = 3 /* with rules that were replaced meanwhile */
};

static const struct predicate_to_relation {
    enum predicate predicate;
    enum ticket_relation relation;
} sayable[] = {
    {PREDICATE_CLAIMED, FACT_CLAIMED},
    {PREDICATE_HOLDER, FACT_HOLDER},
    {PREDICATE_MAPPED, FACT_MAPPED},
    {PREDICATE_MEMBER, FACT_MEMBER},
    {PREDICATE_ROLE, FACT_ROLE},
    {PREDICATE_SERVICE, FACT_SERVICE},
    {PREDICATE_SESSION, FACT_SESSION},
};

static const struct predicate_to_relation *
relation_of(const struct fact *f)
{
    for (size_t i = 0; i < sizeof(sayable) / sizeof(*sayable); i++)
        if (sayable[i].predicate == f->predicate)
            return &sayable[i];
    return NULL;
}

/* Can a ticket say all of it? Its subject it says anyhow. */
static bool
are_sayable(const struct fact *leaf, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (leaf[i].predicate != PREDICATE_SUBJECT && !relation_of(&leaf[i]))
            return false;
    return true;
}

static bool
has_fact(const struct rights_ticket *t, const struct ticket_fact *f)
{
    for (size_t i = 0; i < t->facts; i++)
        if (ticket_fact_compare(&t->fact[i], f) == 0)
            return true;
    return false;
}

/* False when there is no room. */
static bool
add_fact(struct rights_ticket *t, const struct fact *leaf)
{
    const struct predicate_to_relation *to = relation_of(leaf);
    struct ticket_fact f = {.relation = FACT_SESSION};

    if (!to)
        return true;
    f.relation = to->relation;
    for (size_t i = 0; i < ticket_relation_arity(f.relation); i++)
        f.arg[i] = leaf->arg[i];
    if (has_fact(t, &f))
        return true;
    if (t->facts == TICKET_FACTS)
        return false;
    for (size_t i = 0; i < ticket_relation_arity(f.relation); i++) {
        char *room = t->room[t->facts][i];

        if (!f.arg[i].p || f.arg[i].len >= FACTS_ROOM)
            return false;
        memcpy(room, f.arg[i].p, f.arg[i].len);
        f.arg[i].p = room;
    }
    t->fact[t->facts++] = f;
    return true;
}

static void
add_rule(struct rights_ticket *t, const char *rule)
{
    size_t len = strlen(t->rule);

    if (!strstr(t->rule, rule))
        snprintf(t->rule + len, sizeof(t->rule) - len, "%s%s", len ? " " : "", rule);
}

enum mauth_rc
rights_decide(const struct prover *p, const struct eval_question *q,
    struct graph_facts *facts, struct eval *e, bool *yes, struct mauth_err *err)
{
    struct fact_source source = graph_facts_source(facts);
    struct mauth_err miss = MAUTH_ERR_INIT;
    enum mauth_rc rc = eval_decide(in_force_rules(p->r->rules), q, &source, e, &miss);

    *yes = rc == MAUTH_OK;
    p->r->steps += e->steps;
    if (p->r->steps >= EVAL_STEPS_GRAPH)
        p->r->refusal = "too-much";
    return rc == MAUTH_OK || rc == MAUTH_DENIED ? MAUTH_OK
                                                : mauth_fail(err, rc, "%s", miss.text);
}

struct eval_question
rights_question(const struct rights *r, enum rule_kind kind, struct text action,
    const struct text *arg, size_t args)
{
    struct eval_question q = {.kind = kind,
        .action = action,
        .arg = arg,
        .args = args,
        .steps = EVAL_STEPS_GRAPH - r->steps, /* not 0: see rights_decide() */
        .issuer = text_of(r->ground.service->config->issuer.url)};

    return q;
}

struct graph_facts
rights_facts(const struct prover *p)
{
    const struct rights *r = p->r;
    struct graph_facts facts = {
        .txn = p->txn,
        .now_s = r->ground.now_s,
        .session = &r->ground.session,
        .subject_kind = r->ground.subject_kind,
        .subject = &r->ground.subject,
        .holder = r->ground.has_device ? &r->ground.device : NULL,
    };

    return facts;
}

/* Is it so, by what a ticket can say? Then t says it. */
static enum mauth_rc
prove(const struct prover *p, const struct eval_question *q, struct rights_ticket *t,
    bool *yes, struct mauth_err *err)
{
    struct rights *r = p->r;
    struct graph_facts facts = rights_facts(p);
    struct fact leaf[RULES_LITERALS_MAX];
    struct eval e;
    enum mauth_rc rc = rights_decide(p, q, &facts, &e, yes, err);
    size_t count;

    if (rc != MAUTH_OK || !*yes)
        return rc;
    count = eval_leaves(&e, leaf);
    *yes = are_sayable(leaf, count);
    for (size_t i = 0; i < count && *yes; i++)
        if (!add_fact(t, &leaf[i]))
            r->refusal = "too-much";
    if (*yes)
        add_rule(t, mauth_rules_text(in_force_rules(r->rules), eval_rule_number(&e)));
    return MAUTH_OK;
}

/* One action on one node; n is NULL where none is named. */
static enum mauth_rc
prove_action(const struct prover *p, const struct rights_audience *a,
    const struct rights_node *n, size_t action, struct rights_ticket *t, bool *permit,
    bool *yes, struct mauth_err *err)
{
    struct text url = text_of(n ? n->url : a->urn), arg = url;
    struct eval_question q =
        rights_question(p->r, RULE_GRANT, p->r->action[action], &arg, 1);
    enum mauth_rc rc = MAUTH_OK;
    char id[ID_LEN + 1];

    *yes = false;
    if (n)
        rc = prove(p, &q, t, yes, err);
    *permit = *yes;
    if (rc != MAUTH_OK || *yes || p->r->initial)
        return rc;
    if (n && n->kind == ID_DEVICE) { /* of a device services ask by its id */
        id_format(ID_DEVICE, &n->id, id);
        arg = text_of(id);
    }
    q = rights_question(p->r, RULE_ALLOW, q.action, &arg, 1);
    return p->r->refusal ? MAUTH_OK : prove(p, &q, t, yes, err);
}

bool
rights_carries(const struct rights_audience *a, struct text action)
{
    bool found = a->is_device || a->service.actions == 0;

    for (size_t i = 0; i < a->service.actions && !found; i++)
        found = text_is(action, a->service.action[i]);
    return found;
}

static enum mauth_rc
prove_node(const struct prover *p, const struct rights_audience *a,
    const struct rights_node *n, struct rights_ticket *t, struct mauth_err *err)
{
    struct rights *r = p->r;
    size_t k = n ? (size_t)(n - r->node) : 0;
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < r->actions && rc == MAUTH_OK && !r->refusal; i++) {
        bool yes = false, permit = false;

        if (rights_carries(a, r->action[i]))
            rc = prove_action(p, a, n, i, t, &permit, &yes, err);
        t->granted[k] |= (uint64_t)yes << i;
        t->permitted[k] |= (uint64_t)permit << i;
        r->narrowed |= !yes && !(n && n->implied);
    }
    return rc;
}

/* With all that the audience carries on one more node. */
static bool
has_room(const struct rights *r, const struct rights_audience *a,
    const struct rights_ticket *t)
{
    size_t actions = 0;

    for (size_t i = 0; i < r->actions; i++) {
        actions += rights_carries(a, r->action[i]);
        for (size_t k = 0; k < r->nodes; k++)
            actions += t->granted[k] >> i & 1;
    }
    return actions <= TICKET_ACTIONS;
}

static bool
is_for(const struct rights *r, size_t node, size_t audience)
{
    size_t only = r->node[node].only;

    return only == RIGHTS_ALL ? audience < r->names : only == audience;
}

/* Is it the same one as an earlier one, by another URL? */
static bool
is_repeated(const struct rights *r, size_t node, size_t audience)
{
    for (size_t i = 0; i < node; i++)
        if (is_for(r, i, audience) && strcmp(r->node[i].url, r->node[node].url) == 0)
            return true;
    return false;
}

static enum mauth_rc
new_ticket(struct rights *r, struct rights_ticket **out, struct mauth_err *err)
{
    *out = malloc(sizeof(**out));
    if (!*out)
        return mauth_fail(err, MAUTH_NO_MEMORY, "rights: no memory");
    memset(*out, 0, offsetof(struct rights_ticket, fact));
    r->ticket[r->tickets++] = *out;
    return MAUTH_OK;
}

static bool
says_something(const struct rights_ticket *t)
{
    uint64_t all = 0;

    for (size_t i = 0; i < RIGHTS_NODES; i++)
        all |= t->granted[i];
    return all != 0;
}

/* The newest is worth nothing. */
static void
drop_ticket(struct rights *r)
{
    free(r->ticket[--r->tickets]);
}

static enum mauth_rc
prove_audience(const struct prover *p, size_t audience, struct mauth_err *err)
{
    struct rights *r = p->r;
    const struct rights_audience *a = &r->audience[audience];
    struct rights_ticket *t;
    enum mauth_rc rc = new_ticket(r, &t, err);

    if (rc != MAUTH_OK)
        return rc;
    t->audience[t->audiences++] = a->urn;
    if (!r->nodes)
        rc = prove_node(p, a, NULL, t, err);
    for (size_t i = 0; i < r->nodes && rc == MAUTH_OK && !r->refusal; i++)
        if (is_for(r, i, audience) && !is_repeated(r, i, audience) &&
            (!r->node[i].implied || has_room(r, a, t)))
            rc = prove_node(p, a, &r->node[i], t, err);
    if (!says_something(t)) {
        r->narrowed = true;
        drop_ticket(r);
    }
    return rc;
}

/* X, whose key this is, opens a sync with Y: one ticket for whoever has to know. */
static enum mauth_rc
prove_sync(const struct prover *p, struct mauth_err *err)
{
    struct rights *r = p->r;
    char x[ID_LEN + 1] = "", y[ID_LEN + 1];
    struct text arg[2] = {{x, ID_LEN}, {y, ID_LEN}};
    const struct eval_question q = rights_question(r, RULE_ALLOW, r->action[0], arg, 2);
    struct rights_ticket *t;
    enum mauth_rc rc;
    bool yes;

    if (!r->ground.has_device)
        return MAUTH_OK;
    rc = new_ticket(r, &t, err);
    for (size_t i = 0; i < r->audiences && rc == MAUTH_OK; i++) {
        if (!rights_carries(&r->audience[i], r->action[0])) {
            drop_ticket(r);
            return MAUTH_OK;
        }
        t->audience[t->audiences++] = r->audience[i].urn;
    }
    if (rc != MAUTH_OK)
        return rc;
    id_format(ID_DEVICE, &r->ground.device, x);
    id_format(ID_DEVICE, &r->node[0].id, y);
    rc = prove(p, &q, t, &yes, err);
    t->granted[0] = yes;
    if (!yes)
        drop_ticket(r);
    return rc;
}

/* The session, the device, the state: what all tickets of the request stand on. */
static enum mauth_rc
look(const struct prover *p, struct mauth_err *err)
{
    struct rights *r = p->r;
    struct graph_session s;
    enum mauth_rc rc;

    if (!r->caller)
        return ground_look(p->txn, r->key_hash, &r->ground, err);
    rc = caller_session(p->txn, r->caller, &s, err);
    if (rc == MAUTH_DENIED ||
        (rc == MAUTH_OK && (!s.open || r->caller->now_s >= s.ends_s))) {
        mauth_err_reset(err);
        r->refusal = "session";
        return MAUTH_OK;
    }
    if (rc != MAUTH_OK)
        return rc;
    ground_take_caller(&r->ground, r->caller);
    r->ground.session_ends_s = s.ends_s;
    return ground_look(p->txn, r->caller->key_hash, &r->ground, err);
}

static enum mauth_rc
run(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct prover p = {arg, txn};
    struct rights *r = p.r;
    enum mauth_rc rc = in_force_check(txn, r->rules, err);

    rights_forget_tickets(r);
    r->narrowed = false;
    r->steps = 0;
    r->replaced = rc == MAUTH_CONFLICT;
    if (r->replaced) {
        mauth_err_reset(err);
        return MAUTH_OK;
    }
    if (rc == MAUTH_OK)
        rc = look(&p, err);
    if (rc == MAUTH_OK && !r->refusal)
        rc = r->initial ? rights_resolve_initial(r, txn, err)
                        : rights_resolve(r, txn, err);
    if (rc != MAUTH_OK || r->refusal)
        return rc;
    if (r->syncs)
        rc = prove_sync(&p, err);
    for (size_t i = 0; !r->syncs && i < r->audiences && rc == MAUTH_OK && !r->refusal;
         i++)
        if (!r->initial || r->tickets < RIGHTS_INITIAL)
            rc = prove_audience(&p, i, err);
    if (rc != MAUTH_OK || r->refusal || r->tickets || r->initial)
        return rc;
    return rights_deny(&p, err);
}

enum mauth_rc
rights_prove(struct rights *r, struct mauth_err *err)
{
    const struct service *service = r->ground.service;
    struct shared_ref *tried = NULL;
    enum mauth_rc rc = MAUTH_OK;

    r->replaced = true;
    for (unsigned runs = 0; runs < RUNS && rc == MAUTH_OK && r->replaced; runs++) {
        r->rules = in_force_take(service->rules, tried);
        shared_drop(tried);
        rc = kv_read(service->kv, run, r, err);
        tried = r->rules;
        r->rules = NULL;
    }
    shared_drop(tried);
    if (rc == MAUTH_OK && r->replaced)
        rc =
            mauth_fail(err, MAUTH_UNAVAILABLE, "rights: the rules change all the time");
    return rc;
}
