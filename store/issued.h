/*
 * Was this ticket issued here? The audit log has each one's ID and digest, so one that is
 * in no record of an issue was signed by somebody else who has a key.
 */
#ifndef STORE_ISSUED_H
#define STORE_ISSUED_H

#include "audit/index.h"
#include "store/kv.h"

enum {
    ISSUED_ID = 33,         /* characters of a ticket's ID */
    ISSUED_MAX = 256,       /* asked about at a time */
    ISSUED_LOOKED = 1 << 22 /* records looked at one by one, at most */
};

enum issued_state {
    ISSUED_UNSURE,    /* the log does not go back so far, or too far without an index */
    ISSUED_HERE,      /* it is on record */
    ISSUED_OTHERWISE, /* one of this ID is, but it had another digest */
    ISSUED_NOWHERE    /* neither */
};

struct issued_ticket {
    char id[ISSUED_ID + 1];
    uint8_t digest[32];
    enum issued_state state;
};

/*
 * Fills in the states. Tickets that were issued before since_us may be taken for ones that
 * never were. index may be NULL, or lack records: those are looked through, each
 * transaction a few thousand of them.
 */
MAUTH_MUST_USE enum mauth_rc issued_find(struct kv *kv, struct audit_index *index,
    struct issued_ticket *tickets, size_t count, int64_t since_us,
    struct mauth_err *err);

#endif
