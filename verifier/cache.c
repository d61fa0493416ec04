#include "verifier/cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "tickets/decode.h"
#include "tickets/terms.h"
#include "verifier/mix.h"

enum {
    STRIPES = 64,   /* a power of two */
    CHAIN_MAX = 8,  /* entries of a bucket; by chance there are hardly ever four */
    LINE = 64,      /* bytes that memory moves at a time */
    NEAR = 384,     /* of an entry's beginning; the rest of a credential follows by
                     * itself, as memory is read ahead */
    NEAR_REST = 832 /* of what lies behind the credential */
};

/*
 * Lives in two chains: of its credential's hash, and of its ticket's ID. One
 * piece of memory: this, the credential and, from the next line on, the ticket's
 * terms and what was asked last. So where all of it lies is known before any of
 * it is read, and a hit need not touch the ticket itself.
 */
struct entry {
    uint64_t hash;
    size_t len;
    struct entry *_Atomic next; /* of the same bucket; under the stripe's lock */
    struct cached held;
    bool secret;      /* the credential is a bearer's */
    atomic_bool used; /* since the hand last passed */
    size_t weight;
    size_t place;          /* in c->entry */
    struct entry *next_id; /* of the same ID bucket; under the writer's lock */
    uint64_t id_hash;
    char credential[];
};

struct cache {
    uint64_t seed;
    size_t capacity;
    size_t bytes_max;
    size_t mask; /* of both tables of buckets */
    struct entry *_Atomic *bucket;
    struct {
        _Alignas(64) pthread_mutex_t lock;
        struct loaded *loaded;
    } stripe[STRIPES];

    pthread_mutex_t writer; /* of what follows, and taken before any stripe */
    struct entry **entry;   /* all of them, in no order */
    struct entry **id_bucket;
    size_t live;
    size_t bytes;
    size_t hand;
};

static size_t
stripe_of(const struct cache *c, uint64_t hash)
{
    return (hash & c->mask) % STRIPES;
}

static uint64_t
hash_id(const struct cache *c, const char *id)
{
    return mix_bytes(c->seed, id, strlen(id));
}

static enum mauth_rc
allocate(struct cache *c, struct mauth_err *err)
{
    size_t buckets = STRIPES;
    enum mauth_rc rc = mauth_random(&c->seed, sizeof(c->seed), err);

    if (rc != MAUTH_OK)
        return rc;
    while (buckets < c->capacity * 2)
        buckets *= 2;
    c->mask = buckets - 1;
    c->bucket = calloc(buckets, sizeof(*c->bucket));
    c->id_bucket = calloc(buckets, sizeof(*c->id_bucket));
    c->entry = calloc(c->capacity, sizeof(*c->entry));
    if (!c->bucket || !c->id_bucket || !c->entry)
        return mauth_fail(err, MAUTH_NO_MEMORY, "cache: no memory");
    return MAUTH_OK;
}

enum mauth_rc
cache_new(size_t entries, size_t bytes, struct cache **out, struct mauth_err *err)
{
    struct cache *c = aligned_alloc(64, (sizeof(*c) + 63) / 64 * 64);
    enum mauth_rc rc;

    *out = NULL;
    if (!c)
        return mauth_fail(err, MAUTH_NO_MEMORY, "cache: no memory");
    memset(c, 0, sizeof(*c));
    c->capacity = entries;
    c->bytes_max = bytes;
    pthread_mutex_init(&c->writer, NULL);
    for (size_t i = 0; i < STRIPES; i++)
        pthread_mutex_init(&c->stripe[i].lock, NULL);
    rc = allocate(c, err);
    if (rc == MAUTH_OK)
        *out = c;
    else
        cache_free(c);
    return rc;
}

static void
free_entry(struct entry *e)
{
    mauth_ticket_free(e->held.ticket);
    free(e);
}

void
cache_free(struct cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->live; i++)
        free_entry(c->entry[i]);
    cache_load(c, NULL);
    for (size_t i = 0; i < STRIPES; i++)
        pthread_mutex_destroy(&c->stripe[i].lock);
    pthread_mutex_destroy(&c->writer);
    free(c->entry);
    free(c->bucket);
    free(c->id_bucket);
    free(c);
}

