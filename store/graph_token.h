/* Identity tokens that have served. Inside a transaction. */
#ifndef STORE_GRAPH_TOKEN_H
#define STORE_GRAPH_TOKEN_H

#include "store/graph.h"

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

/* The same for one that serves once: MAUTH_CONFLICT also when the same key has used
 * it. */
MAUTH_MUST_USE enum mauth_rc graph_token_use_once(struct kv_txn *txn,
    const uint8_t token_hash[32], const uint8_t key_hash[GRAPH_KEY_HASH],
    int64_t too_old_s, int64_t now_s, struct mauth_err *err);

#endif
