/* Tickets are not kept: only that one of them is revoked. Inside a transaction. */
#ifndef STORE_GRAPH_TICKET_H
#define STORE_GRAPH_TICKET_H

#include "base/buf.h"
#include "store/graph.h"

/* Is it a ticket's ID: '_' and 32 lower-case hex digits? */
MAUTH_MUST_USE bool graph_ticket_is_id(struct text id);

/*
 * Revokes the ticket with this ID, whether there is one or not.
 *
 * MAUTH_CONFLICT  it is revoked already
 * MAUTH_INVALID   that is no ticket's ID
 */
MAUTH_MUST_USE enum mauth_rc graph_ticket_revoke(
    struct kv_txn *txn, const char *id, struct mauth_err *err);

#endif
