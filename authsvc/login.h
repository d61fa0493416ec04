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
#include "authsvc/rights.h"
#include "store/graph.h"
#include "store/graph_session.h"
#include "store/kv.h"
#include <meshauth/err.h>

/* What a login or a renewal gives. */
struct login_tickets {
    struct issued identity;
    struct rights *initial; /* NULL: none */
};

enum {
    LOGIN_LINES = 1 + RIGHTS_LINES
};

struct login {
    const struct service *service;
    struct provider_identity who;
    uint8_t key_hash[GRAPH_KEY_HASH];
    struct issue_ground ground;
    struct login_tickets tickets;
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

/*
 * The identity ticket of a login, or of its renewal, and a user's initial tickets. The
 * ground is complete; key_hash is borrowed as long as out is there. out is zero, and
 * cleared by the caller in any case.
 */
MAUTH_MUST_USE enum mauth_rc login_issue_tickets(const struct issue_ground *ground,
    const uint8_t key_hash[GRAPH_KEY_HASH], struct login_tickets *out,
    struct mauth_err *err);
/* Put their records. */
MAUTH_MUST_USE enum mauth_rc login_record_tickets(
    struct kv_txn *txn, const struct login_tickets *t, struct mauth_err *err);
/* As they are answered, the identity ticket first; how many lines. Borrowed from t. */
size_t login_lines(struct login_tickets *t, struct token_line line[LOGIN_LINES]);
void login_tickets_clear(struct login_tickets *t);

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
