/*
 * Invitations to a folder: pending, then accepted, declined, revoked or expired, which
 * is final. An inviter is a member; a pending invitation ends with that membership and
 * with the folder. Inside a transaction.
 */
#ifndef STORE_GRAPH_INVITATION_H
#define STORE_GRAPH_INVITATION_H

#include "store/graph_link.h"
#include "store/graph_user.h"

enum {
    GRAPH_SECRET = 32,
    GRAPH_SECRET_HASH = 32,
    GRAPH_INVITATIONS_OF_INVITER = 256, /* pending, to one folder */
    GRAPH_INVITATIONS_OF_FOLDER = 4096  /* pending, by all of its members */
};

enum graph_invitation_state {
    GRAPH_PENDING,
    GRAPH_ACCEPTED,
    GRAPH_DECLINED,
    GRAPH_REVOKED,
    GRAPH_EXPIRED
};

/* "pending". */
const char *graph_invitation_state_name(enum graph_invitation_state state);

enum graph_addressee {
    GRAPH_FOR_BEARER, /* whoever has the secret */
    GRAPH_FOR_USER,
    GRAPH_FOR_EMAIL
};

struct graph_invitation {
    struct id id;
    struct id folder;
    struct id inviter;
    char role[GRAPH_NAME_MAX + 1];
    enum graph_invitation_state state;
    uint64_t version;
    int64_t created_s;
    int64_t updated_s;
    int64_t expires_s; /* from then on it is not pending */
    uint8_t secret_hash[GRAPH_SECRET_HASH];
    enum graph_addressee addressee;
    struct id user;           /* GRAPH_FOR_USER */
    struct graph_email email; /* GRAPH_FOR_EMAIL */
};

/* What is kept of a secret, which is random. */
MAUTH_MUST_USE enum mauth_rc graph_invitation_hash(const uint8_t secret[GRAPH_SECRET],
    uint8_t out[GRAPH_SECRET_HASH], struct mauth_err *err);
/* Is this its secret? In constant time; false, too, when it cannot be hashed. */
MAUTH_MUST_USE bool graph_invitation_shows(
    const struct graph_invitation *i, const uint8_t secret[GRAPH_SECRET]);
/* Does it name nobody, or this user? */
MAUTH_MUST_USE bool graph_invitation_is_for(
    const struct graph_invitation *i, const struct graph_user *user);

/*
 * As it is at now_s: pending no longer from expires_s on. updated_s is then expires_s,
 * and the version is that of the next record, whether or not one has been written.
 */
MAUTH_MUST_USE enum mauth_rc graph_invitation_by_id(struct kv_txn *txn,
    const struct id *id, int64_t now_s, struct graph_invitation *out,
    struct mauth_err *err);

/* At most GRAPH_PAGE_MAX of this inviter to this folder, in every state, by their ids,
 * behind after (or NULL). */
MAUTH_MUST_USE enum mauth_rc graph_invitation_page(struct kv_txn *txn,
    const struct id *folder, const struct id *inviter, const struct id *after,
    struct graph_ids *out, struct mauth_err *err);

/*
 * Makes want->id, folder, inviter, role, addressee (and user or email), secret_hash and
 * expires_s at want->created_s.
 *
 * MAUTH_INVALID    a role that can't be given, or expired from the start, or an e-mail
 *                  that is none
 * MAUTH_NOT_FOUND  the inviter is no member of this folder
 * MAUTH_CONFLICT   the id is taken
 * MAUTH_TOO_LARGE  too many pending ones
 */
MAUTH_MUST_USE enum mauth_rc graph_invitation_create(
    struct kv_txn *txn, const struct graph_invitation *want, struct mauth_err *err);

enum graph_closed {
    GRAPH_NOT_CLOSED,
    GRAPH_CLOSED,    /* the invitation's state is final */
    GRAPH_IS_MEMBER, /* the user is in the folder */
};

/*
 * The user becomes a member in the invitation's role. Whether the inviter may still
 * invite is the caller's to know, as is the secret.
 *
 * MAUTH_NOT_FOUND  no such invitation or user, or a closed one
 * MAUTH_DENIED     it names somebody else
 * MAUTH_CONFLICT   *why says which
 */
MAUTH_MUST_USE enum mauth_rc graph_invitation_accept(struct kv_txn *txn,
    const struct id *id, const struct id *user, int64_t now_s, enum graph_closed *why,
    struct mauth_err *err);

/* MAUTH_CONFLICT: the state is final. */
MAUTH_MUST_USE enum mauth_rc graph_invitation_decline(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc graph_invitation_revoke(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err);

/* For the graph's own files: revokes the pending ones to this folder, of this inviter
 * or (NULL) of all. */
MAUTH_MUST_USE enum mauth_rc graph_invitation_revoke_all(struct kv_txn *txn,
    const struct id *folder, const struct id *inviter, int64_t now_s,
    struct mauth_err *err);

#endif
