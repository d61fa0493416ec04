/* How a file of the index is laid out: for who writes and who reads it. */
#ifndef AUDIT_RUN_FILE_H
#define AUDIT_RUN_FILE_H

#include "audit/run.h"
#include "base/hash.h"

/*
 * The file: this, in the byte order of the machine; then spans, fences, hashes, times,
 * records. The sum is over the head (with a sum of zeros), the spans and the fences.
 */
struct run_head {
    char magic[8];
    uint32_t order; /* RUN_ORDER, as this machine writes it */
    uint32_t count;
    uint64_t first;
    uint64_t posts;
    int64_t min_us, max_us;
    uint64_t mark;
    uint64_t key; /* what the key makes of the magic */
    uint8_t sum[HASH_LEN];
};

#define RUN_MAGIC "mauditx2"
#define RUN_ORDER UINT32_C(0x01020304)

/* Blocks that n records, or hashes, fill or begin. */
size_t run_blocks(size_t n);
/* What is kept in memory: spans and fences. */
size_t run_table_size(size_t count, size_t posts);
size_t run_file_size(size_t count, size_t posts);

MAUTH_MUST_USE enum mauth_rc run_sum_up(const struct run_head *h, const void *table,
    uint8_t out[HASH_LEN], struct mauth_err *err);
/* What the key makes of the magic. */
uint64_t run_check(const uint8_t key[SIPHASH_KEY]);

/* Where the parts of a file lie. */
struct run_parts {
    struct run_span *span;
    uint64_t *fence, *hash;
    int64_t *time;
    uint32_t *record;
};

struct run_parts run_parts_of(void *file, size_t count, size_t posts);

#endif
