/*
 * The audit checkpoints that a service has seen, from its trust files: how many records
 * the log had, and the hash of their tree. Who keeps them is a witness: within an epoch
 * the log only grows, so one that has shrunk, or has another tree of the same size, was
 * rewritten. A new epoch, which the root itself has begun, may contradict what was seen
 * before (a backup was restored); both are kept, so that it can be shown.
 *
 * The list is bounded: the older its entries, the fewer of them are left, but the first
 * and the last of each epoch stay as long as there is room.
 */
#ifndef UPDATER_WITNESS_H
#define UPDATER_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/proof.h"
#include "base/hash.h"
#include <meshauth/err.h>
#include <meshauth/trust.h>

enum {
    WITNESS_MAX = 64
};

struct checkpoint {
    uint64_t epoch;
    uint64_t sequence; /* of the last trust file that had it */
    uint64_t size;
    uint8_t root[HASH_LEN];
    bool unproven; /* that it holds the one before: nobody could be asked yet */
};

struct witness {
    size_t count;
    struct checkpoint at[WITNESS_MAX]; /* by epoch, then sequence */
};

/* What a trust file says. */
void checkpoint_of(const struct mauth_trust *trust, struct checkpoint *out);

/*
 * May it stand behind what was seen?
 *
 *   rewritten  on MAUTH_OK: it contradicts an older epoch
 *
 * MAUTH_DENIED    a lower (epoch, sequence) than the last one
 * MAUTH_CONFLICT  the log of this epoch was rewritten; raise an alarm
 */
MAUTH_MUST_USE enum mauth_rc witness_check(const struct witness *w,
    const struct checkpoint *c, bool *rewritten, struct mauth_err *err);

/*
 * Does each checkpoint of c's epoch, and c last, hold the one before it? Asks prove for the
 * proofs that were not seen yet, and marks those that now were; c->unproven when prove says
 * MAUTH_UNAVAILABLE (and so it stays until it can be asked).
 *
 * MAUTH_CONFLICT   a proof that does not show it: the log was rewritten; raise an alarm
 */
typedef enum mauth_rc witness_prove(uint64_t from, uint64_t size,
    struct audit_proof *out, void *arg, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc witness_demand(struct witness *w, struct checkpoint *c,
    witness_prove *prove, void *arg, struct mauth_err *err);

/* How many are unproven. */
size_t witness_unproven(const struct witness *w);

/* Keep one that was checked. */
void witness_add(struct witness *w, const struct checkpoint *c);

/* The file: "meshauth-witness v1", then a line "checkpoint EPOCH SEQUENCE SIZE BASE64"
 * for each, or "unproven ..." of the same. */
MAUTH_MUST_USE enum mauth_rc witness_write(
    const char *path, const struct witness *w, struct mauth_err *err);

/* MAUTH_NOT_FOUND  no such file; *out is empty
 * MAUTH_MALFORMED  not such a file */
MAUTH_MUST_USE enum mauth_rc witness_read(
    const char *path, struct witness *out, struct mauth_err *err);

#endif
