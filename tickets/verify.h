/* Looking again at a ticket that was verified before. */
#ifndef TICKETS_VERIFY_H
#define TICKETS_VERIFY_H

#include "tickets/decode.h"
#include "tickets/terms.h"
#include <meshauth/ticket.h>

/*
 * All the checks of mauth_ticket_verify() but form and signature, in their order.
 * The key that the signature was checked with must be the one that trust lists
 * under its id: the caller sees to that.
 *
 *   terms       the ticket's
 *   same_trust  it stood against this very trust before: what depends on nothing
 *               else (its revocation) need not be looked at again
 */
MAUTH_MUST_USE enum mauth_rc ticket_check_again(const struct mauth_ticket *t,
    const struct ticket_terms *terms, const struct mauth_trust *trust,
    const struct mauth_expect *want, bool same_trust, struct mauth_err *err);

#endif
