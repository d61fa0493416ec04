#include "authsvc/pace.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

enum {
    WAYS = 8, /* places that a principal can have; ids are random, so they spread */
    MINUTE_MS = 60000
};

/* What is left, times MINUTE_MS: a millisecond brings as many as a minute allows. */
struct spender {
    struct id who;
    int64_t left;
    int64_t seen_ms; /* 0: nobody is here */
};

struct pace {
    pthread_mutex_t lock;
    int64_t full;
    struct spender spender[PACE_PRINCIPALS];
};

enum mauth_rc
pace_new(int per_minute, struct pace **out, struct mauth_err *err)
{
    struct pace *p = calloc(1, sizeof(*p));

    *out = p;
    if (!p)
        return mauth_fail(err, MAUTH_NO_MEMORY, "pace: no memory");
    p->full = (int64_t)per_minute * MINUTE_MS;
    pthread_mutex_init(&p->lock, NULL);
    return MAUTH_OK;
}

void
pace_free(struct pace *p)
{
    if (!p)
        return;
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* The principal's place, or that of who was quiet for longest. */
static struct spender *
find(struct pace *p, const struct id *who)
{
    size_t hash = (size_t)(who->b[14] << 8 | who->b[15]) % (PACE_PRINCIPALS / WAYS);
    struct spender *set = &p->spender[hash * WAYS], *oldest = set;

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].seen_ms && memcmp(set[i].who.b, who->b, ID_BYTES) == 0)
            return &set[i];
        if (set[i].seen_ms < oldest->seen_ms)
            oldest = &set[i];
    }
    oldest->who = *who;
    oldest->left = p->full;
    oldest->seen_ms = 0;
    return oldest;
}

/* The same, with what it has by now. */
static struct spender *
look_at(struct pace *p, const struct id *who, int64_t now_ms)
{
    struct spender *s = find(p, who);

    if (s->seen_ms && now_ms > s->seen_ms)
        s->left += (now_ms - s->seen_ms) * (p->full / MINUTE_MS);
    if (s->left > p->full)
        s->left = p->full;
    s->seen_ms = now_ms > 0 ? now_ms : 1;
    return s;
}

bool
pace_take(struct pace *p, const struct id *who, int64_t now_ms)
{
    struct spender *s;
    bool good;

    pthread_mutex_lock(&p->lock);
    s = look_at(p, who, now_ms);
    good = s->left >= MINUTE_MS;
    if (good)
        s->left -= MINUTE_MS;
    pthread_mutex_unlock(&p->lock);
    return good;
}

void
pace_spend(struct pace *p, const struct id *who, uint32_t more, int64_t now_ms)
{
    pthread_mutex_lock(&p->lock);
    look_at(p, who, now_ms)->left -= (int64_t)more * MINUTE_MS;
    pthread_mutex_unlock(&p->lock);
}
