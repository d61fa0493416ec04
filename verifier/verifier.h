/*
 * A verifier, as verifier.c (what is loaded) and check.c (what is decided) see
 * it. Each stripe has a lock and a counted pointer to what is loaded: a check
 * takes one stripe, a load swaps them one after the other.
 */
#ifndef VERIFIER_VERIFIER_H
#define VERIFIER_VERIFIER_H

#include <pthread.h>
#include <stdatomic.h>

#include "verifier/cache.h"
#include "verifier/journal.h"
#include "verifier/loaded.h"
#include <meshauth/ticket.h>
#include <meshauth/verifier.h>

struct mauth_verifier {
    struct cache *cache; /* which also says what is loaded */
    struct loaded_files files;
    char *texts; /* what files, audience and status_dir point into */
    const char *audience;
    const char *status_dir; /* or NULL, and then no journal either */
    struct journal *journal;
    int32_t skew_s;
    bool allow_bearer;
    int64_t look_ms;
    _Atomic int64_t next_look_ms;
    pthread_mutex_t loading;  /* held by whoever looks at the files */
    struct loaded *loaded;    /* the newest; under loading */
    struct mauth_err trouble; /* why the newest file is not loaded; under loading */
};

/* When it is time, one of the threads that come by looks at the files. */
void verifier_look(struct mauth_verifier *v);

#endif
