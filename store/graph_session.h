/* Sessions: a subject, the key it proved, a start and an end. Inside a transaction. */
#ifndef STORE_GRAPH_SESSION_H
#define STORE_GRAPH_SESSION_H

#include "store/graph.h"

enum {
    GRAPH_SESSIONS_REVOKED = 256 /* one by one, of those that end together */
};

struct graph_session {
    struct id id;
    enum id_kind subject_kind; /* ID_USER or ID_SERVICE */
    struct id subject;
    uint8_t key_hash[GRAPH_KEY_HASH];
    int64_t started_s; /* AuthnInstant */
    int64_t ends_s;
    bool open;
    bool by_certificate; /* a service's that proved its key by TLS certificate */
};

MAUTH_MUST_USE enum mauth_rc graph_session_create(
    struct kv_txn *txn, const struct graph_session *s, struct mauth_err *err);

MAUTH_MUST_USE enum mauth_rc graph_session_by_id(struct kv_txn *txn,
    const struct id *id, struct graph_session *out, struct mauth_err *err);

/*
 * May it be renewed? It is open and its end has not come; or its key is that of a
 * device which its subject claims and has marked unattended.
 */
MAUTH_MUST_USE enum mauth_rc graph_session_goes_on(struct kv_txn *txn,
    const struct graph_session *s, int64_t now_s, bool *out, struct mauth_err *err);

/* Of an open one: ends_s, when that is later. MAUTH_NOT_FOUND also when it is closed. */
MAUTH_MUST_USE enum mauth_rc graph_session_extend(
    struct kv_txn *txn, const struct id *id, int64_t ends_s, struct mauth_err *err);

struct graph_sessions {
    struct graph_session items[GRAPH_PAGE_MAX];
    size_t count;
    bool more; /* go on after items[count - 1].id */
};

/*
 * The open ones of a subject, in no order that means anything, behind after (or NULL);
 * limit is cut to the page, which 0 is.
 *
 * MAUTH_NOT_FOUND  after is none of this subject, or it was purged meanwhile
 */
MAUTH_MUST_USE enum mauth_rc graph_session_page(struct kv_txn *txn, enum id_kind kind,
    const struct id *subject, const struct id *after, size_t limit,
    struct graph_sessions *out, struct mauth_err *err);

/* Revokes it. MAUTH_NOT_FOUND also when it is closed. */
MAUTH_MUST_USE enum mauth_rc graph_session_close(
    struct kv_txn *txn, const struct id *id, struct mauth_err *err);

/*
 * Closes and revokes the open ones of this subject and key; *count: how many. Beyond
 * GRAPH_SESSIONS_REVOKED the subject is revoked: its other sessions stay open.
 */
MAUTH_MUST_USE enum mauth_rc graph_session_close_of_key(struct kv_txn *txn,
    enum id_kind kind, const struct id *subject, const uint8_t key_hash[GRAPH_KEY_HASH],
    size_t *count, struct mauth_err *err);

/* Closes all of a subject and revokes none: for who revokes the subject itself. */
MAUTH_MUST_USE enum mauth_rc graph_session_close_all(struct kv_txn *txn,
    enum id_kind kind, const struct id *subject, struct mauth_err *err);

/* Closes all there are and revokes none: for who revokes everything. */
MAUTH_MUST_USE enum mauth_rc graph_session_close_everybody(
    struct kv_txn *txn, size_t *count, struct mauth_err *err);

/* Closes all of a subject and revokes the subject, which lives on. */
MAUTH_MUST_USE enum mauth_rc graph_session_revoke_all(struct kv_txn *txn,
    enum id_kind kind, const struct id *subject, struct mauth_err *err);

/*
 * Closes and revokes all with this key, whoever's: for who revokes the device, which
 * tickets of before it was registered do not mention. Beyond GRAPH_SESSIONS_REVOKED the
 * subjects are revoked. It looks at every session that is open.
 */
MAUTH_MUST_USE enum mauth_rc graph_session_close_on_key(
    struct kv_txn *txn, const uint8_t key_hash[GRAPH_KEY_HASH], struct mauth_err *err);

#endif
