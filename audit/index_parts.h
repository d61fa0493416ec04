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
};

/* The sequence number behind its last record. */
static inline uint64_t
index_run_end(const struct audit_run *r)
{
    return r->first + r->count;
}

#endif