static bool
is_of(const struct entry *e, uint64_t hash, struct text credential)
{
    if (e->hash != hash || e->len != credential.len)
        return false;
    /* Bound to no key, it is a secret: time must not tell how much was guessed. */
    if (e->secret)
        return mauth_equal_ct(e->credential, credential.p, credential.len);
    return memcmp(e->credential, credential.p, credential.len) == 0;
}

static size_t
round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* Where the rest of an entry begins: the terms, then the recall. */
static size_t
rest_place(size_t len)
{
    return round_up(sizeof(struct entry) + len, LINE);
}

static void
bring_near(const char *from, size_t len)
{
    for (size_t i = 0; i < len; i += LINE)
        __builtin_prefetch(from + i);
}

uint64_t
cache_seek(const struct cache *c, struct text credential)
{
    uint64_t hash = mix_credential(c->seed, credential.p, credential.len);
    /* Not followed, only hinted at: without the stripe's lock it may be gone. */
    const char *e = (const char *)atomic_load_explicit(
        &c->bucket[hash & c->mask], memory_order_relaxed);

    if (e) {
        bring_near(e, NEAR);
        bring_near(e + rest_place(credential.len), NEAR_REST);
    }
    return hash;
}

struct loaded *
cache_lock(struct cache *c, uint64_t hash)
{
    size_t stripe = stripe_of(c, hash);

    pthread_mutex_lock(&c->stripe[stripe].lock);
    return c->stripe[stripe].loaded;
}

struct cached *
cache_find(struct cache *c, uint64_t hash, struct text credential)
{
    struct entry *e = c->bucket[hash & c->mask];

    while (e && !is_of(e, hash, credential))
        e = e->next;
    if (!e)
        return NULL;
    if (!atomic_load_explicit(&e->used, memory_order_relaxed))
        atomic_store_explicit(&e->used, true, memory_order_relaxed);
    return &e->held;
}

void
cache_unlock(struct cache *c, uint64_t hash)
{
    pthread_mutex_unlock(&c->stripe[stripe_of(c, hash)].lock);
}

void
cache_load(struct cache *c, struct loaded *fresh)
{
    for (size_t i = 0; i < STRIPES; i++) {
        struct loaded *old;

        pthread_mutex_lock(&c->stripe[i].lock);
        old = c->stripe[i].loaded;
        c->stripe[i].loaded = fresh ? loaded_use(fresh) : NULL;
        pthread_mutex_unlock(&c->stripe[i].lock);
        loaded_release(old);
    }
}

/* From here on: under the writer's lock. */

static void
unlink_id(struct cache *c, struct entry *e)
{
    struct entry **at = &c->id_bucket[e->id_hash & c->mask];

    while (*at != e)
        at = &(*at)->next_id;
    *at = e->next_id;
}

static void
unlink_credential(struct cache *c, struct entry *e)
{
    size_t stripe = stripe_of(c, e->hash);
    struct entry *_Atomic *at = &c->bucket[e->hash & c->mask];

    pthread_mutex_lock(&c->stripe[stripe].lock);
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    pthread_mutex_unlock(&c->stripe[stripe].lock);
}

/* After its stripe was unlocked nobody can find it any more. */
static void
remove_entry(struct cache *c, struct entry *e)
{
    struct entry *last = c->entry[--c->live];

    unlink_id(c, e);
    unlink_credential(c, e);
    c->entry[e->place] = last;
    last->place = e->place;
    c->bytes -= e->weight;
    free_entry(e);
}

static struct entry *
find_id(const struct cache *c, uint64_t id_hash, const char *id)
{
    struct entry *e = c->id_bucket[id_hash & c->mask];

    while (e &&
           (e->id_hash != id_hash || strcmp(mauth_ticket_id(e->held.ticket), id) != 0))
        e = e->next_id;
    return e;
}

