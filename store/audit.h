/*
 * The audit log in the store: one record for each decision, durable before the answer
 * that it speaks of leaves, and the tree over all of them.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/record.h"
#include "store/kv.h"
#include <meshauth/err.h>

/* Appends it under the next sequence number. May run twice, like its transaction. */
MAUTH_MUST_USE enum mauth_rc audit_append(
    struct kv_txn *txn, const struct audit_entry *e, struct mauth_err *err);

/*
 * Both in one, for a record of which only the transaction knows what it says. salt is
 * random and was drawn before it.
 */
MAUTH_MUST_USE enum mauth_rc audit_append_record(struct kv_txn *txn,
    const struct audit_record *r, const uint8_t salt[AUDIT_SALT],
    struct mauth_err *err);

struct audit_head {
    uint64_t size;
    uint8_t root[HASH_LEN];
};

/* The tree's size and root hash (RFC 6962 2.1). */
MAUTH_MUST_USE enum mauth_rc audit_head(
    struct kv_txn *txn, struct audit_head *out, struct mauth_err *err);

/* What the store has of one record. What is pointed to is borrowed from the store. */
struct audit_stored {
    uint64_t sequence;
    bool
        erased; /* all that is left is the time, ticket and digest, if there were any */
    const uint8_t *salt; /* AUDIT_SALT bytes; NULL when it was erased */
    struct text json;    /* empty when it was erased */
    int64_t time_us;     /* of an erased one */
    struct text ticket;
    struct text digest; /* HASH_LEN bytes, or none */
};

/*
 * MAUTH_NOT_FOUND    there is none of that number: it never was, or has left the store
 * MAUTH_UNAVAILABLE  it is damaged
 */
MAUTH_MUST_USE enum mauth_rc audit_get(struct kv_txn *txn, uint64_t sequence,
    struct audit_stored *out, struct mauth_err *err);

/* The first record that has not left the store, and the number that the next one will
 * have. (Equal: there is none.) */
MAUTH_MUST_USE enum mauth_rc audit_bounds(
    struct kv_txn *txn, uint64_t *first, uint64_t *next, struct mauth_err *err);

struct audit_range {
    uint64_t first, next;
};

/* The same in a transaction of its own. */
MAUTH_MUST_USE enum mauth_rc audit_range(
    struct kv *kv, struct audit_range *out, struct mauth_err *err);

/* A node of the tree (RFC 6962 2.1): level is a multiple of 8, index counts from the left.
 * Kept also when records are erased, or have left. MAUTH_NOT_FOUND: there is none yet. */
MAUTH_MUST_USE enum mauth_rc audit_node(struct kv_txn *txn, unsigned level,
    uint64_t index, uint8_t out[HASH_LEN], struct mauth_err *err);

/* A record for whoever asked; json is borrowed for the call, which returns false to
 * stop. */
typedef bool audit_each(uint64_t sequence, struct text json, void *arg);

/* Records from first to end (not included) that are there, until each returns false.
 * MAUTH_UNAVAILABLE when one on the way is damaged. */
typedef bool audit_scan_each(const struct audit_stored *found, void *arg);
MAUTH_MUST_USE enum mauth_rc audit_scan(struct kv_txn *txn, uint64_t first,
    uint64_t end, enum kv_order order, audit_scan_each *each, void *arg,
    struct mauth_err *err);

/* The records before end have left: they are in a segment of the archive, durable. */
MAUTH_MUST_USE enum mauth_rc audit_leave(
    struct kv_txn *txn, uint64_t end, struct mauth_err *err);

/* Deletes up to max records that have left; *count is how many. */
MAUTH_MUST_USE enum mauth_rc audit_drop(
    struct kv_txn *txn, size_t max, size_t *count, struct mauth_err *err);

/*
 * Only its time, ticket and digest are left of it then. MAUTH_OK also when it is not there
 * any more, or was erased before.
 */
MAUTH_MUST_USE enum mauth_rc audit_erase(
    struct kv_txn *txn, uint64_t sequence, struct mauth_err *err);

#endif
