/* The public question: the evaluator over facts that the caller has as strings. */
#include <string.h>

#include "base/fail.h"
#include "policy/eval.h"

static size_t
count_args(const struct mauth_fact *f)
{
    size_t n = 0;

    while (n < MAUTH_RULES_ARGS_MAX && f->arg[n])
        n++;
    return n;
}

static bool
matches(const struct mauth_fact *f, const struct fact_cursor *c)
{
    if (strcmp(f->relation, predicate_info(c->predicate)->name) != 0)
        return false;
    for (unsigned i = 0; c->bound >> i; i++)
        if (c->bound >> i & 1U && !text_is(c->want[i], f->arg[i]))
            return false;
    return true;
}

static enum mauth_rc
next_given(void *self, struct fact_cursor *c, struct mauth_err *err)
{
    const struct mauth_question *q = self;

    (void)err;
    while (c->at[0] < q->fact_count) {
        const struct mauth_fact *f = &q->facts[c->at[0]++];

        if (!matches(f, c))
            continue;
        for (unsigned i = 0; i < predicate_info(c->predicate)->arity; i++)
            c->arg[i] = text_of(f->arg[i]);
        return MAUTH_OK;
    }
    return MAUTH_NOT_FOUND;
}

static enum mauth_rc
check_question(const struct mauth_question *q, struct mauth_err *err)
{
    if (q->size != sizeof(*q))
        return mauth_fail(err, MAUTH_INVALID, "rules: a question of another version");
    if (q->arg_count > MAUTH_RULES_ARGS_MAX || q->fact_count > MAUTH_RULES_FACTS_MAX)
        return mauth_fail(err, MAUTH_INVALID, "rules: %zu arguments, %zu facts",
            q->arg_count, q->fact_count);
    for (size_t i = 0; i < q->fact_count; i++) {
        enum predicate p = predicate_by_name(text_of(q->facts[i].relation));

        if (p != PREDICATES && predicate_info(p)->arity != count_args(&q->facts[i]))
            return mauth_fail(err, MAUTH_INVALID, "rules: %s has %u arguments, not %zu",
                predicate_info(p)->name, predicate_info(p)->arity,
                count_args(&q->facts[i]));
    }
    return MAUTH_OK;
}

static void
fill_proof(const struct eval *e, struct mauth_proof *proof)
{
    const struct literal *l;
    const struct text *arg;

    proof->rule = eval_rule_number(e);
    proof->fact_count = 0;
    for (size_t i = 0; (l = eval_fact(e, i, &arg)) != NULL; i++) {
        size_t fact = e->level[i].cursor.at[0] - 1, known = 0;

        if (l->kind != LITERAL_SOURCE)
            continue;
        while (known < proof->fact_count && proof->fact[known] != fact)
            known++;
        if (known == proof->fact_count)
            proof->fact[proof->fact_count++] = fact;
    }
}

enum mauth_rc
mauth_rules_allow(const struct mauth_rules *rules,
    const struct mauth_question *question, struct mauth_proof *proof,
    struct mauth_err *err)
{
    struct mauth_question mine;
    struct fact_source source = {SIDE_TICKET, &mine, next_given, NULL};
    struct text arg[RULES_ARGS_MAX];
    struct eval_question q = {.kind = RULE_ALLOW,
        .action = text_of(question->action),
        .arg = arg,
        .args = question->arg_count,
        .issuer = text_of(question->issuer)};
    struct eval e;
    enum mauth_rc rc = check_question(question, err);

    if (!rc && proof && proof->size != sizeof(*proof))
        rc = mauth_fail(err, MAUTH_INVALID, "rules: a proof of another version");
    if (rc)
        return rc;
    mine = *question;
    for (size_t i = 0; i < question->arg_count; i++)
        arg[i] = text_of(question->args[i]);
    rc = eval_decide(rules, &q, &source, &e, err);
    if (!rc && proof)
        fill_proof(&e, proof);
    return rc;
}
