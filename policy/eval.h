/*
 * Decisions: rules, applied to a source of facts. No allocation, no locks, a
 * fixed stack of walks; a bound on the steps, so that no ticket and no graph can
 * make a question take long.
 */
#ifndef POLICY_EVAL_H
#define POLICY_EVAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "policy/facts.h"
#include "policy/rules.h"
#include <meshauth/err.h>

enum {
    EVAL_STEPS_TICKET = 4096,
    EVAL_STEPS_GRAPH = 1000000
};

struct eval_question {
    enum rule_kind kind; /* may it be done, or may it be signed? */
    struct text action;
    const struct text *arg;
    size_t args;        /* at most RULES_ARGS_MAX */
    struct text issuer; /* whose URLs folder(URL, F) and its like accept */
    uint64_t steps;     /* no more than so many; 0: as many as the side may take */
};

/* How far a condition has come. */
struct eval_level {
    struct fact_cursor cursor; /* arg: what made the condition true */
    bool met;                  /* by some fact so far */
};

/* The condition that no fact met, furthest into a rule. */
struct eval_miss {
    const struct rule *rule; /* NULL: no rule came as far as a condition */
    const struct literal *literal;
    size_t depth;
    unsigned known; /* bit i: arg[i] has a value */
    struct text arg[RULES_ARGS_MAX];
    char room[RULES_ARGS_MAX][FACTS_ROOM];
};

/*
 * A question being answered, and afterwards the answer. About 8 KiB of the
 * caller's (the stack is fine); needs no initialising and no clearing. What it
 * points to belongs to the rules, the question, the source or itself, so it is
 * not to be copied.
 */
struct eval {
    const struct rule *rule; /* that was found true; NULL: denied */
    struct eval_miss miss;   /* while rule is NULL */
    uint64_t steps;          /* facts and conditions looked at */
    uint64_t steps_max;

    const struct mauth_rules *rules;
    const struct eval_question *question;
    const struct fact_source *source;
    struct text value[RULES_VARIABLES_MAX];
    struct eval_level level[RULES_LITERALS_MAX];
};

/*
 * Answer q. Rules are tried as they stand in the file, conditions from left to
 * right; the first rule found true ends it.
 *
 *   e    filled in either case; see above
 *   err  names the nearest miss of a denial
 *
 * MAUTH_OK                yes; e->rule, and its conditions by eval_fact()
 * MAUTH_DENIED (no-rule)  no
 * MAUTH_DENIED (bound)    not decided within the side's number of steps: no
 * MAUTH_INVALID           more arguments than there may be
 * others                  the source failed with this; nothing was decided
 */
MAUTH_MUST_USE enum mauth_rc eval_decide(const struct mauth_rules *rules,
    const struct eval_question *q, const struct fact_source *source, struct eval *e,
    struct mauth_err *err);

/*
 * The same by one rule alone, as numbered in mauth_rules_text(): the nearest miss is then
 * its own, and there is none when it is about another question, or for the other side.
 */
MAUTH_MUST_USE enum mauth_rc eval_decide_by(const struct mauth_rules *rules,
    size_t number, const struct eval_question *q, const struct fact_source *source,
    struct eval *e, struct mauth_err *err);

/* The number of e->rule, as in mauth_rules_text(). */
size_t eval_rule_number(const struct eval *e);

/*
 * The facts that made e->rule true, one for each condition: its i-th condition
 * and the values in it. NULL when it has no more conditions.
 */
const struct literal *eval_fact(
    const struct eval *e, size_t i, const struct text **arg);

/*
 * The leaf facts of the derivation, which the source has shown: out has room for
 * RULES_LITERALS_MAX. Returns their number; a fact that was used twice is there
 * once.
 */
size_t eval_leaves(const struct eval *e, struct fact *out);

/* "claimed(dev_..., usr_...)", "dev_... != dev_...". */
void eval_write_fact(
    struct buf *out, const struct literal *l, const struct text *arg, unsigned known);

/* The rule and its facts, a line each, as `meshauth policy explain` shows them. */
void eval_write_derivation(struct buf *out, const struct eval *e);

/* "no ticket shows mapped(dev_..., fld_...)": one sentence. */
void eval_write_miss(struct buf *out, const struct eval *e);

#endif
