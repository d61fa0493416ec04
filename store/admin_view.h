/*
 * What admins see, as JSON: the same for whoever shows it. Nodes have "id", "url",
 * "type", "version" (of roles none), "created", "updated" and fields of their own.
 */
#ifndef STORE_ADMIN_VIEW_H
#define STORE_ADMIN_VIEW_H

#include "base/buf.h"
#include "store/admin.h"

enum admin_kind {
    ADMIN_USERS,
    ADMIN_SERVICES,
    ADMIN_ROLES,
    ADMIN_REVOCATIONS,
    ADMIN_ERASURES,
    ADMIN_KEYS,         /* by functions of their own: store/admin_keys.h */
    ADMIN_METADATA_KEY, /* likewise; there is one */
    ADMIN_KINDS
};

enum {
    ADMIN_PEM_MAX = 1024
};

/* One block of PEM (RFC 7468), appended. */
void admin_view_pem_block(struct buf *out, const char *label, struct text der);
/* A public key (RFC 7468 13), so that what is shown can be given again. */
void admin_view_pem(const uint8_t *spki, size_t len, char out[ADMIN_PEM_MAX]);

/* "users", as in a path. */
const char *admin_kind_name(enum admin_kind kind);

/*
 * One service or user: usr_..., svc_... or a name. MAUTH_NOT_FOUND: there is none that
 * lives. *version is its ETag's.
 */
MAUTH_MUST_USE enum mauth_rc admin_view_one(struct kv_txn *txn, enum admin_kind kind,
    const char *issuer, const char *whom, struct buf *out, uint64_t *version,
    struct mauth_err *err);

/*
 * The open sessions of a user that lives, as admin_view_list() does: each with "id",
 * "url", "type", "principal", "key" (its id), "device" where that key is a registered
 * one's, "created", and "ends" (of an unattended device: until it is renewed).
 *
 * MAUTH_NOT_FOUND  there is no such user, or after is none of his sessions
 * MAUTH_INVALID    after is no ses_...
 */
MAUTH_MUST_USE enum mauth_rc admin_view_sessions(struct kv_txn *txn, const char *issuer,
    const char *user, const char *after, size_t limit, struct buf *out,
    struct mauth_err *err);

/* What a change has found or made: of a role, who has it now. */
void admin_view_change(
    struct buf *out, const char *issuer, const struct admin_change *c);

/*
 * {"items":[...],"next":URL}, live ones only, behind after (NULL: from the first):
 * usr_..., a service's name, PRINCIPAL/ROLE, or a revocation's ids joined by '.'. limit is
 * cut to a page, which 0 is. Of erasures those that are not done, by user.
 *
 * MAUTH_INVALID  after is none of these
 */
MAUTH_MUST_USE enum mauth_rc admin_view_list(struct kv_txn *txn, enum admin_kind kind,
    const char *issuer, const char *after, size_t limit, struct buf *out,
    struct mauth_err *err);

#endif
