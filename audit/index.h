/*
 * The index of the audit log: a folder of files (audit/run), each for 32,768 records or,
 * merged, for 262,144. Derived from the log: whatever is missing or damaged is left out,
 * and to be made again. The newest records, for which there is no file yet, it knows in
 * memory, once it was told of them.
 *
 * Thread-safe. Whoever reads does not wait for files being written.
 */
#ifndef AUDIT_INDEX_H
#define AUDIT_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/filter.h"
#include "audit/run.h"
#include "audit/tally.h"

enum {
    INDEX_STEP = 1 << 15, /* records of a new file, which begins at a multiple of it */
};

struct audit_index;

/*
 * The folder is made if there is none (mode 0700). read_only: nothing is made or removed,
 * MAUTH_NOT_FOUND when there is no index.
 */
MAUTH_MUST_USE enum mauth_rc audit_index_open(
    const char *dir, bool read_only, struct audit_index **out, struct mauth_err *err);
void audit_index_close(struct audit_index *x); /* NULL is fine */

/* The records that it knows: [*first, *next). */
void audit_index_range(const struct audit_index *x, uint64_t *first, uint64_t *next);

const uint8_t *audit_index_key(const struct audit_index *x);

/*
 * The next record that it does not know: NULL terms for one that was erased. Numbers before
 * it that it does not know either have no record. Once a file is due it takes no more until
 * that was written. One thread at a time, also for those below.
 */
MAUTH_MUST_USE enum mauth_rc audit_index_note(struct audit_index *x, uint64_t sequence,
    int64_t time_us, const struct audit_terms *terms, struct mauth_err *err);
/* The numbers before this one that it does not know have no record. */
MAUTH_MUST_USE enum mauth_rc audit_index_pass(
    struct audit_index *x, uint64_t sequence, struct mauth_err *err);

/* Are there records enough for a file? */
bool audit_index_is_due(const struct audit_index *x);
/* Then writes it; mark is as of audit_index_check(). */
MAUTH_MUST_USE enum mauth_rc audit_index_write(
    struct audit_index *x, uint64_t mark, struct mauth_err *err);

/*
 * Is this the index of that log? Asks mark of the last record of each file: what it was
 * given when the file was written. From the first file that
 * is not of that log on, all are removed.
 */
typedef bool audit_index_is_mark(uint64_t sequence, uint64_t mark, void *arg);
void audit_index_check(struct audit_index *x, audit_index_is_mark *is_mark, void *arg);

/* Lets go of the files that have nothing from this record on. */
void audit_index_drop_before(struct audit_index *x, uint64_t sequence);

/* Makes those files anew that know of these records (ascending), without them. */
MAUTH_MUST_USE enum mauth_rc audit_index_forget(struct audit_index *x,
    const uint64_t *sequences, size_t count, struct mauth_err *err);

/*
 * The records from first to end (not included) that may fit, in the filter's order,
 * until each returns false. Whoever asks must look at the record itself.
 */
typedef bool audit_index_each(uint64_t sequence, void *arg);
void audit_index_find(struct audit_index *x, const struct audit_filter *f,
    uint64_t first, uint64_t end, audit_index_each *each, void *arg);

/* Counts those of [first, end) that fit into t, without looking at records. */
MAUTH_MUST_USE enum mauth_rc audit_index_count(struct audit_index *x,
    const struct audit_filter *f, uint64_t first, uint64_t end, struct audit_tally *t,
    struct mauth_err *err);

#endif
