/*
 * Proofs about the tree of the audit log, as RFC 6962 2.1 has them: that a leaf is in it
 * (2.1.1), that a later tree holds an earlier one unchanged (2.1.2). Made from the nodes
 * that are kept; checked (RFC 9162 2.1.3.2, 2.1.4.2) from nothing but the proof. Pure.
 */
#ifndef AUDIT_PROOF_H
#define AUDIT_PROOF_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include <meshauth/err.h>

enum {
    PROOF_MAX = 128 /* hashes of a proof, about a tree of any size */
};

struct audit_proof {
    size_t count;
    uint8_t hash[PROOF_MAX][HASH_LEN];
};

/* The index-th node of a level that is a multiple of 8, which is complete. */
typedef enum mauth_rc proof_node(unsigned level, uint64_t index, uint8_t out[HASH_LEN],
    void *arg, struct mauth_err *err);

/* The root of the tree of the first size leaves. */
MAUTH_MUST_USE enum mauth_rc proof_root(uint64_t size, proof_node *node, void *arg,
    uint8_t out[HASH_LEN], struct mauth_err *err);

/* MAUTH_INVALID: index is not below size; from is 0, or above size. Else what node says. */
MAUTH_MUST_USE enum mauth_rc proof_of_leaf(uint64_t index, uint64_t size,
    proof_node *node, void *arg, struct audit_proof *out, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc proof_of_growth(uint64_t from, uint64_t size,
    proof_node *node, void *arg, struct audit_proof *out, struct mauth_err *err);

/* MAUTH_DENIED: it does not show that. */
MAUTH_MUST_USE enum mauth_rc proof_check_leaf(const uint8_t leaf[HASH_LEN],
    uint64_t index, uint64_t size, const uint8_t root[HASH_LEN],
    const struct audit_proof *p, struct mauth_err *err);
/* Of trees that both have leaves. */
MAUTH_MUST_USE enum mauth_rc proof_check_growth(uint64_t from,
    const uint8_t from_root[HASH_LEN], uint64_t size, const uint8_t root[HASH_LEN],
    const struct audit_proof *p, struct mauth_err *err);

#endif
