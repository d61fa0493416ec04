/*
 * The resource graph: the registry of services, sessions, and the state number that
 * tickets carry as asof. Its other nodes and links have headers of their own. All
 * functions run inside a transaction of store/kv.
 */
#ifndef STORE_GRAPH_H
#define STORE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "store/kv.h"
#include <meshauth/err.h>
#include <meshauth/key.h>

/* The number of the graph's present state: starts at 1, grows with each change of it. */
MAUTH_MUST_USE enum mauth_rc graph_state(
    struct kv_txn *txn, uint64_t *out, struct mauth_err *err);

enum {
    GRAPH_NAME_MAX = 64
};

struct graph_service {
    struct id id;
    char name[GRAPH_NAME_MAX + 1]; /* its audience is urn:meshauth:service:NAME */
    uint64_t version;
    int64_t created_s;
    bool live;
    uint8_t
        spki[MAUTH_SPKI_MAX]; /* its registered key; spki_len 0: none, cannot log in */
    size_t spki_len;
};

/* MAUTH_CONFLICT when the name is taken, MAUTH_INVALID when it is none. */
MAUTH_MUST_USE enum mauth_rc graph_service_create(struct kv_txn *txn,
    const struct id *id, const char *name, int64_t now_s, struct mauth_err *err);

MAUTH_MUST_USE enum mauth_rc graph_service_by_name(struct kv_txn *txn, const char *name,
    struct graph_service *out, struct mauth_err *err);

enum {
    GRAPH_KEY_HASH = 32 /* SHA-256 of an SPKI */
};

/* A subject, the key it proved, a start and an end. */
struct graph_session {
    struct id id;
    enum id_kind subject_kind; /* ID_USER or ID_SERVICE */
    struct id subject;
    uint8_t key_hash[GRAPH_KEY_HASH];
    int64_t started_s; /* AuthnInstant */
    int64_t ends_s;
    bool open;
};

MAUTH_MUST_USE enum mauth_rc graph_session_create(
    struct kv_txn *txn, const struct graph_session *s, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc graph_session_by_id(struct kv_txn *txn,
    const struct id *id, struct graph_session *out, struct mauth_err *err);

enum {
    GRAPH_PAGE_MAX = 64
};

/* A page of a list of nodes. */
struct graph_ids {
    struct id ids[GRAPH_PAGE_MAX];
    size_t count;
    bool more; /* go on after ids[count - 1] */
};

#endif
