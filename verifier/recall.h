/*
 * The last question that a remembered ticket has allowed, and the answer. Rules
 * and tickets do not change, so the same question has the same answer for as long
 * as the same rules are loaded; it need not be derived again. Bounded: a question
 * or an answer that is too long is not kept.
 *
 * Whether the ticket itself is still good is not in it.
 */
#ifndef VERIFIER_RECALL_H
#define VERIFIER_RECALL_H

#include "base/buf.h"
#include <meshauth/rules.h>
#include <meshauth/verifier.h>

enum {
    RECALL_TEXT = 640 /* for a question and the facts of its answer */
};

/* Zeros: nothing yet. */
struct recall {
    uint64_t generation; /* of the rules that gave the answer */
    size_t rule;         /* its number */
    size_t question_len;
    size_t facts_len; /* with the terminator */
    int64_t not_on_or_after_s;
    uint8_t digest[32];
    char subject[MAUTH_DECISION_ID];
    char holder[MAUTH_DECISION_ID];
    char session[MAUTH_DECISION_ID];
    char ticket[MAUTH_DECISION_ID];
    char key[MAUTH_DECISION_ID];
    char text[RECALL_TEXT]; /* the question, then the facts */
};

/*
 * A question in one piece: the action and each argument, terminated. Empty when
 * it is too long for room, which has RECALL_TEXT bytes.
 */
struct text recall_question(const struct mauth_request *r, char *room);

/* Fills in what decision_name_ticket() and decision_name_proof() would; false
 * when it was another question or the rules are other ones. */
MAUTH_MUST_USE bool recall_answer(const struct recall *from, uint64_t generation,
    struct text question, const struct mauth_rules *rules, struct mauth_decision *d);

/* Keep what d says. */
void recall_keep(struct recall *into, uint64_t generation, struct text question,
    size_t rule, const struct mauth_decision *d);

#endif
