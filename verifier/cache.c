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
    NONE = -1
};

/* Lives in two chains: of its credential's hash, and of its ticket's ID. */
struct entry {
    struct cached held; /* first: cache_lock() hands it out */
    uint64_t hash;
    uint64_t id_hash;
    int32_t next;    /* of the same bucket; under the stripe's lock */
    int32_t next_id; /* of the same ID bucket; under the writer's lock */
    char *credential;
    size_t len;
    size_t weight;
    atomic_bool used; /* since the hand last passed */
    bool live;
};

struct cache {
    uint64_t seed;
    size_t capacity;
    size_t bytes_max;
    size_t mask; /* of both tables of buckets */
    int32_t *bucket;
    struct {
        _Alignas(64) pthread_mutex_t lock;
    } stripe[STRIPES];

    pthread_mutex_t writer; /* of what follows, and taken before any stripe */
    struct entry *entry;
    int32_t *id_bucket;
    size_t used; /* entries that were ever live: free ones below are in the list */
    int32_t free_list;
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
    c->bucket = malloc(buckets * sizeof(*c->bucket));
    c->id_bucket = malloc(buckets * sizeof(*c->id_bucket));
    c->entry = calloc(c->capacity, sizeof(*c->entry));
    if (!c->bucket || !c->id_bucket || !c->entry)
        return mauth_fail(err, MAUTH_NO_MEMORY, "cache: no memory");
    memset(c->bucket, 0xff, buckets * sizeof(*c->bucket)); /* NONE */
    memset(c->id_bucket, 0xff, buckets * sizeof(*c->id_bucket));
    c->free_list = NONE;
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

void
cache_free(struct cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->used; i++) {
        mauth_ticket_free(c->entry[i].held.ticket);
        free(c->entry[i].credential);
    }
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
    ticket_prefetch(e->held.ticket);
    return memcmp(e->credential, credential.p, credential.len) == 0;
}

struct cached *
cache_lock(struct cache *c, struct text credential, size_t *stripe)
{
    uint64_t hash = mix_credential(c->seed, credential.p, credential.len);

    *stripe = stripe_of(c, hash);
    pthread_mutex_lock(&c->stripe[*stripe].lock);
    for (int32_t i = c->bucket[hash & c->mask]; i != NONE; i = c->entry[i].next) {
        struct entry *e = &c->entry[i];

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
unlink_id(struct cache *c, int32_t which)
{
    int32_t *at = &c->id_bucket[c->entry[which].id_hash & c->mask];

    while (*at != which)
        at = &c->entry[*at].next_id;
    *at = c->entry[which].next_id;
}

static void
unlink_credential(struct cache *c, int32_t which)
{
    struct entry *e = &c->entry[which];
    size_t stripe = stripe_of(c, e->hash);
    int32_t *at = &c->bucket[e->hash & c->mask];

    pthread_mutex_lock(&c->stripe[stripe].lock);
    while (*at != which)
        at = &c->entry[*at].next;
    *at = e->next;
    pthread_mutex_unlock(&c->stripe[stripe].lock);
}

/* After its stripe was unlocked nobody can find it any more. */
static void
remove_entry(struct cache *c, int32_t which)
{
    struct entry *e = &c->entry[which];

    unlink_id(c, which);
    unlink_credential(c, which);
    c->live--;
    c->bytes -= e->len + e->weight;
    mauth_ticket_free(e->held.ticket);
    free(e->credential);
    e->held.ticket = NULL;
    e->credential = NULL;
    e->live = false;
    e->next_id = c->free_list;
    c->free_list = which;
}

static int32_t
find_id(const struct cache *c, uint64_t id_hash, const char *id)
{
    int32_t i = c->id_bucket[id_hash & c->mask];

    while (i != NONE && (c->entry[i].id_hash != id_hash ||
                            strcmp(mauth_ticket_id(c->entry[i].held.ticket), id) != 0))
        i = c->entry[i].next_id;
    return i;
}

/* The hand goes round; whoever was used since it last passed stays for a round. */
static void
evict_one(struct cache *c)
{
    for (;;) {
        struct entry *e = &c->entry[c->hand];
        int32_t which = (int32_t)c->hand;

        c->hand = (c->hand + 1) % c->used;
        if (e->live &&
            !atomic_exchange_explicit(&e->used, false, memory_order_relaxed)) {
            remove_entry(c, which);
            return;
        }
    }
}

static int32_t
take_slot(struct cache *c)
{
    int32_t which = c->free_list;

    if (which == NONE)
        return (int32_t)c->used++;
    c->free_list = c->entry[which].next_id;
    return which;
}

static void
link_entry(struct cache *c, int32_t which)
{
    struct entry *e = &c->entry[which];
    size_t stripe = stripe_of(c, e->hash);
    int32_t *id = &c->id_bucket[e->id_hash & c->mask];

    e->next_id = *id;
    *id = which;
    c->live++;
    c->bytes += e->len + e->weight;
    pthread_mutex_lock(&c->stripe[stripe].lock);
    e->next = c->bucket[e->hash & c->mask];
    c->bucket[e->hash & c->mask] = which;
    pthread_mutex_unlock(&c->stripe[stripe].lock);
}

static void
insert(struct cache *c, struct text credential, char *copy, struct mauth_ticket *ticket,
    size_t weight, uint64_t checked)
{
    uint64_t id_hash = hash_id(c, mauth_ticket_id(ticket));
    int32_t which = find_id(c, id_hash, mauth_ticket_id(ticket));
    struct entry *e;

    if (which != NONE)
        remove_entry(c, which);
    while (c->live == c->capacity || c->bytes + credential.len + weight > c->bytes_max)
        evict_one(c);
    which = take_slot(c);
    e = &c->entry[which];
    e->held.ticket = ticket;
    e->held.checked = checked;
    e->hash = mix_credential(c->seed, credential.p, credential.len);
    e->id_hash = id_hash;
    e->credential = copy;
    e->len = credential.len;
    e->weight = weight;
    e->live = true;
    atomic_store_explicit(&e->used, false, memory_order_relaxed);
    link_entry(c, which);
}

void
cache_put(struct cache *c, struct text credential, struct mauth_ticket *ticket,
    size_t weight, uint64_t checked)
{
    char *copy = NULL;

    if (credential.len + weight <= c->bytes_max)
        copy = malloc(credential.len);
    if (!copy) {
        mauth_ticket_free(ticket);
        return;
    }
    memcpy(copy, credential.p, credential.len);
    pthread_mutex_lock(&c->writer);
    insert(c, credential, copy, ticket, weight, checked);
    pthread_mutex_unlock(&c->writer);
}

void
cache_drop(struct cache *c, struct text credential)
{
    uint64_t hash = mix_credential(c->seed, credential.p, credential.len);
    int32_t i;

    pthread_mutex_lock(&c->writer);
    /* Chains change only under the writer's lock, which is held. */
    i = c->bucket[hash & c->mask];
    while (i != NONE && !is_of(&c->entry[i], hash, credential))
        i = c->entry[i].next;
    if (i != NONE)
        remove_entry(c, i);
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
