/*
 * What a provider publishes, kept fresh by a thread of its own: loaded at the start,
 * again when it is old, and when somebody misses something in it, though not more often
 * than PROVIDER_FLOOR_S. What is in hand is kept when a load fails. Safe from any
 * thread, but for open, stop and close.
 */
#ifndef AUTHSVC_FRESH_H
#define AUTHSVC_FRESH_H

#include <stdbool.h>
#include <stddef.h>

#include "authsvc/shared.h"
#include "config/config.h"
#include "net/fetch.h"
#include <meshauth/err.h>

struct fresh_options {
    const struct config_provider *config; /* outlives it */
    /* From the network, with fetch; or, where that is NULL, from a file. */
    enum mauth_rc (*load)(const struct config_provider *config, struct fetch *fetch,
        void **out, struct mauth_err *err);
    void (*free_object)(void *object);
    size_t max_bytes; /* of one answer */
    bool from_file;   /* the first load is done by fresh_open(), or fails it */
    bool for_good;    /* ... and is the only one */
};

struct fresh;

MAUTH_MUST_USE enum mauth_rc fresh_open(
    const struct fresh_options *o, struct fresh **out, struct mauth_err *err);

/* Would its first load from the file be good? Of the network nothing is asked. */
MAUTH_MUST_USE enum mauth_rc fresh_check(
    const struct fresh_options *o, struct mauth_err *err);

/*
 * Stop lets a running load end early and admits no other; close waits for that. Whoever
 * still waits is called back before close returns. NULL is fine.
 */
void fresh_stop(struct fresh *f);
void fresh_close(struct fresh *f);

/* What was loaded last, to be dropped (authsvc/shared.h); NULL: nothing yet. */
struct shared_ref *fresh_take(struct fresh *f);

/* A load is under way, or would be allowed now. */
bool fresh_may_fetch(struct fresh *f);

/*
 * Join the load under way or start one; done(arg) is called once: after it, from the
 * loading thread, or at once where none is allowed.
 */
void fresh_fetch(struct fresh *f, void (*done)(void *arg), void *arg);

#endif
