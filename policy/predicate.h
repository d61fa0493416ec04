/*
 * The predicates that rules may use without defining them: the relations that
 * tickets and the graph know, and what is computed from a URL.
 *
 * An argument pattern has a '+' for each argument that has a value already and a
 * '-' for each that has none. A side declares the patterns by which it looks
 * facts up; with more values at hand than a pattern needs, it still serves.
 */
#ifndef POLICY_PREDICATE_H
#define POLICY_PREDICATE_H

#include <stdbool.h>

#include "base/str.h"

enum {
    PREDICATE_ARGS_MAX = 4
};

/* Whom a rule asks: a service has one ticket, the account service the graph. */
enum side {
    SIDE_TICKET,
    SIDE_GRAPH,
    SIDES
};

enum predicate {
    /* relations that both sides know */
    PREDICATE_CLAIMED, /* (device, user) */
    PREDICATE_HOLDER,  /* (device) whose key was proven */
    PREDICATE_MAPPED,  /* (device, folder) */
    PREDICATE_MEMBER,  /* (user, folder, role) */
    PREDICATE_ROLE,    /* (principal, role) */
    PREDICATE_SERVICE, /* (service) is registered */
    PREDICATE_SESSION, /* (session) that this is part of */
    PREDICATE_SUBJECT, /* (principal) whom the ticket speaks of, or is to */
    /* only tickets */
    PREDICATE_PERMIT, /* (action, URL) */
    /* only the graph */
    PREDICATE_ACCOUNT,    /* (user) is known and not closed */
    PREDICATE_ADDRESSED,  /* (invitation, user): it names this user, or nobody */
    PREDICATE_CALLER,     /* (principal) whose request this is, its session open */
    PREDICATE_INVITATION, /* (invitation, folder, role), still pending */
    PREDICATE_INVITER,    /* (invitation, user) who made it */
    PREDICATE_KEY,        /* (key id) that this request has proven */
    PREDICATE_LOCAL,      /* the request came in by the admin socket */
    PREDICATE_SHARING,    /* (folder, role): its owner lets this role invite */
    PREDICATE_SHOWN,      /* (invitation) whose secret the request holds */
    /* computed, on both sides */
    PREDICATE_DEVICE, /* (URL, device): exactly its node */
    PREDICATE_FOLDER, /* (URL, folder) */
    PREDICATE_USER,   /* (URL, user) */
    PREDICATE_WITHIN, /* (URL, URL): equal to it or under it */
    PREDICATES
};

/* What a value can be; a set of these. */
enum {
    VALUE_USER = 1,
    VALUE_DEVICE = 2,
    VALUE_FOLDER = 4,
    VALUE_INVITATION = 8,
    VALUE_SESSION = 16,
    VALUE_SERVICE = 32,
    VALUE_NAME = 64,
    VALUE_URL = 128,
    VALUE_OTHER = 256,
    VALUE_ANY = 511
};

struct predicate_info {
    const char *name;
    unsigned arity;
    unsigned value[PREDICATE_ARGS_MAX]; /* what each argument can be */
    const char *patterns[SIDES];        /* space between; NULL: not on this side */
};

const struct predicate_info *predicate_info(enum predicate p);

/* Not a relation: no source has facts of it. */
MAUTH_MUST_USE bool predicate_is_computed(enum predicate p);

/* PREDICATES when there is none of this name. */
enum predicate predicate_by_name(struct text name);

/*
 * The declared pattern with the most arguments of those in bound (bit i for
 * argument i), as such bits. False when no declared pattern does with these.
 */
MAUTH_MUST_USE bool predicate_key(
    enum predicate p, enum side side, unsigned bound, unsigned *key);

/* The one kind of value that this text is. */
unsigned value_kind(struct text t);
/* "a user" for VALUE_USER; of a set, the first, unless it has a name of its own. */
const char *value_kind_name(unsigned kinds);

#endif
