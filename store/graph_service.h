/*
 * Registered services. Each is an audience, urn:meshauth:service:NAME; with a key it
 * is a principal that can log in, with a URL prefix a place that clients can name.
 * Inside a transaction.
 */
#ifndef STORE_GRAPH_SERVICE_H
#define STORE_GRAPH_SERVICE_H

#include "base/buf.h"
#include "store/graph.h"
#include <meshauth/key.h>

enum {
    GRAPH_URL_MAX = 255,
    GRAPH_ACTIONS = 16,
    GRAPH_SERVICES_PAGE = 16
};

struct graph_service {
    struct id id;
    uint64_t version;
    int64_t created_s;
    int64_t updated_s;
    bool live; /* false: deleted; the id stays taken, name, key and prefix are free */
    char name[GRAPH_NAME_MAX + 1];
    char url[GRAPH_URL_MAX + 1]; /* its prefix, without a slash at its end; "": none */
    uint8_t spki[MAUTH_SPKI_MAX];
    size_t spki_len;                                /* 0: no key, it cannot log in */
    char action[GRAPH_ACTIONS][GRAPH_NAME_MAX + 1]; /* that its tickets may carry */
    size_t actions;                                 /* 0: any */
};

/*
 * Registers want: id, name, url, key and actions, at want->created_s.
 *
 * MAUTH_INVALID   the name, the prefix, the key or the actions; err->text says which
 * MAUTH_CONFLICT  the id is taken, or the name, the key is another service's, or its
 *                 prefix is equal to this one, above it or below it
 */
MAUTH_MUST_USE enum mauth_rc graph_service_create(
    struct kv_txn *txn, const struct graph_service *want, struct mauth_err *err);

/*
 * Gives want->id the url, key and actions of want at want->updated_s; its name stays.
 * Another key closes its sessions and revokes it, fewer actions revoke it.
 *
 * MAUTH_NOT_FOUND  none, or deleted; else as above
 */
MAUTH_MUST_USE enum mauth_rc graph_service_update(
    struct kv_txn *txn, const struct graph_service *want, struct mauth_err *err);

/* Takes its roles and sessions along, and revokes. MAUTH_NOT_FOUND also: deleted. */
MAUTH_MUST_USE enum mauth_rc graph_service_delete(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err);

/* Also a tombstone. */
MAUTH_MUST_USE enum mauth_rc graph_service_by_id(struct kv_txn *txn,
    const struct id *id, struct graph_service *out, struct mauth_err *err);

/* These find live ones. */
MAUTH_MUST_USE enum mauth_rc graph_service_by_name(struct kv_txn *txn, const char *name,
    struct graph_service *out, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc graph_service_by_key_hash(struct kv_txn *txn,
    const uint8_t key_hash[GRAPH_KEY_HASH], struct graph_service *out,
    struct mauth_err *err);

/* Whose prefix this is, or what a prefix of it. MAUTH_NOT_FOUND also when it is no
 * strict URL (base/url.h). */
MAUTH_MUST_USE enum mauth_rc graph_service_by_url(struct kv_txn *txn, struct text url,
    struct graph_service *out, struct mauth_err *err);

struct graph_service_page {
    struct graph_service item[GRAPH_SERVICES_PAGE];
    size_t count;
    bool more; /* go on after item[count - 1].name */
};

/* Live ones by name, behind after (NULL: from the first); limit is cut to the page. */
MAUTH_MUST_USE enum mauth_rc graph_service_page(struct kv_txn *txn, const char *after,
    size_t limit, struct graph_service_page *out, struct mauth_err *err);

#endif
