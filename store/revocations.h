/* What has ended: sets of ids, each with the state number since when. */
#ifndef STORE_REVOCATIONS_H
#define STORE_REVOCATIONS_H

#include "base/id.h"
#include "store/kv.h"

struct revocation {
    uint64_t state; /* a ticket with asof < state that mentions all ids is dead */
    size_t count;   /* 1 to 3; 0 is "*" */
    char id[3][ID_LEN + 4]; /* sorted, as text */
};

/* One entry per id set; the highest number wins. MAUTH_INVALID when it has no form. */
MAUTH_MUST_USE enum mauth_rc revocations_add(
    struct kv_txn *txn, const struct revocation *r, struct mauth_err *err);

#endif
