/*
 * The resource graph: its state number, which tickets carry as asof, users by their
 * identities, and which identity tokens have served. Its other nodes and links have
 * headers of their own. All functions run inside a transaction of store/kv.
 */
#ifndef STORE_GRAPH_H
#define STORE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "store/kv.h"
#include <meshauth/err.h>
#include <meshauth/key.h>

/* The number of the graph's present state: starts at 1, grows with each change of it. */
MAUTH_MUST_USE enum mauth_rc graph_state(
    struct kv_txn *txn, uint64_t *out, struct mauth_err *err);

enum {
    GRAPH_NAME_MAX = 64,
    GRAPH_SUBJECT_MAX = 255, /* OpenID Connect core 2: "sub" */
    GRAPH_ISSUER_MAX = 512
};

/* An identity is (issuer, subject), never an e-mail. */
struct graph_identity {
    struct text issuer;
    struct text subject;
};

struct graph_user {
    struct id id;
    uint64_t version;
    int64_t created_s;
    int64_t updated_s;
    bool live; /* false: closed, kept as a tombstone */
};

/* MAUTH_NOT_FOUND when nobody has this identity. */
MAUTH_MUST_USE enum mauth_rc graph_user_by_identity(struct kv_txn *txn,
    const struct graph_identity *who, struct graph_user *out, struct mauth_err *err);

MAUTH_MUST_USE enum mauth_rc graph_user_by_id(struct kv_txn *txn, const struct id *id,
    struct graph_user *out, struct mauth_err *err);

/* A new user with the first identity. MAUTH_CONFLICT when the identity has one. */
MAUTH_MUST_USE enum mauth_rc graph_user_create(struct kv_txn *txn, const struct id *id,
    const struct graph_identity *who, int64_t now_s, struct mauth_err *err);

enum {
    GRAPH_KEY_HASH = 32 /* SHA-256 of an SPKI */
};

/* Longer than any commit may take from when a token was found young enough, or the
 * clock be set back. */
enum {
    GRAPH_TOKEN_KEPT_S = 600
};

/*
 * An identity token serves one device key, until the token is too old; and a while
 * longer, for who comes late.
 *
 * MAUTH_OK        first use, or the same key again
 * MAUTH_CONFLICT  another key has used it (nothing is put)
 *
 * Some tokens that were too old GRAPH_TOKEN_KEPT_S before now_s are forgotten along
 * the way.
 */
MAUTH_MUST_USE enum mauth_rc graph_token_use(struct kv_txn *txn,
    const uint8_t token_hash[32], const uint8_t key_hash[GRAPH_KEY_HASH],
    int64_t too_old_s, int64_t now_s, struct mauth_err *err);

#endif
