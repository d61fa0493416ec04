/* What a ticket stands on: who gets it, and what the graph shows of his device. */
#ifndef AUTHSVC_GROUND_H
#define AUTHSVC_GROUND_H

#include "authsvc/caller.h"
#include "authsvc/issue.h"

/* Of a request; the key that it has proven is borrowed. */
struct issue_ground ground_of_request(
    const struct http_exchange *x, const struct mauth_key *holder);

/* Who he is by his ticket: subject and session. */
void ground_take_caller(struct issue_ground *g, const struct caller *c);

/* In the transaction that proves the ticket: its state, and the device whose key was
 * proven, if that is registered; and whether it is the subject's. */
MAUTH_MUST_USE enum mauth_rc ground_look(struct kv_txn *txn,
    const uint8_t key_hash[GRAPH_KEY_HASH], struct issue_ground *g,
    struct mauth_err *err);

#endif
