/*
 * The values of a ticket, as the encoder takes them and the decoder gives them.
 * All slices are borrowed; bounds are those of docs/tickets.md.
 */
#ifndef TICKETS_TICKET_H
#define TICKETS_TICKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "keys/key.h"
#include <meshauth/ticket.h>

enum {
    TICKET_AUDIENCES = 4,
    TICKET_PERMITS = 14,
    TICKET_ACTIONS = 64, /* in all permits together */
    TICKET_FACTS = 64,
    TICKET_ARGS = 3,
};

/* In the order of their names, which is their order in a ticket. */
enum ticket_relation {
    FACT_ASOF,    /* asof(number) */
    FACT_CLAIMED, /* claimed(dev, usr) */
    FACT_HOLDER,  /* holder(dev) */
    FACT_MAPPED,  /* mapped(dev, fld) */
    FACT_MEMBER,  /* member(usr, fld, role) */
    FACT_ROLE,    /* role(principal, role) */
    FACT_SERVICE, /* service(svc) */
    FACT_SESSION, /* session(ses) */
    FACT_RELATIONS
};

struct ticket_fact {
    enum ticket_relation relation;
    struct text arg[TICKET_ARGS];
};

struct ticket_permit {
    struct text resource;
    size_t first; /* its actions: action[first] to action[first + count - 1] */
    size_t count;
};

/* What few decisions look at comes first: the rest lies close together. */
struct ticket {
    struct ticket_fact fact[TICKET_FACTS];
    struct text action[TICKET_ACTIONS]; /* our names */
    struct ticket_permit permit[TICKET_PERMITS];
    size_t permits, actions, facts, audiences;
    struct text audience[TICKET_AUDIENCES];
    struct text id;
    struct text issuer;
    struct text subject;
    int64_t issued_s;
    int64_t not_before_s;
    int64_t not_on_or_after_s;
    const uint8_t *holder_spki; /* NULL: a bearer ticket */
    size_t holder_spki_len;
    bool has_authn;
    int64_t authn_instant_s;
    struct text authn_class;

    /* Of the signature; the encoder fills these in. */
    enum key_alg alg;
    struct text key_id;
    uint8_t digest[HASH_LEN];
    struct text signature; /* raw bytes */
};

enum {
    TICKET_ID_LEN = 33, /* '_' and 32 hex digits */
    TICKET_ID_RANDOM = 16
};

/* A fresh ID, terminated: of bytes that were drawn for it, or drawing them. */
void ticket_id_of(const uint8_t random[TICKET_ID_RANDOM], char out[TICKET_ID_LEN + 1]);
MAUTH_MUST_USE enum mauth_rc ticket_new_id(
    char out[TICKET_ID_LEN + 1], struct mauth_err *err);

/* The fact argument(s) of which a ticket has exactly one; an empty slice if it has none. */
struct text ticket_session(const struct ticket *t);
struct text ticket_asof(const struct ticket *t);
struct text ticket_holder(const struct ticket *t);

/* Facts in the order that a ticket has them in: as memcmp. */
int ticket_fact_compare(const struct ticket_fact *a, const struct ticket_fact *b);

/*
 * The rules that no single value shows: counts, orders, what goes with what.
 * NULL when t keeps them, else a static sentence.
 */
MAUTH_MUST_USE const char *ticket_flaw(const struct ticket *t);

/* Relation names, as in "urn:meshauth:fact:NAME", and how many arguments each has. */
const char *ticket_relation_name(enum ticket_relation relation);
size_t ticket_relation_arity(enum ticket_relation relation);
/* What its i-th argument must be, for i below its arity. */
typedef bool (*ticket_valid)(struct text t);
ticket_valid ticket_relation_arg(enum ticket_relation relation, size_t i);

#endif
