/* One question, answered by the evaluator over two sources of facts and by the
 * naive implementation; aborts when they do not agree. */
#ifndef TESTS_RULES_DIFFER_H
#define TESTS_RULES_DIFFER_H

#include "policy/eval.h"
#include "tests/unit/facts.h"

enum differ_answer {
    DIFFER_NO,
    DIFFER_YES,
    DIFFER_BOUND /* neither: the naive one was not asked */
};

enum differ_answer differ_ask(const struct mauth_rules *rules,
    const struct eval_question *q, enum side side, struct test_facts *facts);

#endif
