/* What our own code may ask of a trust object beyond <meshauth/trust.h>. */
#ifndef KEYS_TRUST_H
#define KEYS_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "keys/delegation.h"
#include "keys/note.h"
#include "keys/trust_key.h"
#include <meshauth/trust.h>

enum {
    TRUST_KEYS_MAX = 256,
    TRUST_LIFE_MAX_S = 43200 /* from issued to expires */
};

size_t trust_key_count(const struct mauth_trust *trust);
const struct trust_key *trust_key_at(const struct mauth_trust *trust, size_t i);
/* The key with this id, or NULL. */
const struct trust_key *trust_key_find(const struct mauth_trust *trust, struct text id);

/*
 * Is there a revocation with a number above asof, all of whose ids are among
 * these? ids are what a ticket mentions, sorted bytewise, none twice.
 */
MAUTH_MUST_USE bool trust_revokes(const struct mauth_trust *trust, uint64_t asof,
    const struct text *ids, size_t count);

/* False when no ticket with this asof can be revoked: spares gathering its ids. */
MAUTH_MUST_USE bool trust_has_revocations_after(
    const struct mauth_trust *trust, uint64_t asof);

/*
 * As mauth_trust_parse(), for who holds the authority's key himself and need not ask
 * the root: what the root has signed must name this authority, and its signature is
 * not looked at.
 */
MAUTH_MUST_USE enum mauth_rc trust_parse_own(const void *data, size_t len,
    const struct note_verifier *authority, struct mauth_trust **out,
    struct mauth_err *err);

/* SHA-256 of the file that it was read from. */
const uint8_t *trust_hash(const struct mauth_trust *trust);

/*
 * As mauth_trust_parse(), for who only wants to see what a file says: its authority must
 * have signed it, but no root vouches for the authority.
 */
MAUTH_MUST_USE enum mauth_rc trust_parse_untrusted(
    const void *data, size_t len, struct mauth_trust **out, struct mauth_err *err);

/* True for a trust object made of a bare key: it never expires. */
bool trust_is_bare(const struct mauth_trust *trust);

/* Of a trust file, not of a bare key; what is pointed to belongs to the object. */
const struct delegation *trust_authority(const struct mauth_trust *trust);
uint64_t trust_revocation_count(const struct mauth_trust *trust);
/* The audit checkpoint: how many records there were, and the hash of their tree. */
uint64_t trust_checkpoint(const struct mauth_trust *trust, uint8_t tree_root[HASH_LEN]);

#endif
