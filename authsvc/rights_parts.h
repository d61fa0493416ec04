/* What the files of authsvc/rights share. */
#ifndef AUTHSVC_RIGHTS_PARTS_H
#define AUTHSVC_RIGHTS_PARTS_H

#include "authsvc/mesh_node.h"
#include "authsvc/rights.h"
#include "authsvc/shared.h"
#include "facts/explain.h"
#include "policy/facts.h"
#include "store/graph_service.h"

enum {
    RIGHTS_ALL = RIGHTS_AUDIENCES, /* audiences: all that the client names */
    RIGHTS_URN = sizeof("urn:meshauth:service:") + GRAPH_NAME_MAX,
    RIGHTS_RULE = AUDIT_FIELD_MAX + 1
};

struct rights_audience {
    char urn[RIGHTS_URN];
    bool is_device;
    struct id device;
    struct graph_service service;
};

struct rights_node {
    enum id_kind kind;
    struct id id;
    char url[NODE_URL_MAX];
    size_t only;  /* for the audience by whose prefix it is named, or RIGHTS_ALL */
    bool implied; /* nobody named it: it may be left out */
};

/* One ticket, proven, and then issued. */
struct rights_ticket {
    const char *audience[TICKET_AUDIENCES];
    size_t audiences;
    uint64_t granted[RIGHTS_NODES];   /* by node: bit i for action[i] */
    uint64_t permitted[RIGHTS_NODES]; /* of those, what a permit says */
    size_t facts;
    char rule[RIGHTS_RULE]; /* those that proved it, for the record */
    struct issued issued;

    /* 18 KB, of which a ticket needs little: nothing until it is counted above. */
    struct ticket_fact fact[TICKET_FACTS];
    char room[TICKET_FACTS][TICKET_ARGS][FACTS_ROOM]; /* for their arguments */
};

struct rights {
    struct issue_ground ground;
    const struct caller *caller; /* NULL: see rights_new_initial() */
    const uint8_t *key_hash;
    bool initial;
    bool has_folder; /* nothing but that one */
    struct id folder;

    /* As it is asked for. */
    const char *resource[RIGHTS_NODES];
    size_t resources;
    const char *named[RIGHTS_AUDIENCES];
    size_t names;
    struct text action[RIGHTS_ACTIONS];
    size_t actions;
    bool syncs; /* peer to peer: one ticket for all audiences */

    /* As the transaction finds it. */
    size_t audiences;
    size_t nodes;
    struct rights_ticket *ticket[RIGHTS_AUDIENCES];
    size_t tickets;
    bool narrowed; /* something was left out */
    struct shared_ref *rules;
    bool replaced; /* ... by others: prove anew */
    uint64_t steps;
    const char *refusal;
    char why[EXPLAIN_DENIAL]; /* sentences behind that of the refusal, "" for none */
    size_t explained;         /* so many */

    struct audit_entry *refused;

    /* 30 KB, likewise. */
    struct rights_audience audience[RIGHTS_AUDIENCES]; /* first those that are named */
    struct rights_node node[RIGHTS_NODES];
    struct token_line line[RIGHTS_LINES];
};

/* rights_ask.c */

/* Takes it out of the form; a refusal, or NULL. */
const char *rights_gather(struct rights *r, const struct form *f);
/* In the transaction: what is there to be given where nothing is named. */
MAUTH_MUST_USE enum mauth_rc rights_resolve_initial(
    struct rights *r, struct kv_txn *txn, struct mauth_err *err);
/* In the transaction: what the names stand for. */
MAUTH_MUST_USE enum mauth_rc rights_resolve(
    struct rights *r, struct kv_txn *txn, struct mauth_err *err);

/* rights_prove.c */

/* A proof under way. */
struct prover {
    struct rights *r;
    struct kv_txn *txn;
};

/* The graph, and what a ticket for this caller would say of itself. */
struct graph_facts rights_facts(const struct prover *p);
/* Takes as many steps as the request has left, which are not 0: see below. */
struct eval_question rights_question(const struct rights *r, enum rule_kind kind,
    struct text action, const struct text *arg, size_t args);
/* All questions of a request together may take as long as one of another's: beyond it
 * is refused. */
MAUTH_MUST_USE enum mauth_rc rights_decide(const struct prover *p,
    const struct eval_question *q, struct graph_facts *facts, struct eval *e, bool *yes,
    struct mauth_err *err);
/* May the audience's tickets carry the action? */
MAUTH_MUST_USE bool rights_carries(const struct rights_audience *a, struct text action);

/* rights_deny.c */

/*
 * The refusal when nothing is granted: of a node that the caller knows he hears what he
 * lacks; all others are as if they were not there.
 */
MAUTH_MUST_USE enum mauth_rc rights_deny(const struct prover *p, struct mauth_err *err);

/* rights.c */
void rights_forget_tickets(struct rights *r);

#endif
