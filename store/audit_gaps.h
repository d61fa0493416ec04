/*
 * Does the log itself tell of whatever is not in it any more? Records leave for segments
 * of the archive, and each leaving is a record; records are erased, and that they were is
 * a record (how many it was, a crash may have cut short). Who can write to the store can take records away and say that they have left, or
 * were erased: but not put that on record without another tree.
 */
#ifndef STORE_AUDIT_GAPS_H
#define STORE_AUDIT_GAPS_H

#include "store/audit_segments.h"

enum {
    AUDIT_GAPS_WHERE = 200
};

struct audit_gaps {
    struct audit_segments segments; /* when the look began */
    bool *named;                    /* by a record, each of them */
    bool erased;                    /* a record tells of an erasure ... */
    bool erasing;                   /* ... or one is under way */
};

/* Before the first record is looked at. Clear it also when it fails. */
MAUTH_MUST_USE enum mauth_rc audit_gaps_open(
    struct kv *kv, struct audit_gaps *out, struct mauth_err *err);
void audit_gaps_clear(struct audit_gaps *g);

/* Each record that is looked at, in the store and in the archive, once. */
void audit_gaps_note(struct audit_gaps *g, struct text json);

struct audit_gap {
    uint64_t at;                  /* where nothing tells of what is gone */
    char where[AUDIT_GAPS_WHERE]; /* a sentence; "": there is no gap */
};

/*
 * Behind the last one: first is that of the store, erased how many of all were found to
 * be, size how many records there were when the look began. Segments that are not in the
 * archive may hold what tells of others, and of erasures: then that is believed.
 */
MAUTH_MUST_USE enum mauth_rc audit_gaps_check(struct kv *kv, struct audit_gaps *g,
    uint64_t first, uint64_t erased, uint64_t size, struct audit_gap *gap,
    struct mauth_err *err);

#endif
