/*
 * What admins change, each in one transaction with its record: the same for whoever
 * carries it out, meshauthd at /v1/admin or `meshauth` on a store that no service has
 * open. Whether somebody may is decided elsewhere.
 */
#ifndef STORE_ADMIN_H
#define STORE_ADMIN_H

#include "store/admin_keys.h"
#include "store/admin_revoke.h"
#include "store/audit.h"
#include "store/graph_role.h"
#include "store/graph_service.h"

enum admin_op {
    ADMIN_SERVICE_CREATE,
    ADMIN_SERVICE_UPDATE,
    ADMIN_SERVICE_DELETE,
    ADMIN_ROLE_GRANT,
    ADMIN_ROLE_REVOKE,
    ADMIN_USER_DELETE,
    ADMIN_SESSION_CLOSE,
    ADMIN_TICKET_REVOKE,
    ADMIN_REVOKE, /* whatever it is that whom names, as admin_revoke_parse() reads it */
    ADMIN_KEY_PREPARE,
    ADMIN_KEY_ACTIVATE,
    ADMIN_KEY_REVOKE,
    ADMIN_ERASE /* what the audit log says of a user who has gone */
};

/* What a change of a service gives. */
enum {
    ADMIN_GIVES_KEY = 1,
    ADMIN_GIVES_PREFIX = 2,
    ADMIN_GIVES_ACTIONS = 4
};

struct admin_change {
    enum admin_op op;
    int64_t now_s;
    /* Whom it is about: svc_... or a service's name, usr_..., a principal, ses_..., a
     * ticket's ID, a key's; to make something nobody. */
    const char *whom;
    char named[ADMIN_REVOKE_NAME]; /* room for it, where it is made of parts */
    const char *role;
    const char *note; /* why, for the record; NULL: nothing is said */
    unsigned gives;
    struct graph_service service; /* with what it gives; to create one, all */
    struct admin_key key;         /* of a change of one */
    uint8_t salt[AUDIT_SALT];     /* random */

    /* Found: what is there, and then what has become of it. */
    struct graph_service found;
    struct graph_principal principal;
    struct id session;
    struct admin_revoke revoke;
    bool is_found;
    uint64_t version; /* 0: it has none */
    bool unchanged;   /* it was so already: no record */
};

/* Sets service.id and salt, and makes a key if one is to be prepared; before the
 * transaction. */
MAUTH_MUST_USE enum mauth_rc admin_change_ready(
    struct admin_change *c, struct mauth_err *err);

/* MAUTH_NOT_FOUND: there is nobody of this name. */
MAUTH_MUST_USE enum mauth_rc admin_change_find(
    struct kv_txn *txn, struct admin_change *c, struct mauth_err *err);

/*
 * Once it is found. MAUTH_INVALID, MAUTH_CONFLICT: refused, err->text says why and may
 * be shown; MAUTH_NOT_FOUND: it has no such role.
 */
MAUTH_MUST_USE enum mauth_rc admin_change_apply(
    struct kv_txn *txn, struct admin_change *c, struct mauth_err *err);

/* The name of a refusal by one of the above: for the record, and for the problem. */
const char *admin_change_reason(const struct admin_change *c, enum mauth_rc rc);

/*
 * The record of the change, or of its refusal for a reason. who has actor, device,
 * session, rule, client and request.
 */
MAUTH_MUST_USE enum mauth_rc admin_change_record(struct kv_txn *txn,
    const struct admin_change *c, const struct audit_record *who, const char *reason,
    struct mauth_err *err);

/* Is it about a signing key? Then it needs key.seal, key.longest_s and key.pkcs8. */
MAUTH_MUST_USE bool admin_change_is_of_key(const struct admin_change *c);

/* By svc_... or by name. */
MAUTH_MUST_USE enum mauth_rc admin_service_find(struct kv_txn *txn, const char *whom,
    struct graph_service *out, struct mauth_err *err);

#endif
