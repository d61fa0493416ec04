/*
 * Who is in a folder, and on which devices it is mapped. Both are links, to be found
 * and listed as such. Inside a transaction.
 */
#ifndef STORE_GRAPH_MEMBER_H
#define STORE_GRAPH_MEMBER_H

#include "store/graph_folder.h"
#include "store/graph_link.h"

/* MAUTH_INVALID: a role that can't be given. MAUTH_CONFLICT: a member already.
 * MAUTH_NOT_FOUND: no such folder or user, or a tombstone. */
MAUTH_MUST_USE enum mauth_rc graph_member_add(struct kv_txn *txn,
    const struct id *folder, const struct id *user, const char *role, int64_t now_s,
    struct mauth_err *err);

/* Never to or from owner: MAUTH_INVALID, MAUTH_CONFLICT. Revokes: which role has less is
 * for the rules to say, and they may change. */
MAUTH_MUST_USE enum mauth_rc graph_member_set_role(struct kv_txn *txn,
    const struct id *folder, const struct id *user, const char *role, int64_t now_s,
    struct mauth_err *err);

/* Removed or leaving; takes the mappings on the user's devices and its own pending
 * invitations to the folder along, and revokes. MAUTH_CONFLICT: the owner stays. */
MAUTH_MUST_USE enum mauth_rc graph_member_remove(struct kv_txn *txn,
    const struct id *folder, const struct id *user, int64_t now_s,
    struct mauth_err *err);

/* From the owner to another member; the old one stays as a contributor. Revokes.
 * MAUTH_CONFLICT: from is not the owner; MAUTH_NOT_FOUND: not both are members. */
MAUTH_MUST_USE enum mauth_rc graph_member_pass(struct kv_txn *txn,
    const struct id *folder, const struct id *from, const struct id *to, int64_t now_s,
    struct mauth_err *err);

/* MAUTH_OK also when it is mapped; MAUTH_DENIED when no member claims the device. */
MAUTH_MUST_USE enum mauth_rc graph_mapping_add(struct kv_txn *txn,
    const struct id *device, const struct id *folder, int64_t now_s,
    struct mauth_err *err);
/* MAUTH_NOT_FOUND: no such mapping. Revokes. */
MAUTH_MUST_USE enum mauth_rc graph_mapping_remove(struct kv_txn *txn,
    const struct id *device, const struct id *folder, int64_t now_s,
    struct mauth_err *err);

#endif
