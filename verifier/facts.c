#include "verifier/facts.h"

enum {
    NO_RELATION = FACT_RELATIONS
};

/* The relation of a ticket that a predicate asks for. */
static enum ticket_relation
relation_of(enum predicate p)
{
    switch (p) {
    case PREDICATE_CLAIMED: return FACT_CLAIMED;
    case PREDICATE_HOLDER: return FACT_HOLDER;
    case PREDICATE_MAPPED: return FACT_MAPPED;
    case PREDICATE_MEMBER: return FACT_MEMBER;
    case PREDICATE_ROLE: return FACT_ROLE;
    case PREDICATE_SERVICE: return FACT_SERVICE;
    case PREDICATE_SESSION: return FACT_SESSION;
    default: return (enum ticket_relation)NO_RELATION;
    }
}

static enum mauth_rc
next_fact(const struct ticket *t, struct fact_cursor *c)
{
    enum ticket_relation relation = relation_of(c->predicate);

    while (c->at[0] < t->facts) {
        const struct ticket_fact *f = &t->fact[c->at[0]++];

        if (f->relation != relation)
            continue;
        for (size_t i = 0; i < ticket_relation_arity(relation); i++)
            c->arg[i] = f->arg[i];
        return MAUTH_OK;
    }
    return MAUTH_NOT_FOUND;
}

/* at[0] is the permit, at[1] the action in it. */
static enum mauth_rc
next_permit(const struct ticket *t, struct fact_cursor *c)
{
    while (c->at[0] < t->permits) {
        const struct ticket_permit *p = &t->permit[c->at[0]];

        if (c->at[1] < p->count) {
            c->arg[0] = t->action[p->first + c->at[1]++];
            c->arg[1] = p->resource;
            return MAUTH_OK;
        }
        c->at[0]++;
        c->at[1] = 0;
    }
    return MAUTH_NOT_FOUND;
}

static enum mauth_rc
next(void *self, struct fact_cursor *c, struct mauth_err *err)
{
    const struct mauth_ticket *ticket = self;

    (void)err;
    if (c->predicate == PREDICATE_PERMIT)
        return next_permit(&ticket->says, c);
    if (c->predicate != PREDICATE_SUBJECT)
        return next_fact(&ticket->says, c);
    if (c->at[0]++ > 0)
        return MAUTH_NOT_FOUND;
    c->arg[0] = ticket->says.subject;
    return MAUTH_OK;
}

struct fact_source
ticket_facts(struct mauth_ticket *ticket)
{
    struct fact_source source = {SIDE_TICKET, ticket, next, NULL};

    return source;
}