/* The hand goes round; whoever was used since it last passed stays for a round. */
static void
evict_one(struct cache *c)
{
    struct entry *e;

    do
        e = c->entry[c->hand++ % c->live];
    while (atomic_exchange_explicit(&e->used, false, memory_order_relaxed));
    remove_entry(c, e);
}

static void
link_entry(struct cache *c, struct entry *e)
{
    size_t stripe = stripe_of(c, e->hash);
    struct entry **id = &c->id_bucket[e->id_hash & c->mask];
    struct entry *_Atomic *at = &c->bucket[e->hash & c->mask];

    e->next_id = *id;
    *id = e;
    e->place = c->live;
    c->entry[c->live++] = e;
    c->bytes += e->weight;
    pthread_mutex_lock(&c->stripe[stripe].lock);
    e->next = (struct entry *)*at;
    *at = e;
    pthread_mutex_unlock(&c->stripe[stripe].lock);
}

/* Makes room in a bucket: no choice of credentials makes others wait for long. */
static void
shorten_chain(struct cache *c, uint64_t hash)
{
    struct entry *last = c->bucket[hash & c->mask];
    size_t n = 1;

    if (!last)
        return;
    for (; last->next; last = last->next)
        n++;
    if (n >= CHAIN_MAX)
        remove_entry(c, last);
}

/* False: another one of the same ticket had to go. */
static bool
insert(struct cache *c, struct entry *e)
{
    const char *id = mauth_ticket_id(e->held.ticket);
    struct entry *older;

    e->id_hash = hash_id(c, id);
    older = find_id(c, e->id_hash, id);
    if (older)
        remove_entry(c, older);
    shorten_chain(c, e->hash);
    while (c->live == c->capacity || c->bytes + e->weight > c->bytes_max)
        evict_one(c);
    link_entry(c, e);
    return !older;
}

static struct entry *
make_entry(size_t size, size_t terms_size, struct text credential,
    const struct mauth_ticket *ticket)
{
    struct entry *e = aligned_alloc(LINE, size);
    char *rest;

    if (!e)
        return NULL;
    memset(e, 0, sizeof(*e)); /* what will be copied over is not worth it */
    e->len = credential.len;
    memcpy(e->credential, credential.p, credential.len);
    rest = (char *)e + rest_place(credential.len);
    memset(rest, 0, size - rest_place(credential.len));
    e->held.terms = ticket_terms_keep(ticket, rest);
    e->held.recall = (struct recall *)(void *)(rest + terms_size);
    e->secret = !e->held.terms->holder.p;
    return e;
}

bool
cache_put(struct cache *c, struct text credential, struct mauth_ticket *ticket,
    size_t weight, uint64_t checked)
{
    size_t terms = round_up(ticket_terms_room(ticket), _Alignof(max_align_t));
    size_t size =
        round_up(rest_place(credential.len) + terms + sizeof(struct recall), LINE);
    struct entry *e = NULL;
    bool is_new;

    weight += size;
    if (weight <= c->bytes_max)
        e = make_entry(size, terms, credential, ticket);
    if (!e) {
        mauth_ticket_free(ticket);
        return true;
    }
    e->hash = mix_credential(c->seed, credential.p, credential.len);
    e->weight = weight;
    e->held.ticket = ticket;
    e->held.checked = checked;
    pthread_mutex_lock(&c->writer);
    is_new = insert(c, e);
    pthread_mutex_unlock(&c->writer);
    return is_new;
}

void
cache_drop(struct cache *c, struct text credential)
{
    uint64_t hash = mix_credential(c->seed, credential.p, credential.len);
    struct entry *e;

    pthread_mutex_lock(&c->writer);
    /* Chains change only under the writer's lock, which is held. */
    e = c->bucket[hash & c->mask];
    while (e && !is_of(e, hash, credential))
        e = e->next;
    if (e)
        remove_entry(c, e);
    pthread_mutex_unlock(&c->writer);
}

struct cache_use
cache_use(struct cache *c)
{
    struct cache_use use;

    pthread_mutex_lock(&c->writer);
    use.entries = c->live;
    use.bytes = c->bytes;
    pthread_mutex_unlock(&c->writer);
    return use;
}
