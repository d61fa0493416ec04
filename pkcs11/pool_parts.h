/* For pkcs11/pool*.c: what those who ask and the threads that sign share. */
#ifndef PKCS11_POOL_PARTS_H
#define PKCS11_POOL_PARTS_H

#include <pthread.h>
#include <stdbool.h>

#include "pkcs11/pool.h"

enum {
    POOL_THREADS = 4,
    POOL_RETRY_MS = 1000 /* between attempts to open a token that is away */
};

struct pool_thread {
    pthread_t id;
    bool is_gone; /* or as good as: it lets the lock go and ends */
};

enum pool_state {
    POOL_OPENING, /* not known yet; requests wait for it */
    POOL_UP,
    POOL_DOWN
};

/* A signature that somebody waits for, or did. */
struct job {
    struct job *next;
    pthread_cond_t done;
    uint8_t hash[32];
    uint8_t out[KEY_SIGNATURE_MAX];
    size_t len;
    struct mauth_err err;
    enum mauth_rc rc;
    int tries;
    bool taken; /* by a thread */
    bool finished;
    bool abandoned; /* nobody waits any more: whoever has it frees it */
};

struct pool {
    struct pkcs11_uri uri;
    struct mauth_key *key; /* what the token must hold, or holds; NULL: not known */

    pthread_mutex_t lock; /* for all of the following */
    pthread_cond_t wake;  /* the threads */
    pthread_cond_t news;  /* those who wait for the state, or for the threads to end */
    enum pool_state state;
    struct mauth_err why; /* it is down */
    uint64_t generation;  /* of sessions: older ones are closed */
    int64_t since_ms;     /* it is opening */
    int64_t next_try_ms;
    size_t sessions; /* that are open */
    struct job *queue;
    size_t threads;
    struct pool_thread thread[POOL_THREADS];
    size_t started;
    bool closing;
};

/* All with the lock held. */

void pool_push(struct pool *p, struct job *j);
void pool_finish(struct job *j, enum mauth_rc rc);
void pool_job_free(struct job *j);
/* The token is away: so all are told that wait. */
void pool_go_down(struct pool *p, const struct mauth_err *why);
/* All close their sessions, and the token is opened anew. */
void pool_begin_again(struct pool *p);
/* Lets the lock go. Whoever is the last to leave, a thread or the owner, frees it. */
void pool_leave(struct pool *p);
bool pool_start_thread(struct pool *p, bool is_keeper);

#endif
