/* What is missing for a rule, in words; and what of that one may hear who asked. */
#ifndef FACTS_MISSING_H
#define FACTS_MISSING_H

#include "policy/eval.h"

/*
 * Why the rule of a miss is not true: one sentence without a full stop, of ASCII without
 * '"' and '\', as RFC 6749 wants its descriptions. "usr_... is no member of fld_...".
 */
void missing_write(struct buf *out, const struct eval *e);

/* What would help, for an admin; NULL: nothing that is known of here. */
const char *missing_remedy(const struct eval *e);

/*
 * How many of a rule's first conditions speak of nothing but its question and of the
 * asker's own side: who he is, which key he proved, and what links him or his device to
 * something. Whether those can all be true, and which is the nearest miss if not,
 * depends on nothing that others have.
 */
size_t missing_own(const struct mauth_rules *rules, const struct rule *rule);

/*
 * Is the rule not met by what the question gives alone, whoever asks? Then writes how:
 * "dev_x and dev_x are the same". arg are the question's.
 */
MAUTH_MUST_USE bool missing_write_asked(struct buf *out,
    const struct mauth_rules *rules, const struct rule *rule, const struct text *arg);

#endif
