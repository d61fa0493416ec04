/*
 * What has ended: sets of ids, each with the number of the state at which they ceased to
 * hold together (DESIGN: a ticket of an earlier state that mentions all of them is dead).
 * Inside a transaction.
 */
#ifndef STORE_REVOCATIONS_H
#define STORE_REVOCATIONS_H

#include "base/id.h"
#include "store/kv.h"

enum {
    REVOKED_IDS = 3,
    REVOKED_ID_MAX = 33,               /* characters: a ticket's ID */
    REVOKED_MAX = 100000,              /* entries; one more, and all become one "*" */
    REVOKED_FOR_S = 12 * 3600 + 6 * 60 /* the longest life of a ticket, and two skews */
};

struct revoked {
    uint64_t state; /* a ticket with asof < state that mentions all ids is dead */
    size_t count;   /* 1 to 3; 0 is "*" */
    char id[REVOKED_IDS][REVOKED_ID_MAX + 1]; /* strictly ascending, as text */
};

/*
 * One entry per id set; the highest number wins. A "*" takes the place of all that are
 * there. MAUTH_INVALID: the ids are none that tickets could mention, or not ascending.
 */
MAUTH_MUST_USE enum mauth_rc revocations_add(
    struct kv_txn *txn, const struct revoked *r, struct mauth_err *err);

/* The number of exactly this set; MAUTH_NOT_FOUND (not noted in err). */
MAUTH_MUST_USE enum mauth_rc revocations_find(struct kv_txn *txn,
    const struct revoked *set, uint64_t *state, struct mauth_err *err);

/* An entry of the list. */
struct revoked_entry {
    struct revoked set;
    int64_t listed_s; /* since when it is in the trust file; 0: not yet */
};

/*
 * At most limit entries in an order of their own, behind that of the set after (NULL: from
 * the first), *count of them in out; *more: there are further ones. MAUTH_INVALID: after
 * is no set. Some may be due to leave the list.
 */
MAUTH_MUST_USE enum mauth_rc revocations_page(struct kv_txn *txn,
    const struct revoked *after, size_t limit, struct revoked_entry *out, size_t *count,
    bool *more, struct mauth_err *err);

/* Grows with each addition: has the list changed? */
MAUTH_MUST_USE enum mauth_rc revocations_serial(
    struct kv_txn *txn, uint64_t *out, struct mauth_err *err);

/*
 * All of them, for a trust file that is signed at now_s: lines "revoke N ID [ID [ID]]" or
 * "revoke N *", each ended by a NUL; *count is their number.
 *
 * An entry leaves the list REVOKED_FOR_S after it was first listed, when no ticket that
 * it speaks of can be alive; by the latest time that was ever given here, so that a clock
 * that is set back keeps entries longer and never brings a ticket back.
 */
MAUTH_MUST_USE enum mauth_rc revocations_list(struct kv_txn *txn, int64_t now_s,
    struct buf *lines, size_t *count, struct mauth_err *err);

#endif
