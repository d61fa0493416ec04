/* What the files of authsvc/rights share. */
#ifndef AUTHSVC_RIGHTS_PARTS_H
#define AUTHSVC_RIGHTS_PARTS_H

#include "authsvc/mesh_node.h"
#include "authsvc/rights.h"
#include "authsvc/shared.h"
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
    struct ticket_fact fact[TICKET_FACTS];
    char room[TICKET_FACTS][TICKET_ARGS][FACTS_ROOM]; /* for their arguments */
    size_t facts;
    char rule[RIGHTS_RULE]; /* those that proved it, for the record */
    struct issued issued;
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
    struct rights_audience audience[RIGHTS_AUDIENCES]; /* first those that are named */
    size_t audiences;
    struct rights_node node[RIGHTS_NODES];
    size_t nodes;
    struct rights_ticket *ticket[RIGHTS_AUDIENCES];
    size_t tickets;
    bool narrowed; /* something was left out */
    struct shared_ref *rules;
    bool replaced; /* ... by others: prove anew */
    uint64_t steps;
    const char *refusal;

    struct audit_entry *refused;
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

/* rights.c */
void rights_forget_tickets(struct rights *r);

#endif
