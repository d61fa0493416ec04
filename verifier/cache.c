#include "verifier/cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "tickets/decode.h"
#include "verifier/mix.h"

enum {
    STRIPES = 64, /* a power of two */
    LINE = 64,    /* bytes that memory moves at a time */
    NEAR = 256    /* bytes of a text that are asked for beforehand */
};

/*
 * Lives in two chains: of its credential's hash, and of its ticket's ID. One
 * piece of memory, in the order in which a hit goes through it.
 */
struct entry {
    uint64_t hash;
    size_t len;
    struct entry *next;    /* of the same bucket; under the stripe's lock */
    struct entry *next_id; /* of the same ID bucket; under the writer's lock */
    uint64_t id_hash;
    size_t place; /* in c->entry */
    size_t weight;
    atomic_bool used; /* since the hand last passed */
    struct cached held;
    char credential[];
};

struct cache {
    uint64_t seed;
    size_t capacity;
    size_t bytes_max;
    size_t mask; /* of both tables of buckets */
    struct entry **bucket;
    struct {
        _Alignas(64) pthread_mutex_t lock;
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
    return e->hash == hash && e->len == credential.len &&
           memcmp(e->credential, credential.p, credential.len) == 0;
}

static void
bring_near(const void *from, const char *to)
{
    for (const char *p = from; p < to; p += LINE)
        __builtin_prefetch(p);
}

/*
 * What a hit reads, on its way while the credential is compared: among many
 * tickets, waiting for memory is most of what a check costs.
 */
static void
bring_entry_near(const struct entry *e)
{
    bring_near(e->credential, e->credential + NEAR);
    bring_near(e, e->held.recall.text + NEAR);
    ticket_prefetch(e->held.ticket);
}

struct cached *
cache_lock(struct cache *c, struct text credential, size_t *stripe)
{
    uint64_t hash = mix_credential(c->seed, credential.p, credential.len);
    struct entry *e;

    *stripe = stripe_of(c, hash);
    pthread_mutex_lock(&c->stripe[*stripe].lock);
    for (e = c->bucket[hash & c->mask]; e; e = e->next) {
        bring_entry_near(e);
        if (!is_of(e, hash, credential))
            continue;
        if (!atomic_load_explicit(&e->used, memory_order_relaxed))
            atomic_store_explicit(&e->used, true, memory_order_relaxed);
        return &e->held;
    }
    return NULL;
}

void
cache_unlock(struct cache *c, size_t stripe)
{
    pthread_mutex_unlock(&c->stripe[stripe].lock);
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
    struct entry **at = &c->bucket[e->hash & c->mask];

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
    struct entry **at = &c->bucket[e->hash & c->mask];

    e->next_id = *id;
    *id = e;
    e->place = c->live;
    c->entry[c->live++] = e;
    c->bytes += e->weight;
    pthread_mutex_lock(&c->stripe[stripe].lock);
    e->next = *at;
    *at = e;
    pthread_mutex_unlock(&c->stripe[stripe].lock);
}

static void
insert(struct cache *c, struct entry *e)
{
    const char *id = mauth_ticket_id(e->held.ticket);
    struct entry *older;

    e->id_hash = hash_id(c, id);
    older = find_id(c, e->id_hash, id);
    if (older)
        remove_entry(c, older);
    while (c->live == c->capacity || c->bytes + e->weight > c->bytes_max)
        evict_one(c);
    link_entry(c, e);
}

void
cache_put(struct cache *c, struct text credential, struct mauth_ticket *ticket,
    size_t weight, uint64_t checked)
{
    struct entry *e = NULL;

    weight += sizeof(*e) + credential.len;
    if (weight <= c->bytes_max)
        e = malloc(sizeof(*e) + credential.len);
    if (!e) {
        mauth_ticket_free(ticket);
        return;
    }
    memset(e, 0, sizeof(*e));
    e->hash = mix_credential(c->seed, credential.p, credential.len);
    e->len = credential.len;
    e->weight = weight;
    e->held.ticket = ticket;
    e->held.checked = checked;
    memcpy(e->credential, credential.p, credential.len);
    pthread_mutex_lock(&c->writer);
    insert(c, e);
    pthread_mutex_unlock(&c->writer);
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
