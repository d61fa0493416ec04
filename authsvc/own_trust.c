#include "authsvc/own_trust.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/fail.h"
#include "base/file.h"
#include "keys/trust.h"

struct own_trust_ref {
    struct mauth_trust *trust;
    atomic_uint holders;
};

struct own_trust {
    pthread_mutex_t lock;
    struct own_trust_ref *now;
};

enum mauth_rc
own_trust_new(struct own_trust **out, struct mauth_err *err)
{
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
    pthread_mutex_init(&(*out)->lock, NULL);
    return MAUTH_OK;
}

void
own_trust_free(struct own_trust *o)
{
    if (!o)
        return;
    own_trust_drop(o->now);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

static enum mauth_rc
read_file(const char *path, const struct note_verifier *authority,
    struct own_trust_ref **out, struct mauth_err *err)
{
    struct own_trust_ref *ref = calloc(1, sizeof(*ref));
    struct buf file;
    enum mauth_rc rc;

    if (!ref)
        return mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
    atomic_init(&ref->holders, 1);
    buf_init(&file);
    rc = file_read(path, MAUTH_TRUST_MAX, &file, err);
    if (rc == MAUTH_OK)
        rc = trust_parse_own(file.data, file.len, authority, &ref->trust, err);
    buf_clear(&file);
    if (rc == MAUTH_OK)
        *out = ref;
    else
        own_trust_drop(ref);
    return rc;
}

enum mauth_rc
own_trust_load(struct own_trust *o, const char *path,
    const struct note_verifier *authority, struct mauth_err *err)
{
    struct own_trust_ref *next = NULL, *last;
    enum mauth_rc rc = read_file(path, authority, &next, err);

    if (rc != MAUTH_OK)
        return rc;
    pthread_mutex_lock(&o->lock);
    last = o->now;
    o->now = next;
    pthread_mutex_unlock(&o->lock);
    own_trust_drop(last);
    return MAUTH_OK;
}

enum mauth_rc
own_trust_take(struct own_trust *o, struct own_trust_ref **out, struct mauth_err *err)
{
    pthread_mutex_lock(&o->lock);
    *out = o->now;
    if (*out)
        atomic_fetch_add(&(*out)->holders, 1);
    pthread_mutex_unlock(&o->lock);
    return *out ? MAUTH_OK
                : mauth_fail(err, MAUTH_UNAVAILABLE, "trust: none was loaded yet");
}

const struct mauth_trust *
own_trust_of(const struct own_trust_ref *ref)
{
    return ref->trust;
}

void
own_trust_drop(struct own_trust_ref *ref)
{
    if (!ref || atomic_fetch_sub(&ref->holders, 1) != 1)
        return;
    mauth_trust_free(ref->trust);
    free(ref);
}
