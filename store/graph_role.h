/*
 * What admins trust principals with: role(P, admin), role(S, changes). Not the roles
 * in a folder. Names are free: the rules say what each opens. Inside a transaction.
 */
#ifndef STORE_GRAPH_ROLE_H
#define STORE_GRAPH_ROLE_H

#include "store/graph.h"

enum {
    GRAPH_ROLES_PAGE = 64
};

struct graph_principal {
    enum id_kind kind; /* ID_USER or ID_SERVICE */
    struct id id;
};

/* False unless text is one id of a user or a service. */
MAUTH_MUST_USE bool graph_principal_parse(
    struct text text, struct graph_principal *out);

/*
 * MAUTH_INVALID    the role's name, or no principal
 * MAUTH_NOT_FOUND  no such principal, or it is closed
 * MAUTH_CONFLICT   it has the role; nothing is put
 */
MAUTH_MUST_USE enum mauth_rc graph_role_grant(struct kv_txn *txn,
    const struct graph_principal *p, const char *role, int64_t now_s,
    struct mauth_err *err);

/* Revokes P. MAUTH_NOT_FOUND: it has no such role. */
MAUTH_MUST_USE enum mauth_rc graph_role_revoke(struct kv_txn *txn,
    const struct graph_principal *p, const char *role, int64_t now_s,
    struct mauth_err *err);

/* MAUTH_OK: it has; MAUTH_NOT_FOUND (not noted in err). */
MAUTH_MUST_USE enum mauth_rc graph_role_has(struct kv_txn *txn,
    const struct graph_principal *p, const char *role, struct mauth_err *err);

/* All of a principal that ends: who ends it revokes it. */
MAUTH_MUST_USE enum mauth_rc graph_role_drop_all(
    struct kv_txn *txn, const struct graph_principal *p, struct mauth_err *err);

struct graph_grant {
    struct graph_principal principal;
    char role[GRAPH_NAME_MAX + 1];
    int64_t granted_s;
};

struct graph_role_page {
    struct graph_grant item[GRAPH_ROLES_PAGE];
    size_t count;
    bool more; /* go on after item[count - 1] */
};

/* Of one principal (NULL: of all), behind after (NULL: from the first), in order. */
MAUTH_MUST_USE enum mauth_rc graph_role_page(struct kv_txn *txn,
    const struct graph_principal *of, const struct graph_grant *after, size_t limit,
    struct graph_role_page *out, struct mauth_err *err);

#endif
