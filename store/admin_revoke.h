/*
 * What an admin can have ended at once, everywhere, named by one id or two: a ticket, a
 * session, a user's sessions, a device, a claim, a membership, a mapping. Inside a
 * transaction.
 *
 * Each change is one of the graph where there is something in it that would bring the
 * tickets back, so that no renewal does; and the revocation list tells services of it.
 */
#ifndef STORE_ADMIN_REVOKE_H
#define STORE_ADMIN_REVOKE_H

#include "base/buf.h"
#include "base/id.h"
#include "store/kv.h"
#include "store/revocations.h"

enum {
    ADMIN_REVOKE_IDS = 2,
    ADMIN_REVOKE_NAME = ADMIN_REVOKE_IDS * (REVOKED_ID_MAX + 1) /* "ID+ID" */
};

struct admin_revoke_kind;

struct admin_revoke {
    const struct admin_revoke_kind *kind;
    struct id id[ADMIN_REVOKE_IDS]; /* in the order of the kind */
    char text[ADMIN_REVOKE_IDS][REVOKED_ID_MAX + 1];
    size_t count;
};

/* From "ID" or "ID+ID", in either order; false when nothing can be ended that is named so.
 */
MAUTH_MUST_USE bool admin_revoke_parse(struct text name, struct admin_revoke *out);

/*
 * MAUTH_OK         *changed: or it was so already (of a ticket)
 * MAUTH_NOT_FOUND  there is nothing of that name that could end
 * MAUTH_CONFLICT   an owner's membership
 */
MAUTH_MUST_USE enum mauth_rc admin_revoke_apply(struct kv_txn *txn,
    const struct admin_revoke *r, int64_t now_s, bool *changed, struct mauth_err *err);

/* How it goes on record: "member.remove". */
const char *admin_revoke_action(const struct admin_revoke *r);
/* What has become of it, in a word or two: "removed". */
const char *admin_revoke_done(const struct admin_revoke *r);

#endif
