/*
 * Was this ticket issued by us? Every record is looked at, by no index, also in the
 * archive, and the one that is found is proven to be in the tree.
 */
#ifndef STORE_AUDIT_PROVE_H
#define STORE_AUDIT_PROVE_H

#include "audit/checkpoint.h"
#include "audit/proof.h"
#include "store/audit.h"

struct audit_evidence {
    bool found;
    bool erased; /* what the record said is gone; ticket and digest have stayed */
    uint64_t sequence;
    struct buf json;          /* the record; buf_clear() it */
    uint8_t digest[HASH_LEN]; /* of an erased one, if it had any */
    uint8_t leaf[HASH_LEN];
    uint64_t unseen; /* records that have left, and are in no segment of the archive */
    struct audit_checkpoint head; /* the tree that was looked through */
    struct audit_proof proof;     /* checked */
};

/*
 * progress as of audit_verify(); may be NULL. MAUTH_DENIED: a record is there, but the
 * tree does not hold it: `audit verify` tells where it was altered.
 */
MAUTH_MUST_USE enum mauth_rc audit_prove(struct kv *kv, const char *ticket,
    void (*progress)(uint64_t done, uint64_t of, void *arg), void *arg,
    struct audit_evidence *out, struct mauth_err *err);

#endif
