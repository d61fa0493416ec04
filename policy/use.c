/*
 * What changes nothing is a mistake of whoever wrote it: a fact that no rule
 * asks for, a condition that no fact meets, a rule that another one makes
 * superfluous. Most of them are misspelt names.
 */
#include "policy/compile.h"
#include "policy/lex.h"

enum {
    /* Comparing two rules is a search. We look for accidents, so giving up early
     * on what was built to take long costs nothing. */
    TRIES_MAX = 2000000
};

/* Is this fact one that the literal could meet? */
static bool
could_meet(const struct literal *asked, const struct literal *fact)
{
    for (unsigned i = 0; i < asked->arity; i++)
        if (asked->arg[i].kind == TERM_CONSTANT &&
            !text_equal(asked->arg[i].text, fact->arg[i].text))
            return false;
    return true;
}

static enum mauth_rc
check_condition(
    const struct mauth_rules *rules, const struct literal *l, struct mauth_err *err)
{
    const struct table *t = &rules->table[l->table];

    for (size_t f = t->first; f < t->first + t->count; f++)
        if (could_meet(l, &rules->fact[f]))
            return MAUTH_OK;
    return rules_fault(rules, l->name.p, err,
        "never true: no fact of %.*s is like this", (int)l->name.len, l->name.p);
}

static enum mauth_rc
check_fact_use(
    const struct mauth_rules *rules, const struct literal *fact, struct mauth_err *err)
{
    bool named = false;

    for (size_t i = 0; i < rules->literal_count; i++) {
        const struct literal *l = &rules->literal[i];

        if (l->kind != LITERAL_TABLE || l->table != fact->table)
            continue;
        if (could_meet(l, fact))
            return MAUTH_OK;
        named = true;
    }
    return rules_fault(rules, fact->name.p, err,
        named ? "no rule asks for this one of %.*s" : "no rule uses %.*s",
        (int)fact->name.len, fact->name.p);
}

/* The same words: then one of the two says nothing. */
static bool
is_repeated(const struct literal *a, const struct literal *b, bool swapped)
{
    if (a->kind != b->kind || a->arity != b->arity || !text_equal(a->name, b->name))
        return false;
    for (unsigned i = 0; i < a->arity; i++)
        if (!text_equal(a->arg[i].text, b->arg[swapped ? 1 - i : i].text) ||
            a->arg[i].kind != b->arg[swapped ? 1 - i : i].kind)
            return false;
    return true;
}

static enum mauth_rc
check_repeated(const struct mauth_rules *rules, const struct literal *body, size_t i,
    struct mauth_err *err)
{
    for (size_t j = 0; j < i; j++)
        if (is_repeated(&body[j], &body[i], false) ||
            (body[i].kind == LITERAL_DIFFERS && is_repeated(&body[j], &body[i], true)))
            return rules_fault(
                rules, body[i].name.p, err, "this condition is there already");
    return MAUTH_OK;
}

/* Is wide true wherever narrow is? Its conditions are then all among narrow's. */

struct comparison {
    const struct rule *wide, *narrow;
    const struct literal *wide_body, *narrow_body;
    const struct term *means[RULES_VARIABLES_MAX]; /* of wide's variables */
    size_t *tries;
};

static bool
is_same_term(const struct term *a, const struct term *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case TERM_CONSTANT: return text_equal(a->text, b->text);
    case TERM_VARIABLE: return a->variable == b->variable;
    case TERM_ANY: break;
    }
    return a == b; /* each _ is a variable of its own */
}

static bool
takes_term(struct comparison *c, const struct term *wide, const struct term *narrow)
{
    switch (wide->kind) {
    case TERM_ANY: return true;
    case TERM_CONSTANT: return is_same_term(wide, narrow);
    case TERM_VARIABLE: break;
    }
    if (!c->means[wide->variable])
        c->means[wide->variable] = narrow;
    return is_same_term(c->means[wide->variable], narrow);
}

static bool
takes_literal(struct comparison *c, const struct literal *wide,
    const struct literal *narrow, bool swapped)
{
    if (wide->kind != narrow->kind || wide->arity != narrow->arity ||
        !text_equal(wide->name, narrow->name))
        return false;
    for (unsigned i = 0; i < wide->arity; i++)
        if (!takes_term(c, &wide->arg[i], &narrow->arg[swapped ? 1 - i : i]))
            return false;
    return true;
}

/* wide's conditions from i on are each one of narrow's; depth is at most 16. */
static bool
takes_body(struct comparison *c, size_t i)
{
    const struct literal *wide = &c->wide_body[i];
    struct comparison before = *c;
    unsigned ways = i < c->wide->count && wide->kind == LITERAL_DIFFERS ? 2 : 1;

    if (i == c->wide->count)
        return true;
    for (size_t j = 0; j < c->narrow->count; j++) {
        for (unsigned way = 0; way < ways; way++) {
            if (++*c->tries > TRIES_MAX)
                return false;
            if (takes_literal(c, wide, &c->narrow_body[j], way == 1) &&
                takes_body(c, i + 1))
                return true;
            *c = before;
        }
    }
    return false;
}

struct search {
    const struct mauth_rules *rules;
    struct mauth_err *err;
    size_t tries; /* so far */
};

static bool
covers(struct search *s, const struct rule *wide, const struct rule *narrow)
{
    struct comparison c = {.wide = wide,
        .narrow = narrow,
        .wide_body = s->rules->literal + wide->first,
        .narrow_body = s->rules->literal + narrow->first,
        .tries = &s->tries};

    return wide != narrow && wide->kind == narrow->kind &&
           takes_literal(&c, &wide->head, &narrow->head, false) && takes_body(&c, 0);
}

static enum mauth_rc
check_rule_use(struct search *s, const struct rule *rule)
{
    const struct mauth_rules *rules = s->rules;
    const struct literal *body = rules->literal + rule->first;

    for (size_t i = 0; i < rule->count; i++)
        if (check_repeated(rules, body, i, s->err) ||
            (body[i].kind == LITERAL_TABLE && check_condition(rules, &body[i], s->err)))
            return MAUTH_MALFORMED;
    for (size_t i = 0; i < rules->rule_count; i++) {
        const struct rule *other = &rules->rule[i];

        if (!covers(s, other, rule))
            continue;
        if (other > rule && covers(s, rule, other))
            continue; /* they are the same: the second one is reported */
        return rules_fault(rules, rule->head.name.p, s->err,
            "line %u says this already, under no more conditions", other->line);
    }
    return MAUTH_OK;
}

enum mauth_rc
rules_check_use(const struct mauth_rules *rules, struct mauth_err *err)
{
    struct search s = {rules, err, 0};
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < rules->rule_count && !rc; i++)
        rc = check_rule_use(&s, &rules->rule[i]);
    for (size_t i = 0; i < rules->fact_count && !rc; i++)
        rc = check_fact_use(rules, &rules->fact[i], err);
    return rc;
}
