/*
 * The rule language a second time, written from docs/rules.md for its shortness:
 * text in, yes or no out. What the real one decides must be what this decides.
 * It takes any time it needs, and rules that the real compiler has taken.
 */
#ifndef TESTS_NAIVE_RULES_H
#define TESTS_NAIVE_RULES_H

#include <stdbool.h>

#include "base/str.h"

enum {
    NAIVE_ARGS = 4
};

struct naive_atom { /* name(arg, ...) */
    struct text name;
    struct text arg[NAIVE_ARGS];
    size_t args;
};

struct naive_question {
    bool is_grant;
    bool of_graph; /* else of a ticket */
    struct text issuer;
    struct naive_atom asked;
    const struct naive_atom *facts;
    size_t fact_count;
};

bool naive_decide(struct text rules, const struct naive_question *q);

bool naive_is_strict_url(struct text url);

#endif
