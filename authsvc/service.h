/*
 * What every endpoint of the service works with. Made once at start, immutable
 * afterwards; the things that it points to are safe from any thread.
 */
#ifndef AUTHSVC_SERVICE_H
#define AUTHSVC_SERVICE_H

#include "config/config.h"
#include "store/kv.h"

struct auditing;
struct documents;
struct mauth_secret;
struct own_keys;
struct cache;
struct parking;
struct pace;
struct proofs;
struct rules_in_force;
struct shared;
struct providers;
struct refusals;
struct troubles;
struct verifiers;

struct service {
    const struct config *config;
    struct kv *kv;
    const struct mauth_secret *seal; /* of what the store has sealed */
    struct own_keys *keys;
    struct documents *documents; /* of those keys; NULL: none are made */
    struct providers *providers;
    struct refusals *refusals;
    struct proofs *proofs;
    struct pace *pace;      /* of changes */
    struct pace *logins;    /* of each principal */
    struct pace *reports;   /* of services, about tickets */
    struct pace *decisions; /* in them, that go on record */
    struct rules_in_force *rules;
    struct troubles *troubles;
    struct shared *trust; /* authsvc/own_trust.h */
    struct cache *known;  /* identity tickets that were verified; NULL: none */
    struct verifiers *verifiers;
    struct parking *waiting; /* requests, for the next trust file */
    struct auditing *auditing;
    struct parking *followers; /* ..., for the next change of the graph */
};

#endif
