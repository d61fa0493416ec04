/*
 * The Merkle tree of RFC 6962 (section 2.1), grown leaf by leaf. Pure: what it
 * needs to go on is the frontier, the roots of its complete subtrees; the hashes
 * that tiles are made of (c2sp.org/tlog-tiles: every eighth level) are handed out
 * as they come into being.
 */
#ifndef AUDIT_MERKLE_H
#define AUDIT_MERKLE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include <meshauth/err.h>

enum {
    MERKLE_LEVELS = 64,
    MERKLE_TILE_HEIGHT = 8
};

struct merkle {
    uint64_t size;
    /* node[i] is the root of a subtree of 2^i leaves, where bit i of size is set. */
    uint8_t node[MERKLE_LEVELS][HASH_LEN];
};

/* SHA-256(0x00 || data) */
MAUTH_MUST_USE enum mauth_rc merkle_leaf(
    const void *data, size_t len, uint8_t out[HASH_LEN], struct mauth_err *err);

/* SHA-256(0x01 || left || right); out may be one of them. */
MAUTH_MUST_USE enum mauth_rc merkle_parent(const uint8_t left[HASH_LEN],
    const uint8_t right[HASH_LEN], uint8_t out[HASH_LEN], struct mauth_err *err);

/* The index-th node from the left of this level, which is a multiple of 8. */
typedef enum mauth_rc merkle_emit(unsigned level, uint64_t index,
    const uint8_t hash[HASH_LEN], void *arg, struct mauth_err *err);

/* emit may be NULL. */
MAUTH_MUST_USE enum mauth_rc merkle_append(struct merkle *m,
    const uint8_t leaf[HASH_LEN], merkle_emit *emit, void *arg, struct mauth_err *err);

/* The root of all leaves; of none: SHA-256 of nothing. */
MAUTH_MUST_USE enum mauth_rc merkle_root(
    const struct merkle *m, uint8_t out[HASH_LEN], struct mauth_err *err);

/* The size and the nodes that are set, high ones first. */
void merkle_write(const struct merkle *m, struct buf *out);
void merkle_read(struct reader *in, struct merkle *m);

#endif
