/*
 * Another seal key: everything that is sealed in the store is opened with the old one and
 * sealed under the new one, all of it or nothing.
 */
#ifndef STORE_RESEAL_H
#define STORE_RESEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/secret.h"
#include "store/keystore.h"
#include "store/kv.h"
#include <meshauth/err.h>

enum {
    RESEAL_RECORDS =
        KEYSTORE_KEYS + 3 /* at most: the authority, one that waits; SAML */
};

struct reseal {
    const struct mauth_secret *from, *to;
    uint8_t nonce[RESEAL_RECORDS][12]; /* random, drawn before the transaction */

    /* Found. */
    size_t records;
    bool unchanged; /* all of it was sealed so already */
};

/* Draws the nonces. */
MAUTH_MUST_USE enum mauth_rc reseal_ready(struct reseal *r, struct mauth_err *err);

/*
 * Inside a transaction.
 *
 * MAUTH_DENIED       something opens with neither
 * MAUTH_UNAVAILABLE  damaged, or not all there
 */
MAUTH_MUST_USE enum mauth_rc reseal_all(
    struct kv_txn *txn, struct reseal *r, struct mauth_err *err);

#endif
