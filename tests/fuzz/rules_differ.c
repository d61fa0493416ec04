#include "tests/fuzz/rules_differ.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/naive_rules.h"

static bool
ask_naively(const struct mauth_rules *rules, const struct eval_question *q,
    enum side side, const struct test_facts *facts)
{
    static struct naive_atom atom[TEST_FACTS_MAX];
    struct naive_question n = {.is_grant = q->kind == RULE_GRANT,
        .of_graph = side == SIDE_GRAPH,
        .issuer = q->issuer,
        .asked = {.name = q->action, .args = q->args},
        .facts = atom,
        .fact_count = facts->count};

    for (size_t i = 0; i < q->args; i++)
        n.asked.arg[i] = q->arg[i];
    for (size_t f = 0; f < facts->count; f++) {
        const struct predicate_info *info = predicate_info(facts->fact[f].predicate);

        atom[f].name = text_of(info->name);
        atom[f].args = info->arity;
        for (size_t i = 0; i < info->arity; i++)
            atom[f].arg[i] = facts->fact[f].arg[i];
    }
    return naive_decide(rules->source, &n);
}

/* The facts of a derivation are facts, and those of the file stand in the file. */
static void
check_derivation(const struct eval *e, const struct test_facts *facts)
{
    struct fact leaf[RULES_LITERALS_MAX];
    size_t count = eval_leaves(e, leaf);

    for (size_t i = 0; i < count; i++) {
        unsigned arity = predicate_info(leaf[i].predicate)->arity;
        bool found = false;

        for (size_t f = 0; f < facts->count && !found; f++) {
            found = facts->fact[f].predicate == leaf[i].predicate;
            for (unsigned a = 0; a < arity && found; a++)
                found = text_equal(facts->fact[f].arg[a], leaf[i].arg[a]);
        }
        MUST(found);
    }
}

static enum differ_answer
answer_of(enum mauth_rc rc, const struct mauth_err *err, const struct eval *e)
{
    MUST(rc == MAUTH_OK || rc == MAUTH_DENIED);
    MUST((rc == MAUTH_OK) == (e->rule != NULL));
    MUST(e->steps <= e->steps_max);
    if (rc == MAUTH_OK)
        return DIFFER_YES;
    MUST(err->text[0] && strlen(err->text) < sizeof(err->text));
    MUST(err->reason == MAUTH_REASON_NO_RULE || err->reason == MAUTH_REASON_BOUND);
    return err->reason == MAUTH_REASON_BOUND ? DIFFER_BOUND : DIFFER_NO;
}

enum differ_answer
differ_ask(const struct mauth_rules *rules, const struct eval_question *q,
    enum side side, struct test_facts *facts)
{
    static struct eval e;
    struct mauth_err err = MAUTH_ERR_INIT, odd_err = MAUTH_ERR_INIT;
    struct fact_list list;
    struct fact_source helpful = test_source(facts, &list, side);
    struct fact_source odd = test_odd_source(facts, side);
    enum differ_answer answer, odd_answer;

    answer = answer_of(eval_decide(rules, q, &helpful, &e, &err), &err, &e);
    if (answer == DIFFER_YES)
        check_derivation(&e, facts);
    odd_answer = answer_of(eval_decide(rules, q, &odd, &e, &odd_err), &odd_err, &e);
    MUST(facts->open == 0);
    if (answer == DIFFER_BOUND || odd_answer == DIFFER_BOUND)
        return DIFFER_BOUND;
    MUST(answer == odd_answer && strcmp(err.text, odd_err.text) == 0);
    MUST(ask_naively(rules, q, side, facts) == (answer == DIFFER_YES));
    return answer;
}
