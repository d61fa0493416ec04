/*
 * The journals that the processes of a service keep (verifier/journal.h, base/ring.h), read
 * in batches, and how far they have been handed back. Used by one thread.
 *
 * They are files of other users, who may write anything: what is read is bounded, and
 * handed on as bytes that somebody else must judge.
 */
#ifndef UPDATER_JOURNALS_H
#define UPDATER_JOURNALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ring.h"
#include <meshauth/err.h>

enum {
    JOURNALS_ENTRIES = 256,  /* of a batch of accepted tickets */
    JOURNALS_DECISIONS = 32, /* ... of decisions */
    JOURNALS_BYTES = 96 * 1024,
    JOURNALS_KNOWN = 2 * RING_FILES
};

struct journals;

/*
 * With what file tells of before; it is written by journals_done(). One that is damaged is
 * as if it were missing, and *trouble says so: everything that is there is handed back
 * once more.
 */
MAUTH_MUST_USE enum mauth_rc journals_open(const char *file, struct journals **out,
    struct mauth_err *trouble, struct mauth_err *err);
void journals_close(struct journals *j); /* NULL is fine */

struct journal_batch {
    bool of_decisions;
    uint8_t id[RING_ID];
    uint64_t next; /* number behind the last entry */
    uint64_t lost; /* entries before it that were overwritten, or lost with the power */
    size_t count;
    uint64_t number[JOURNALS_ENTRIES];
    struct text entry[JOURNALS_ENTRIES];
    struct buf bytes; /* that they point into */
};

/*
 * The next entries of one journal in this folder, at most `most` of them, the journals
 * taking turns; to be cleared by journal_batch_clear(). count 0: there are none now.
 *
 * MAUTH_UNAVAILABLE  the folder cannot be read; one that is not there is fine
 */
MAUTH_MUST_USE enum mauth_rc journals_take(struct journals *j, const char *dir,
    size_t most, struct journal_batch *out, struct mauth_err *err);
void journal_batch_clear(struct journal_batch *b);

/* They need not be handed back any more. */
MAUTH_MUST_USE enum mauth_rc journals_done(
    struct journals *j, const struct journal_batch *b, struct mauth_err *err);

#endif
