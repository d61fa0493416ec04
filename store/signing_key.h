/*
 * A signing key at rest: what the trust file says of it, when it began and ends to be
 * used, and its private half. All of it is bound to the seal: nobody changes a byte,
 * the state included, without the seal key.
 */
#ifndef STORE_SIGNING_KEY_H
#define STORE_SIGNING_KEY_H

#include <stdint.h>

#include "base/buf.h"
#include "base/secret.h"
#include "keys/trust_key.h"
#include "keys/trust_place.h"
#include "pkcs11/uri.h"
#include "store/kv.h"
#include <meshauth/err.h>
#include <meshauth/key.h>

enum {
    SIGNING_KEY_AUDIENCES = 1024 /* bytes of the list */
};

struct signing_key {
    enum trust_state state;
    int64_t from_s;
    int64_t until_s;
    int64_t active_s;  /* since when it signs, or did last; 0: never */
    int64_t retires_s; /* a retiring one: its last ticket has expired then */
    int64_t created_s; /* when it was put on record */
    int64_t longest_s; /* of the tickets that it may have signed */
    char audiences[SIGNING_KEY_AUDIENCES + 1]; /* "*" or joined by ',' */
    struct mauth_key *key;                     /* the public half */
    struct trust_place listed; /* the first trust file to list it; 0.0: none yet */
    struct buf certificate;    /* its X.509 wrapper, DER */
    struct buf pkcs8;          /* the private one; empty: destroyed, or in a token */
    char token[PKCS11_URI_MAX + 1]; /* where it lies then (pkcs11/uri.h), or "" */
};

/* An empty one; and its end: frees and wipes. */
void signing_key_init(struct signing_key *k);
void signing_key_clear(struct signing_key *k);

/*
 * Takes the public half from pkcs8 and makes the certificate (of a key in a token they are
 * there already), and checks that a trust file can say all of it. MAUTH_INVALID: it cannot.
 */
MAUTH_MUST_USE enum mauth_rc signing_key_complete(
    struct signing_key *k, struct mauth_err *err);

/* Open a record; k is made with signing_key_init(), and cleared by the caller also after
 * a failure.
 *
 * MAUTH_DENIED       it was not sealed so by this seal key
 * MAUTH_UNAVAILABLE  damaged, or under another id
 */
MAUTH_MUST_USE enum mauth_rc signing_key_read(const struct mauth_secret *seal,
    struct text id, struct text record, struct signing_key *k, struct mauth_err *err);

/* The one with this id. MAUTH_NOT_FOUND, and as above. */
MAUTH_MUST_USE enum mauth_rc signing_key_find(struct kv_txn *txn,
    const struct mauth_secret *seal, const char *id, struct signing_key *k,
    struct mauth_err *err);

/* Write it, new or changed. nonce comes from outside: 12 random bytes, used once. */
MAUTH_MUST_USE enum mauth_rc signing_key_put(struct kv_txn *txn,
    const struct mauth_secret *seal, const struct signing_key *k,
    const uint8_t nonce[12], struct mauth_err *err);

MAUTH_MUST_USE enum mauth_rc signing_key_delete(
    struct kv_txn *txn, const struct signing_key *k, struct mauth_err *err);

/* Grows with each change: have the keys changed? */
MAUTH_MUST_USE enum mauth_rc signing_key_serial(
    struct kv_txn *txn, uint64_t *out, struct mauth_err *err);

/*
 * Call fn for each, in the order of ids; *k is cleared behind it. It may change none.
 * rc is the first failure, fn's included.
 */
typedef enum mauth_rc signing_key_fn(
    struct signing_key *k, void *arg, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc signing_key_each(struct kv_txn *txn,
    const struct mauth_secret *seal, signing_key_fn *fn, void *arg,
    struct mauth_err *err);

#endif
