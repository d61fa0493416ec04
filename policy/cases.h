/*
 * Case tables: what rules must answer, kept beside the rules (docs/rules.md,
 * "Case tables"). They are read and tried in one pass.
 */
#ifndef POLICY_CASES_H
#define POLICY_CASES_H

#include "policy/eval.h"

/* One question of a table and how it came out; all borrowed for the call. */
struct cases_answer {
    unsigned line;
    struct text title;    /* of its case */
    struct text question; /* as the table has it */
    bool as_expected;
    const struct eval *eval; /* eval->rule: it was allowed or granted */
    const char *why;         /* it was not: the sentence for the log */
};

struct cases_listener {
    void (*hear)(void *arg, const struct cases_answer *answer);
    void *arg;
};

struct cases_totals {
    size_t cases;
    size_t questions;
    size_t failed;         /* questions that came out otherwise than expected */
    bool shown[RULES_MAX]; /* by number of the rule: some question found it true */
};

/*
 * Try rules on the cases in text.
 *
 *   listener  hears each answer; may be NULL
 *   out       on MAUTH_OK, what came out: success is failed == 0
 *
 * MAUTH_MALFORMED, MAUTH_TOO_LARGE  not a case table; err as from
 *                                   mauth_rules_compile()
 */
MAUTH_MUST_USE enum mauth_rc cases_run(const struct mauth_rules *rules,
    struct text text, const struct cases_listener *listener, struct cases_totals *out,
    struct mauth_err *err);

#endif
