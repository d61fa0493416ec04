/* Users, and the identities by which they are known. Inside a transaction. */
#ifndef STORE_GRAPH_USER_H
#define STORE_GRAPH_USER_H

#include "store/graph.h"
#include "store/graph_label.h"

enum {
    GRAPH_SUBJECT_MAX = 255, /* OpenID Connect core 2: "sub" */
    GRAPH_ISSUER_MAX = 512,
    GRAPH_EMAIL_MAX = 254 /* RFC 5321 4.5.3.1.3, without the brackets */
};

/* An identity is (issuer, subject), never an e-mail. */
struct graph_identity {
    struct text issuer;
    struct text subject;
};

/* An address, and the issuer that vouches for it. "" and "": none. */
struct graph_email {
    char issuer[GRAPH_ISSUER_MAX + 1];
    char address[GRAPH_EMAIL_MAX + 1];
};

/*
 * MAUTH_INVALID, and *out is none: too long, not LOCAL@DOMAIN, or with white space or
 * characters that no label may have.
 */
MAUTH_MUST_USE enum mauth_rc graph_email_set(struct graph_email *out,
    struct text issuer, struct text address, struct mauth_err *err);

/* The domain in any case of ASCII, all else byte by byte. None equals nothing. */
MAUTH_MUST_USE bool graph_email_equal(
    const struct graph_email *a, const struct graph_email *b);

struct graph_user {
    struct id id;
    uint64_t version;
    int64_t created_s;
    int64_t updated_s;
    bool live; /* false: closed, kept as a tombstone */
    struct graph_email email;
};

/* MAUTH_NOT_FOUND when nobody has this identity. A tombstone keeps its identity. */
MAUTH_MUST_USE enum mauth_rc graph_user_by_identity(struct kv_txn *txn,
    const struct graph_identity *who, struct graph_user *out, struct mauth_err *err);

/* Tombstones are found. */
MAUTH_MUST_USE enum mauth_rc graph_user_by_id(struct kv_txn *txn, const struct id *id,
    struct graph_user *out, struct mauth_err *err);

/* At most GRAPH_PAGE_MAX users, tombstones too, by their ids, behind after (or NULL). */
MAUTH_MUST_USE enum mauth_rc graph_user_page(struct kv_txn *txn, const struct id *after,
    struct graph_ids *out, struct mauth_err *err);

/* A new user with the first identity. MAUTH_CONFLICT when the identity has one, or the
 * id was ever taken. */
MAUTH_MUST_USE enum mauth_rc graph_user_create(struct kv_txn *txn, const struct id *id,
    const struct graph_identity *who, int64_t now_s, struct mauth_err *err);

/*
 * What a provider vouches for now; NULL: for none. Whether it may (that it is
 * authoritative for the domain and calls the address verified) is the caller's to know.
 * MAUTH_OK, and nothing changes, when that is on record already. MAUTH_NOT_FOUND also
 * for a tombstone.
 */
MAUTH_MUST_USE enum mauth_rc graph_user_set_email(struct kv_txn *txn,
    const struct id *id, const struct graph_email *email, int64_t now_s,
    struct mauth_err *err);

/*
 * Closes the user: releases the devices, deletes the folders that it owns, leaves the
 * others, which ends the pending invitations that it made; revokes. The identity leads
 * to the tombstone until that is purged.
 *
 * Sessions stay as they are: whoever looks at one also looks whether its subject lives.
 * MAUTH_NOT_FOUND also for a tombstone.
 */
MAUTH_MUST_USE enum mauth_rc graph_user_delete(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err);

#endif
