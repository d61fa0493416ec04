/*
 * Another authority, in two steps with the root's signature between them: a new key that
 * waits, with the text that the root is to sign; and that key in force, in the next
 * epoch, so that whatever the old one signs is refused from then on. Each in one
 * transaction with its record: the same for whoever carries it out, meshauthd at
 * /v1/admin or `meshauth` on a store that no service has open.
 *
 * A new authority always takes a new epoch. Within one, readers go by the sequence alone:
 * two authorities of one epoch would both be believed.
 */
#ifndef STORE_AUTHORITY_CHANGE_H
#define STORE_AUTHORITY_CHANGE_H

#include "store/audit.h"
#include "store/authority.h"

enum authority_op {
    AUTHORITY_REQUEST,
    AUTHORITY_INSTALL
};

enum {
    AUTHORITY_LIFE_S = 365 * 86400, /* of its window, unless another is asked for */
    AUTHORITY_LIFE_MIN_S = 3600,
    AUTHORITY_LIFE_MAX_S = 3650 * 86400
};

struct authority_change {
    enum authority_op op;
    const struct mauth_secret *seal; /* borrowed, like all that is given */
    const char *issuer;
    int64_t now_s;
    struct audit_record who; /* has actor, device, session, rule, client and request */

    /* Of a request. */
    uint64_t epoch; /* 0: the next one; never one that there has been */
    int64_t life_s; /* 0: AUTHORITY_LIFE_S */

    /* To install: the signed note, and the root that is pinned from now on, or NULL. */
    struct text delegation;
    const struct note_verifier *new_root;

    /* Drawn before the transaction. */
    struct keystore_authority made;
    uint8_t nonce[12];
    uint8_t salt[AUDIT_SALT];

    /* Found. */
    uint64_t becomes;      /* the epoch */
    enum mauth_rc refused; /* that is on record; why tells, and may be shown */
    struct mauth_err why;
};

/* Makes the key of a request. authority_change_clear() it, also after a failure. */
MAUTH_MUST_USE enum mauth_rc authority_change_ready(
    struct authority_change *c, struct mauth_err *err);
void authority_change_clear(struct authority_change *c);

/*
 * As a transaction of kv_write(). c->refused:
 *
 * MAUTH_INVALID    an epoch that there has been, or too long or short a window
 * MAUTH_MALFORMED  no delegation
 * MAUTH_UNTRUSTED  not signed by the root that is pinned
 * MAUTH_NOT_FOUND  nothing was requested
 * MAUTH_CONFLICT   it does not answer what was requested last
 * MAUTH_EXPIRED    its window is not open now
 */
kv_fn authority_change_run;

/* The record of one that was refused before it began, for a reason. */
MAUTH_MUST_USE enum mauth_rc authority_change_refuse(struct kv_txn *txn,
    const struct authority_change *c, const char *reason, struct mauth_err *err);

/*
 * {"issuer", "root", "root_fingerprint", "epoch", "authority", "from", "until",
 * "warnings": [...]} as JSON,
 * and "pending": {"epoch", "authority", "from", "until", "request"} where one waits.
 * handover_s as of key_warnings().
 */
MAUTH_MUST_USE enum mauth_rc authority_view(struct kv_txn *txn,
    const struct mauth_secret *seal, int64_t now_s, int64_t handover_s, struct buf *out,
    struct mauth_err *err);

#endif
