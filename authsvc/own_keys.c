#include "authsvc/own_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/fault.h"
#include "base/time.h"
#include "store/audit.h"
#include "store/key_life.h"
#include "store/signing_key.h"

struct own_keys {
    struct kv *kv;
    const struct mauth_secret *seal;
    struct shared *shared;
    uint64_t serial; /* of what was read last */
};

struct reading {
    const struct own_keys *o;
    bool is_first;
    bool changed;
    uint64_t serial;
    struct keystore *keys;
};

static void
free_keys(void *object)
{
    keystore_free(object);
}

static enum mauth_rc
read_keys(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct reading *r = arg;
    enum mauth_rc rc = signing_key_serial(txn, &r->serial, err);

    r->changed = r->is_first || r->serial != r->o->serial;
    if (rc != MAUTH_OK || !r->changed)
        return rc;
    return keystore_load(txn, r->o->seal, &r->keys, err);
}

static enum mauth_rc
load(struct own_keys *o, bool is_first, bool *changed, struct mauth_err *err)
{
    struct reading r = {.o = o, .is_first = is_first};
    enum mauth_rc rc = kv_read(o->kv, read_keys, &r, err);

    *changed = rc == MAUTH_OK && r.changed;
    if (!*changed)
        return rc;
    rc = shared_set(o->shared, r.keys, err);
    if (rc == MAUTH_OK)
        o->serial = r.serial;
    else
        keystore_free(r.keys);
    *changed = rc == MAUTH_OK;
    return rc;
}

enum mauth_rc
own_keys_open(struct kv *kv, const struct mauth_secret *seal, struct own_keys **out,
    struct mauth_err *err)
{
    struct own_keys *o = calloc(1, sizeof(*o));
    enum mauth_rc rc;
    bool changed;

    *out = NULL;
    if (!o)
        return mauth_fail(err, MAUTH_NO_MEMORY, "keys: no memory");
    o->kv = kv;
    o->seal = seal;
    rc = shared_new(free_keys, &o->shared, err);
    if (rc == MAUTH_OK)
        rc = load(o, true, &changed, err);
    if (rc != MAUTH_OK) {
        own_keys_close(o);
        return rc;
    }
    *out = o;
    return MAUTH_OK;
}

void
own_keys_close(struct own_keys *o)
{
    if (!o)
        return;
    shared_free(o->shared);
    free(o);
}

enum mauth_rc
own_keys_reload(struct own_keys *o, bool *changed, struct mauth_err *err)
{
    return load(o, false, changed, err);
}

struct ending {
    struct key_change change;
    uint8_t salt[AUDIT_SALT];
    char id[MAUTH_KEY_ID_LEN + 1];
};

static enum mauth_rc
end_one(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct ending *e = arg;
    const struct audit_record record = {
        .time_us = time_now_us(),
        .actor = "meshauthd",
        .action = "key.end",
        .outcome = "done",
        .key = e->id,
    };
    enum mauth_rc rc = key_life_end(txn, &e->change, e->id, err);

    if (rc != MAUTH_OK || !e->id[0])
        return rc;
    rc = audit_append_record(txn, &record, e->salt, err);
    fault_point("key.ended");
    return rc;
}

static enum mauth_rc
look_for_end(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct ending *e = arg;

    return key_life_ended(txn, &e->change, e->id, err);
}

enum mauth_rc
own_keys_end(struct own_keys *o, int64_t now_s, char id[MAUTH_KEY_ID_LEN + 1],
    struct mauth_err *err)
{
    struct ending e = {.change = {.seal = o->seal, .now_s = now_s}};
    enum mauth_rc rc = kv_read(o->kv, look_for_end, &e, err);

    if (rc == MAUTH_OK && e.id[0])
        rc = mauth_random(e.salt, sizeof(e.salt), err);
    if (rc == MAUTH_OK && e.id[0])
        rc = kv_write(o->kv, end_one, &e, err);
    if (e.id[0])
        fault_point("key.end-committed");
    memcpy(id, e.id, sizeof(e.id));
    return rc;
}

struct shared_ref *
own_keys_take(struct own_keys *o)
{
    return shared_take(o->shared);
}

const struct keystore *
own_keys_of(const struct shared_ref *ref)
{
    return shared_object(ref);
}
