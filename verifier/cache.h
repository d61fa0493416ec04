/*
 * Tickets that were verified before, found again by the bytes of their
 * credential. Bounded in entries and bytes. A hit compares all bytes: nobody can
 * be taken for another by a hash. DEFLATE has many spellings of one ticket, so
 * a ticket has at most one entry, that of the spelling seen last.
 *
 * What may change since (times, keys, revocations, the holder's proof) is not
 * the cache's: whoever finds a ticket checks it again.
 *
 * Whoever holds a valid ticket can spell it in many ways, and chooses what most of
 * a deflated credential looks like. So the hash, which reads only a part (see
 * verifier/mix.h), may be made to collide among his own: a bucket holds few
 * entries, and one more there drops its oldest. Where the bucket is, and so whose
 * else it holds, depends on a random seed.
 *
 * Safe from any thread: a lookup holds one stripe's lock, an insertion a lock of
 * its own and the stripes it changes, one after the other. Each stripe also has a
 * counted pointer to what is loaded, so that a hit takes one lock and no more.
 */
#ifndef VERIFIER_CACHE_H
#define VERIFIER_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "tickets/terms.h"
#include "verifier/loaded.h"
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
    struct ticket_terms *terms;  /* the ticket's, to be had more quickly */
    uint64_t checked;            /* the user's: against which trust it last stood */
    struct recall *recall;       /* the user's; zeros at first */
};

/*
 * Where a credential lies if it is there, for the calls below. What a hit on it
 * will read is asked from memory at once: among many tickets, waiting for memory
 * is most of what a check costs.
 */
MAUTH_MUST_USE uint64_t cache_seek(const struct cache *c, struct text credential);

/*
 * Lock its stripe, and say what is loaded (NULL before the first cache_load()); it
 * is good until cache_unlock(), or longer with loaded_use(). Do little in between.
 */
MAUTH_MUST_USE struct loaded *cache_lock(struct cache *c, uint64_t hash);
void cache_unlock(struct cache *c, uint64_t hash);

/* What is held for this credential, whose stripe is locked, or NULL. */
MAUTH_MUST_USE struct cached *cache_find(
    struct cache *c, uint64_t hash, struct text credential);

/* What cache_lock() says from now on; one user more for each stripe. */
void cache_load(struct cache *c, struct loaded *fresh);

/*
 * Keep a verified ticket under these bytes, which are copied; others make room
 * for it. The ticket is the cache's from now on, also where it is not kept.
 * weight: bytes of the ticket in memory. False: it was there already, under another
 * spelling or as of before a new key.
 */
bool cache_put(struct cache *c, struct text credential, struct mauth_ticket *ticket,
    size_t weight, uint64_t checked);

/* Forget it, if it is there: it was found to be of no use. */
void cache_drop(struct cache *c, struct text credential);

struct cache_use {
    size_t entries;
    size_t bytes;
};

struct cache_use cache_use(struct cache *c);

#endif
