/*
 * Tickets that were verified before, found again by the bytes of their
 * credential. Bounded in entries and bytes. A hit compares all bytes: nobody can
 * be taken for another by a hash. DEFLATE has many spellings of one ticket, so
 * a ticket has at most one entry, that of the spelling seen last.
 *
 * What may change since (times, keys, revocations, the holder's proof) is not
 * the cache's: whoever finds a ticket checks it again.
 *
 * Safe from any thread: a lookup holds one stripe's lock, an insertion a lock of
 * its own and the stripes it changes, one after the other.
 */
#ifndef VERIFIER_CACHE_H
#define VERIFIER_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "verifier/recall.h"
#include <meshauth/err.h>
#include <meshauth/ticket.h>

struct cache;

/* entries 1 to 2^24; bytes of credentials, and of tickets as they lie in memory. */
MAUTH_MUST_USE enum mauth_rc cache_new(
    size_t entries, size_t bytes, struct cache **out, struct mauth_err *err);
void cache_free(struct cache *c);

struct cached {
    struct mauth_ticket *ticket; /* the cache's */
    uint64_t checked;            /* the user's: against which trust it last stood */
    struct recall recall;        /* the user's; zeros at first */
};

/*
 * What is held for this credential, or NULL. Its stripe stays locked until
 * cache_unlock(), which is called in either case; do little in between.
 */
MAUTH_MUST_USE struct cached *cache_lock(
    struct cache *c, struct text credential, size_t *stripe);
void cache_unlock(struct cache *c, size_t stripe);

/*
 * Keep a verified ticket under these bytes, which are copied; others make room
 * for it. The ticket is the cache's from now on, also where it is not kept.
 * weight: bytes of the ticket in memory.
 */
void cache_put(struct cache *c, struct text credential, struct mauth_ticket *ticket,
    size_t weight, uint64_t checked);

/* Forget it, if it is there: it was found to be of no use. */
void cache_drop(struct cache *c, struct text credential);

struct cache_use {
    size_t entries;
    size_t bytes;
};

struct cache_use cache_use(struct cache *c);

#endif
