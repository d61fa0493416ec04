/*
 * One file of the audit log's index: what a range of records can be found by. Made once,
 * never changed; mapped to be read. Derived from the log, and made again when it is lost.
 *
 * It holds the time of each record, and one sorted array of postings: the hash of a term
 * (field and value, keyed), and which record has it. The first hash of each 4 KiB of them
 * is kept in memory, as are the earliest and the latest time in each block of records: so
 * looking a term up touches one page of the hashes and one of the records.
 */
#ifndef AUDIT_RUN_H
#define AUDIT_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/terms.h"
#include "base/siphash.h"
#include <meshauth/err.h>

enum {
    RUN_RECORDS_MAX = 1 << 18,
    RUN_BLOCK = 512,     /* records, and hashes in a page */
    RUN_FIELD_SHIFT = 60 /* the field of a hash lies above */
};

/* Of a term: the field in the four highest bits, so that one field's lie together. */
uint64_t run_hash(
    const uint8_t key[SIPHASH_KEY], enum audit_field field, struct text value);

/* Of the times of RUN_BLOCK records. */
struct run_span {
    int64_t min_us, max_us;
};

struct audit_run {
    uint64_t first; /* sequence */
    uint32_t count; /* of records */
    int64_t min_us, max_us;
    uint64_t mark; /* of the log that it is about */
    size_t posts;
    const int64_t *time;    /* of each record */
    const uint64_t *hash;   /* sorted */
    const uint32_t *record; /* of each hash; ascending where hashes are equal */
    struct run_span *span;  /* what follows is the run's own */
    uint64_t *fence;
    const void *map;
    size_t size;
};

/* Postings in the making, in memory. */
struct run_post {
    uint64_t hash;
    uint32_t record;
};
struct run_draft {
    uint64_t first;
    uint32_t count;
    uint64_t mark; /* see audit_index_check() */
    int64_t *time;
    struct run_post *post;
    size_t posts, cap;
};

MAUTH_MUST_USE enum mauth_rc run_draft_new(
    uint64_t first, struct run_draft **out, struct mauth_err *err);
void run_draft_free(struct run_draft *d);
MAUTH_MUST_USE enum mauth_rc run_draft_copy(
    const struct run_draft *d, struct run_draft **out, struct mauth_err *err);
/* The next record; NULL terms for one that was erased: it has a time and nothing else. */
MAUTH_MUST_USE enum mauth_rc run_draft_add(struct run_draft *d,
    const uint8_t key[SIPHASH_KEY], int64_t time_us, const struct audit_terms *terms,
    struct mauth_err *err);
/* Everything of r, which follows on what d has, but the postings of those in gone (may be
 * NULL): r->count bytes, not 0 for each record whose postings stay out. */
MAUTH_MUST_USE enum mauth_rc run_draft_add_run(struct run_draft *d,
    const struct audit_run *r, const uint8_t *gone, struct mauth_err *err);
/* Durable at path when it returns; d is sorted by it, and of no further use. */
MAUTH_MUST_USE enum mauth_rc run_draft_write(struct run_draft *d,
    const uint8_t key[SIPHASH_KEY], const char *path, struct mauth_err *err);

/*
 * MAUTH_NOT_FOUND   no such file
 * MAUTH_MALFORMED   it is none of ours, of another key, or was cut: make it again
 */
MAUTH_MUST_USE enum mauth_rc run_open(const char *path, const uint8_t key[SIPHASH_KEY],
    struct audit_run **out, struct mauth_err *err);
void run_close(struct audit_run *r); /* NULL is fine */

/* Is the time of this record in [since_us, until_us)? until_us 0: there is no end. */
bool run_is_within(
    const struct audit_run *r, uint32_t record, int64_t since_us, int64_t until_us);

/* Has what run_range() and the postings of a hash need read from the disk, and does not
 * wait for it. */
void run_fetch(const struct audit_run *r, uint64_t hash);
/* The same of postings that are to be read one after the other. */
void run_fetch_posts(const struct audit_run *r, size_t from, size_t to);

/* The postings with hashes from low to high (both included): [*from, *to). */
void run_range(
    const struct audit_run *r, uint64_t low, uint64_t high, size_t *from, size_t *to);

#endif
