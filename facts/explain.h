/*
 * Explanations over the graph: to an admin, all that there is to say; to whoever was
 * refused, what is missing on his own side, and never what others have or lack.
 */
#ifndef FACTS_EXPLAIN_H
#define FACTS_EXPLAIN_H

#include <stdbool.h>

#include "facts/graph_facts.h"
#include "policy/eval.h"
#include "store/audit.h"

enum {
    EXPLAIN_DENIAL = 384,       /* bytes of the sentences of a denial, terminated */
    EXPLAIN_DENIAL_STEPS = 4096 /* that each rule may take to be explained */
};

/*
 * What was denied, and lacks: "control is not allowed: the rules have no can(reader,
 * control), but can(owner, control)". The same for all graphs that look alike from the
 * asker's side (facts/missing.h), once he knows of what the question names. What is
 * beyond his side is "it takes more than your own side shows".
 *
 *   q      all of its kind and arguments; what it says of its steps counts
 *   what   how the action's object is called; "" for none
 *
 * Adds to out, whole or not at all. Fails only as the graph does.
 */
MAUTH_MUST_USE enum mauth_rc explain_denial(const struct mauth_rules *rules,
    const struct eval_question *q, struct graph_facts *facts, const char *what,
    char out[EXPLAIN_DENIAL], struct mauth_err *err);

/* An admin's question: would they let this principal do this? Borrowed. */
struct explain {
    const struct mauth_rules *rules;
    const char *issuer;
    int64_t now_s;
    const char *action;
    const char *arg[RULES_ARGS_MAX]; /* where rules want a URL, an id does as well */
    size_t args;
    const char
        *subject; /* usr_... or svc_...: who asks, and whose the ticket would be */
    const char *holder; /* the device whose key is proven, or NULL */
    const char *shown;  /* the invitation whose secret is shown, or NULL */
};

/* MAUTH_INVALID: one of the texts is not of its form; err->text says what would be. */
MAUTH_MUST_USE enum mauth_rc explain_check(
    const struct explain *x, struct mauth_err *err);

/*
 * Each rule of the action, with what makes it true or what is missing, as JSON (docs/
 * http.md). *allowed: one is true.
 *
 * MAUTH_INVALID    as explain_check() says it
 * MAUTH_NOT_FOUND  the subject or the device is not there; the same
 */
MAUTH_MUST_USE enum mauth_rc explain_write(struct kv_txn *txn, const struct explain *x,
    struct buf *json, bool *allowed, struct mauth_err *err);

/* The record of such a question; who has actor, device, session, client and request. */
MAUTH_MUST_USE enum mauth_rc explain_entry(const struct explain *x,
    const struct audit_record *who, struct audit_entry **out, struct mauth_err *err);

#endif
