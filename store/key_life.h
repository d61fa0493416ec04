/*
 * The life of a signing key: next, active, retiring, gone; or revoked. Inside a
 * transaction; what is refused changes nothing.
 *
 * For each list of audiences one key signs: whoever is made active takes the place of
 * the one that was, which retires, and may be made active again while it does.
 */
#ifndef STORE_KEY_LIFE_H
#define STORE_KEY_LIFE_H

#include "store/signing_key.h"

enum {
    /* Two skews, and the moment until the service signs with the other key. */
    KEY_RETIRES_MARGIN_S = 6 * 60
};

/* A change of one key, and of the one whose place it takes. */
struct key_change {
    const struct mauth_secret *seal; /* borrowed */
    int64_t now_s;
    int64_t longest_s;    /* of a ticket, as configured now */
    uint8_t nonce[2][12]; /* random, drawn before the transaction */

    /* Found out. */
    char other[MAUTH_KEY_ID_LEN + 1]; /* the key that retires, or takes over; or "" */
};

/* Draws the nonces. */
MAUTH_MUST_USE enum mauth_rc key_change_ready(
    struct key_change *c, struct mauth_err *err);

/*
 * It signs from now on. One that does already is let alone.
 *
 * MAUTH_NOT_FOUND  there is no such key
 * MAUTH_CONFLICT   it was revoked, or its window is not open now: err says which
 */
MAUTH_MUST_USE enum mauth_rc key_life_activate(struct kv_txn *txn, struct key_change *c,
    const char *id, bool *changed, struct mauth_err *err);

/*
 * Nothing that it signed counts any more, and its private half is destroyed. If it was
 * active, the next key for its audiences takes over, or else one that retires; without
 * either the key for all audiences signs for them, or nothing until another is active.
 *
 * MAUTH_NOT_FOUND  there is no such key
 */
MAUTH_MUST_USE enum mauth_rc key_life_revoke(struct kv_txn *txn, struct key_change *c,
    const char *id, bool *changed, struct mauth_err *err);

/*
 * Tickets may have become longer than those that an active key has signed so far: it
 * retires for so long. One key at a time; *changed says that there was one.
 */
MAUTH_MUST_USE enum mauth_rc key_life_lengthen(
    struct kv_txn *txn, struct key_change *c, bool *changed, struct mauth_err *err);

/* One that has retired, or whose window is over: its tickets have all expired. Its id,
 * or "". */
MAUTH_MUST_USE enum mauth_rc key_life_ended(struct kv_txn *txn,
    const struct key_change *c, char id[MAUTH_KEY_ID_LEN + 1], struct mauth_err *err);

/* Take it away. */
MAUTH_MUST_USE enum mauth_rc key_life_end(struct kv_txn *txn, struct key_change *c,
    char id[MAUTH_KEY_ID_LEN + 1], struct mauth_err *err);

#endif
