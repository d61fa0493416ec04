/*
 * A login as the store sees it: who the identity is, and the one transaction
 * that puts its session and its records.
 */
#ifndef AUTHSVC_LOGIN_H
#define AUTHSVC_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "authsvc/issue.h"
#include "authsvc/provider.h"
#include "store/graph.h"
#include "store/graph_session.h"
#include "store/kv.h"
#include <meshauth/err.h>

enum {
    LOGIN_TICKETS = 2
};

struct login {
    const struct service *service;
    struct provider_identity who;
    uint8_t key_hash[GRAPH_KEY_HASH];
    struct issue_ground ground;
    struct issued issued[LOGIN_TICKETS];
    struct audit_entry *created; /* record of the user's creation */
    struct audit_entry *refused; /* record of a refusal */
    struct id new_user;
    const char *refusal; /* what the last step or transaction refused, static */
};

/*
 * In a read transaction: the user of this identity, if it lives, and the state
 * of the graph. MAUTH_NOT_FOUND when there is none; refusal is set for a closed
 * account.
 */
MAUTH_MUST_USE enum mauth_rc login_find_user(struct login *l, struct mauth_err *err);

/* Make the user's id and the record of its creation ... */
MAUTH_MUST_USE enum mauth_rc login_prepare_user(struct login *l, struct mauth_err *err);
/* ... and put both; nothing is done when the identity has a user by now. */
kv_fn login_create_user;

/* The tickets of a user's login, or of its renewal. out is zero, and cleared by the
 * caller in any case. */
MAUTH_MUST_USE enum mauth_rc login_issue_tickets(const struct issue_ground *ground,
    struct issued out[LOGIN_TICKETS], struct mauth_err *err);

/* Issue all tickets of the login and make the records ready. */
MAUTH_MUST_USE enum mauth_rc login_issue(struct login *l, struct mauth_err *err);
/*
 * Put session, identity token and records, after checking again that the user lives
 * and that the ID token serves no other key, or the assertion served nobody; else
 * refusal is set and nothing put.
 */
kv_fn login_record;

/* Make the record of l->refusal ... */
MAUTH_MUST_USE enum mauth_rc login_prepare_refusal(
    struct login *l, struct mauth_err *err);
/* ... and put it. */
kv_fn login_record_refusal;

void login_clear(struct login *l);

#endif
