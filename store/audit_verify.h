/*
 * Is the audit log whole? Everything is computed anew from the records: each leaf, each
 * node of the tree, its root; and held against what is stored, and against what others
 * have seen of it; the archive is held against it too. Beside a running service as well.
 */
#ifndef STORE_AUDIT_VERIFY_H
#define STORE_AUDIT_VERIFY_H

#include <stdbool.h>

#include "audit/checkpoint.h"
#include "audit/merkle.h"
#include "store/audit.h"

enum {
    AUDIT_SEEN_MAX = 80, /* checkpoints that a log is held against */
    AUDIT_WHERE = 320
};

/* A checkpoint that somebody has seen, and what he is called. */
struct audit_seen {
    struct audit_checkpoint at;
    const char *by; /* borrowed */
};

struct audit_verify_options {
    struct audit_checkpoint from;  /* verified before; size 0: from the beginning */
    const struct audit_seen *seen; /* in any order */
    size_t seen_count;
    /* Called every few thousand records; may be NULL. */
    void (*progress)(uint64_t done, uint64_t of, void *arg);
    void *arg;
};

enum audit_fault {
    AUDIT_WHOLE,
    AUDIT_ALTERED,   /* record at is not the one that was appended */
    AUDIT_MISSING,   /* record at is gone, though those before it are there */
    AUDIT_STRAY,     /* record at is behind the end of the tree */
    AUDIT_TREE,      /* the tree above record at is not of its leaves */
    AUDIT_TRUNCATED, /* there were records up to at once: somebody has seen them */
    AUDIT_FORKED, /* another tree of at records was seen: one of them is not the log */
    AUDIT_ARCHIVE /* a segment of the archive is damaged, or not of this log */
};

struct audit_verdict {
    enum audit_fault fault;
    uint64_t at;
    char where[AUDIT_WHERE]; /* a sentence, with the number */
    uint64_t records;        /* looked at */
    uint64_t erased;
    uint64_t left; /* that are not in the store any more, and ... */
    uint64_t
        archived; /* ... how many of those are in the archive; of the others only the
                          leaves are known */
    struct merkle tree;           /* of all that was looked at */
    struct audit_checkpoint head; /* to go on from, when the log is whole */
};

/* MAUTH_OK also when it is not whole: see out->fault. MAUTH_UNAVAILABLE: the store cannot
 * be read. */
MAUTH_MUST_USE enum mauth_rc audit_verify(struct kv *kv,
    const struct audit_verify_options *o, struct audit_verdict *out,
    struct mauth_err *err);

#endif
