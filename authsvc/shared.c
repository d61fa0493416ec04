#include "authsvc/shared.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/fail.h"

struct shared_ref {
    void *object;
    void (*free_object)(void *);
    atomic_uint holders;
};

struct shared {
    pthread_mutex_t lock;
    void (*free_object)(void *);
    struct shared_ref *now;
};

enum mauth_rc
shared_new(void (*free_object)(void *), struct shared **out, struct mauth_err *err)
{
    struct shared *s = calloc(1, sizeof(*s));

    *out = s;
    if (!s)
        return mauth_fail(err, MAUTH_NO_MEMORY, "shared: no memory");
    s->free_object = free_object;
    pthread_mutex_init(&s->lock, NULL);
    return MAUTH_OK;
}

void
shared_free(struct shared *s)
{
    if (!s)
        return;
    shared_drop(s->now);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

enum mauth_rc
shared_wrap(
    struct shared *s, void *object, struct shared_ref **out, struct mauth_err *err)
{
    struct shared_ref *ref = calloc(1, sizeof(*ref));

    *out = ref;
    if (!ref)
        return mauth_fail(err, MAUTH_NO_MEMORY, "shared: no memory");
    ref->object = object;
    ref->free_object = s->free_object;
    atomic_init(&ref->holders, 1);
    return MAUTH_OK;
}

void
shared_put(struct shared *s, struct shared_ref *ref)
{
    struct shared_ref *last;

    pthread_mutex_lock(&s->lock);
    last = s->now;
    s->now = ref;
    pthread_mutex_unlock(&s->lock);
    shared_drop(last);
}

enum mauth_rc
shared_set(struct shared *s, void *object, struct mauth_err *err)
{
    struct shared_ref *ref;
    enum mauth_rc rc = shared_wrap(s, object, &ref, err);

    if (rc == MAUTH_OK)
        shared_put(s, ref);
    return rc;
}

struct shared_ref *
shared_take(struct shared *s)
{
    struct shared_ref *ref;

    pthread_mutex_lock(&s->lock);
    ref = s->now;
    if (ref)
        atomic_fetch_add(&ref->holders, 1);
    pthread_mutex_unlock(&s->lock);
    return ref;
}

void *
shared_object(const struct shared_ref *ref)
{
    return ref->object;
}

void
shared_drop(struct shared_ref *ref)
{
    if (!ref || atomic_fetch_sub(&ref->holders, 1) != 1)
        return;
    ref->free_object(ref->object);
    free(ref);
}
