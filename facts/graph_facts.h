/*
 * What one moment of the graph shows, and what this request is: the facts that the
 * account service's rules are asked over. Looked up by the patterns of
 * policy/predicate.c, one at a time, inside a transaction.
 */
#ifndef FACTS_GRAPH_FACTS_H
#define FACTS_GRAPH_FACTS_H

#include <stdbool.h>

#include "base/id.h"
#include "policy/facts.h"
#include "store/kv.h"

/* Ids are borrowed; those that are NULL make no fact. */
struct graph_facts {
    struct kv_txn *txn;
    int64_t now_s;
    enum id_kind caller_kind; /* ID_USER or ID_SERVICE */
    const struct id *caller;
    const struct id *session;
    enum id_kind subject_kind; /* as caller_kind */
    const struct id *subject;  /* of a ticket to be made */
    const struct id *holder;   /* the device whose key was proven */
    const struct id *shown;    /* the invitation whose secret was shown */
    const char *key;           /* id of the key that was proven */
    bool local;                /* by the admin socket */
};

/* Borrows facts. */
struct fact_source graph_facts_source(struct graph_facts *facts);

#endif
