#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/secret.h"
#include <meshauth/replay.h>

enum {
    WAYS = 8, /* slots of a bucket; each name has two buckets */
    SEED = 16
};

static const uint64_t MAGIC = UINT64_C(0x6d61757468727031); /* "mauthrp1" */

struct slot {
    uint8_t name[16]; /* of a hash under the seed */
    int64_t until_s;  /* 0: never used */
};

struct bucket {
    struct slot slot[WAYS];
};

struct mauth_replay {
    uint64_t magic;
    uint64_t buckets; /* a power of two */
    uint8_t seed[SEED];
    pthread_mutex_t lock;
    _Alignas(64) struct bucket bucket[];
};

/* With two buckets to choose from, tables fill to nine tenths before one is full. */
static size_t
buckets_for(size_t names)
{
    size_t buckets = 2;

    while (buckets * WAYS < names + names / 4)
        buckets *= 2;
    return buckets;
}

size_t
mauth_replay_bytes(size_t names)
{
    if (names < MAUTH_REPLAY_NAMES_MIN || names > MAUTH_REPLAY_NAMES_MAX)
        return 0;
    return sizeof(struct mauth_replay) + buckets_for(names) * sizeof(struct bucket);
}

/* How many buckets such memory holds; 0: it is of no use. */
static size_t
buckets_in(const void *memory, size_t bytes)
{
    size_t buckets = 1, most = mauth_replay_bytes(MAUTH_REPLAY_NAMES_MAX);

    if (!memory || (uintptr_t)memory % 64 != 0 ||
        bytes < mauth_replay_bytes(MAUTH_REPLAY_NAMES_MIN) || bytes > most)
        return 0;
    while (sizeof(struct mauth_replay) + 2 * buckets * sizeof(struct bucket) <= bytes)
        buckets *= 2;
    return buckets;
}

static bool
init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;
    bool good;

    if (pthread_mutexattr_init(&attr) != 0)
        return false;
    good = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) == 0 &&
           pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) == 0 &&
           pthread_mutex_init(lock, &attr) == 0;
    pthread_mutexattr_destroy(&attr);
    return good;
}

enum mauth_rc
mauth_replay_init(
    void *memory, size_t bytes, struct mauth_replay **out, struct mauth_err *err)
{
    size_t buckets = buckets_in(memory, bytes);
    struct mauth_replay *r = memory;
    enum mauth_rc rc;

    *out = NULL;
    if (!buckets)
        return mauth_fail(
            err, MAUTH_INVALID, "replay: memory too small, too large or not aligned");
    memset(r, 0, sizeof(*r) + buckets * sizeof(struct bucket));
    rc = mauth_random(r->seed, SEED, err);
    if (rc != MAUTH_OK)
        return rc;
    if (!init_lock(&r->lock))
        return mauth_fail(err, MAUTH_UNAVAILABLE, "replay: no lock to be shared");
    r->buckets = buckets;
    __atomic_store_n(&r->magic, MAGIC, __ATOMIC_RELEASE);
    *out = r;
    return MAUTH_OK;
}

enum mauth_rc
mauth_replay_attach(
    void *memory, size_t bytes, struct mauth_replay **out, struct mauth_err *err)
{
    size_t buckets = buckets_in(memory, bytes);
    struct mauth_replay *r = memory;

    *out = NULL;
    if (!buckets || __atomic_load_n(&r->magic, __ATOMIC_ACQUIRE) != MAGIC ||
        r->buckets != buckets)
        return mauth_fail(
            err, MAUTH_INVALID, "replay: this memory holds no memory of names");
    *out = r;
    return MAUTH_OK;
}

/* Where somebody died with the lock, at worst one slot is half written: it holds a
 * name that nobody has, or none. */
static bool
lock(struct mauth_replay *r)
{
    int code = pthread_mutex_lock(&r->lock);

    if (code == EOWNERDEAD)
        code = pthread_mutex_consistent(&r->lock);
    return code == 0;
}

/* The slot of a bucket that holds the name, or else a free one and how many are. */
static struct slot *
look_into(struct bucket *bucket, const uint8_t *name, int64_t now_s, size_t *free_slots)
{
    struct slot *free_slot = NULL;

    *free_slots = 0;
    for (size_t i = 0; i < WAYS; i++) {
        struct slot *s = &bucket->slot[i];

        if (s->until_s <= now_s) {
            free_slot = s;
            (*free_slots)++;
        } else if (memcmp(s->name, name, sizeof(s->name)) == 0) {
            return s;
        }
    }
    return free_slot;
}

/* Whoever has the choice takes the emptier bucket: so they fill evenly. */
static struct slot *
find_slot(struct mauth_replay *r, const uint8_t hash[HASH_LEN], int64_t now_s)
{
    struct slot *slot[2];
    size_t free_slots[2];
    uint64_t where[2];

    memcpy(where, hash + sizeof(r->bucket->slot->name), sizeof(where));
    for (size_t b = 0; b < 2; b++) {
        slot[b] = look_into(
            &r->bucket[where[b] & (r->buckets - 1)], hash, now_s, &free_slots[b]);
        if (slot[b] && slot[b]->until_s > now_s)
            return slot[b];
    }
    return free_slots[0] >= free_slots[1] ? slot[0] : slot[1];
}

static enum mauth_rc
take(struct mauth_replay *r, const uint8_t hash[HASH_LEN], int64_t now_s,
    int64_t until_s, struct mauth_err *err)
{
    struct slot *s = find_slot(r, hash, now_s);

    if (!s)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "replay: the memory is full");
    if (s->until_s > now_s)
        return mauth_fail(err, MAUTH_CONFLICT, "replay: used before");
    s->until_s = until_s;
    memcpy(s->name, hash, sizeof(s->name));
    return MAUTH_OK;
}

enum mauth_rc
mauth_replay_take(struct mauth_replay *r, const void *name, size_t len, int64_t now_s,
    int64_t until_s, struct mauth_err *err)
{
    const struct text pieces[] = {{(const char *)r->seed, SEED}, {name, len}};
    uint8_t hash[HASH_LEN];
    enum mauth_rc rc;

    if (until_s <= now_s || now_s < 0)
        return mauth_fail(err, MAUTH_EXPIRED, "replay: its time is over");
    rc = hash_sha256(pieces, 2, hash, err);
    if (rc != MAUTH_OK)
        return rc;
    if (!lock(r))
        return mauth_fail(err, MAUTH_UNAVAILABLE, "replay: the lock is broken");
    rc = take(r, hash, now_s, until_s, err);
    pthread_mutex_unlock(&r->lock);
    return rc;
}
