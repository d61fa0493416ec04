/* What the parts of the index share: the folder of files, and looking into it. */
#ifndef AUDIT_INDEX_PARTS_H
#define AUDIT_INDEX_PARTS_H

#include <pthread.h>

#include "audit/index.h"

struct audit_index {
    char *dir;
    bool read_only;
    uint8_t key[SIPHASH_KEY];
    pthread_rwlock_t lock;  /* of what follows */
    struct audit_run **run; /* in their order, without gaps */
    size_t count, cap;
    struct run_draft *tail; /* of the records behind them; NULL: none yet */
};

/* The sequence number behind its last record. */
static inline uint64_t
index_run_end(const struct audit_run *r)
{
    return r->first + r->count;
}

/* Of the tail, under the lock; as audit_index_find() and its like. */
bool index_tail_find(const struct audit_index *x, const struct audit_filter *f,
    uint64_t first, uint64_t end, audit_index_each *each, void *arg);
MAUTH_MUST_USE enum mauth_rc index_tail_count(const struct audit_index *x,
    const struct audit_filter *f, uint64_t first, uint64_t end, struct audit_tally *t,
    struct mauth_err *err);
void index_tail_forget(struct audit_index *x, const uint64_t *sequences, size_t count);

#endif
