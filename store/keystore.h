/*
 * The service's own keys at rest: signing keys and the trust authority, sealed
 * under AES-256-GCM by a key that lies in a file; the delegation of the root;
 * the sequence of the trust file.
 */
#ifndef STORE_KEYSTORE_H
#define STORE_KEYSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/secret.h"
#include "keys/note.h"
#include "keys/signer.h"
#include "keys/trust.h"
#include "store/kv.h"
#include <meshauth/err.h>

#define KEYSTORE_EPOCH_MAX UINT64_C(999999999999999999) /* that a trust file can say */

enum {
    KEYSTORE_SEAL_BYTES = 32,
    KEYSTORE_KEYS = 64 /* at most */
};

/* The seal key from its file: 64 hex digits and a newline, private (file_read_secret).
 * MAUTH_UNAVAILABLE also when there is none. */
MAUTH_MUST_USE enum mauth_rc keystore_seal_read(
    const char *path, struct mauth_secret **out, struct mauth_err *err);
/* A new one, into a file that must not exist. */
MAUTH_MUST_USE enum mauth_rc keystore_seal_create(
    const char *path, struct mauth_secret **out, struct mauth_err *err);

/* A signing key as it is put on record: what the trust file says of it, and its secret. */
struct keystore_key {
    enum trust_state state;
    int64_t from_s;
    int64_t until_s;
    const char *audiences; /* "*" or joined by ',' */
    int64_t created_s;
};

/*
 * Seal and store a new signing key (PKCS#8 DER). nonce comes from outside: 12 random
 * bytes.
 *
 * MAUTH_INVALID   no trust file can list it: its window or its audiences
 * MAUTH_CONFLICT  it is there already
 */
MAUTH_MUST_USE enum mauth_rc keystore_key_add(struct kv_txn *txn,
    const struct mauth_secret *seal, const struct keystore_key *key, struct text pkcs8,
    const uint8_t nonce[12], struct mauth_err *err);

/* One whose private half lies in a token. */
struct keystore_token {
    struct keystore_key key;
    const char *uri; /* pkcs11/uri.h */
    const struct mauth_key *public_half;
    struct text certificate; /* keys/key_certificate.h */
};

/* Store it. As above; MAUTH_INVALID also for a URI that is not taken. */
MAUTH_MUST_USE enum mauth_rc keystore_token_add(struct kv_txn *txn,
    const struct mauth_secret *seal, const struct keystore_token *token,
    const uint8_t nonce[12], struct mauth_err *err);

/*
 * All keys as one immutable snapshot; no token is opened for it, nor need one be there.
 * Reload it when kv_generation() has moved.
 *
 * MAUTH_DENIED       a key, or the authority, does not open: another
 *                    seal key, or a record that somebody else wrote
 * MAUTH_UNAVAILABLE  no authority, or one that is suspended (store/authority.h), two
 *                    active keys for the same audiences, a damaged
 *                    record
 */
struct keystore;
MAUTH_MUST_USE enum mauth_rc keystore_load(struct kv_txn *txn,
    const struct mauth_secret *seal, struct keystore **out, struct mauth_err *err);
void keystore_free(struct keystore *ks);

/* A key that signs now, unless it lies in a token that is away. Belongs to the snapshot. */
struct keystore_signer {
    const struct signer *signer;
    int64_t from_s; /* its window */
    int64_t until_s;
};

/* The one for tickets to all of these audiences: one that is bound to them, else the one
 * for all. NULL: there is none. */
const struct keystore_signer *keystore_signer(
    const struct keystore *ks, const struct text *audience, size_t count);
/* Every key that the trust file lists. */
size_t keystore_count(const struct keystore *ks);
const struct trust_key *keystore_at(const struct keystore *ks, size_t i);
/* Is it on record that a trust file has listed it? */
MAUTH_MUST_USE bool keystore_is_listed(const struct keystore *ks, size_t i);
/* Its certificate, DER (keys/key_certificate.h). Belongs to the snapshot. */
struct text keystore_certificate(const struct keystore *ks, size_t i);

/*
 * Does the i-th sign, if it is active? MAUTH_UNAVAILABLE: not now; err says why. The
 * first question of all makes a token be opened.
 */
MAUTH_MUST_USE enum mauth_rc keystore_ready(
    const struct keystore *ks, size_t i, struct mauth_err *err);

/* The authority: its seed, its verifier, the root that it goes back to, and what that
 * has signed. */
struct keystore_authority {
    struct note_verifier verifier;
    struct note_verifier root;
    uint64_t epoch;
    struct text delegation; /* a signed note */
    struct mauth_secret *seed;
};

/* In force from now on, in the place of another. */
MAUTH_MUST_USE enum mauth_rc keystore_authority_put(struct kv_txn *txn,
    const struct mauth_secret *seal, const struct keystore_authority *a,
    const uint8_t nonce[12], struct mauth_err *err);
/* The authority of a snapshot; belongs to it. */
const struct keystore_authority *keystore_authority(const struct keystore *ks);

/* Takes the next sequence number of the trust file. */
MAUTH_MUST_USE enum mauth_rc keystore_next_sequence(
    struct kv_txn *txn, uint64_t *out, struct mauth_err *err);

#endif
