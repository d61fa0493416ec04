/*
 * A service's login as the store sees it: who it is, and the one transaction that puts
 * its session and its record.
 */
#ifndef AUTHSVC_CLIENT_LOGIN_H
#define AUTHSVC_CLIENT_LOGIN_H

#include <stdbool.h>

#include "authsvc/client_assertion.h"
#include "authsvc/issue.h"
#include "store/graph_service.h"
#include "store/graph_session.h"

struct client_login {
    const struct service *service;
    char name[ID_LEN + 1]; /* svc_... */
    struct graph_service client;
    struct mauth_key *registered;
    struct client_assertion assertion;
    bool by_assertion;
    struct issue_ground ground;
    uint8_t key_hash[GRAPH_KEY_HASH]; /* of the key that its session is bound to */
    struct issued issued;
    struct audit_entry *refused;
    const char *refusal; /* what the last step or transaction refused, static */
};

/*
 * In a read transaction: the service of this name, if it lives and has a key, and the
 * state of the graph; else refusal is set.
 */
MAUTH_MUST_USE enum mauth_rc client_login_find(
    struct client_login *l, const char *name, struct mauth_err *err);

/*
 * Has it proven its key, by assertion (NULL: none) or certificate (NULL: none)? If
 * not, refusal is set. Its tickets are bound to proven, or else (NULL) to the
 * registered key. Keys are borrowed until client_login_clear().
 */
MAUTH_MUST_USE enum mauth_rc client_login_check(struct client_login *l,
    const char *assertion, const struct mauth_key *certificate,
    const struct mauth_key *proven, struct mauth_err *err);

/* Issue its identity ticket and make the record ready. */
MAUTH_MUST_USE enum mauth_rc client_login_issue(
    struct client_login *l, struct mauth_err *err);

/* Put session, assertion and record, after checking again that the service lives with
 * this key and that the assertion is new; else refusal is set and nothing put. */
kv_fn client_login_record;

/*
 * Of one that only proves who it is, and wants no ticket: the same check, and the
 * assertion is used up. ground.session is an id of this request's own.
 */
MAUTH_MUST_USE enum mauth_rc client_login_confirm(
    struct kv_txn *txn, struct client_login *l, struct mauth_err *err);

/* Make the record of l->refusal ... */
MAUTH_MUST_USE enum mauth_rc client_login_prepare_refusal(
    struct client_login *l, struct mauth_err *err);
/* ... and put it. */
kv_fn client_login_record_refusal;

void client_login_clear(struct client_login *l);

#endif
