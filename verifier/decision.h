/* Filling in the answer to a check (<meshauth/verifier.h>). */
#ifndef VERIFIER_DECISION_H
#define VERIFIER_DECISION_H

#include "base/buf.h"
#include "policy/eval.h"
#include <meshauth/ticket.h>
#include <meshauth/verifier.h>

/* A denial that knows nothing yet. */
void decision_start(struct mauth_decision *d);
/* Whose ticket it is about. */
void decision_name_ticket(struct mauth_decision *d, const struct mauth_ticket *t);
/* An id of a ticket, terminated. */
void decision_copy_id(char out[MAUTH_DECISION_ID], struct text id);
/* The rule that was found true, and by which facts. */
void decision_name_proof(struct mauth_decision *d, const struct eval *e);
/* That rule alone, by its number. */
void decision_name_rule(
    struct mauth_decision *d, const struct mauth_rules *rules, size_t rule);
/* The verdict: MAUTH_OK allows, everything else denies, for err's reason. */
void decision_end(
    struct mauth_decision *d, enum mauth_rc rc, const struct mauth_err *err);

/* As mauth_decision_json(). is_brief: without why, rule and facts, and with what is
 * foreign cut short, so that it takes less than 2,000 bytes. */
void decision_write(const struct mauth_decision *d, const struct mauth_request *r,
    bool is_brief, struct buf *b);

#endif
