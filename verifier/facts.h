/* What one ticket says, as a source of facts for the rules. */
#ifndef VERIFIER_FACTS_H
#define VERIFIER_FACTS_H

#include "policy/facts.h"
#include "tickets/decode.h"

/*
 * Borrows the ticket, whose signature and holder must have been checked: its
 * facts are taken for proven. subject(U) is its NameID, permit(A, R) its
 * AuthzDecisionStatements.
 */
struct fact_source ticket_facts(struct mauth_ticket *ticket);

#endif
