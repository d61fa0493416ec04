#include "store/reseal.h"

#include <string.h>

#include "base/fail.h"
#include "base/fault.h"
#include "store/authority.h"
#include "store/metadata_key.h"
#include "store/signing_key.h"

enum mauth_rc
reseal_ready(struct reseal *r, struct mauth_err *err)
{
    return mauth_random(r->nonce, sizeof(r->nonce), err);
}

/* Each nonce is used once. */
static const uint8_t *
next_nonce(struct reseal *r)
{
    return r->nonce[r->records++];
}

struct ids {
    char id[KEYSTORE_KEYS][MAUTH_KEY_ID_LEN + 1];
    size_t count;
};

static enum mauth_rc
collect(struct signing_key *k, void *arg, struct mauth_err *err)
{
    struct ids *ids = arg;

    if (ids->count == KEYSTORE_KEYS)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "keystore: too many keys");
    memcpy(ids->id[ids->count++], mauth_key_id(k->key), MAUTH_KEY_ID_LEN + 1);
    return MAUTH_OK;
}

static enum mauth_rc
reseal_key(struct kv_txn *txn, struct reseal *r, const char *id, struct mauth_err *err)
{
    struct signing_key k;
    enum mauth_rc rc;

    signing_key_init(&k);
    rc = signing_key_find(txn, r->from, id, &k, err);
    if (rc == MAUTH_OK)
        rc = signing_key_put(txn, r->to, &k, next_nonce(r), err);
    signing_key_clear(&k);
    return rc;
}

static enum mauth_rc
reseal_keys(struct kv_txn *txn, struct reseal *r, struct mauth_err *err)
{
    struct ids ids = {.count = 0};
    enum mauth_rc rc = signing_key_each(txn, r->from, collect, &ids, err);

    for (size_t i = 0; i < ids.count && rc == MAUTH_OK; i++)
        rc = reseal_key(txn, r, ids.id[i], err);
    return rc;
}

static enum mauth_rc
reseal_authority(struct kv_txn *txn, struct reseal *r, struct mauth_err *err)
{
    struct keystore_authority a;
    enum mauth_rc rc = authority_load(txn, r->from, &a, err);

    if (rc == MAUTH_OK)
        rc = keystore_authority_put(txn, r->to, &a, next_nonce(r), err);
    authority_clear(&a);
    return rc;
}

/* The one that waits for the root's signature. */
static enum mauth_rc
reseal_pending(struct kv_txn *txn, struct reseal *r, struct mauth_err *err)
{
    struct keystore_authority a;
    enum mauth_rc rc = authority_load_pending(txn, r->from, &a, err);

    if (rc == MAUTH_OK)
        rc = authority_put_pending(txn, r->to, &a, next_nonce(r), err);
    authority_clear(&a);
    return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
}

static enum mauth_rc
reseal_metadata_key(struct kv_txn *txn, struct reseal *r, struct mauth_err *err)
{
    struct metadata_key k;
    enum mauth_rc rc;

    metadata_key_init(&k);
    rc = metadata_key_read(txn, r->from, &k, err);
    if (rc == MAUTH_OK)
        rc = metadata_key_put(txn, r->to, &k, next_nonce(r), err);
    metadata_key_clear(&k);
    return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
}

/* By the authority: all that is sealed is sealed alike. */
static enum mauth_rc
look_whether_done(struct kv_txn *txn, struct reseal *r, struct mauth_err *err)
{
    struct keystore_authority a;
    enum mauth_rc rc = authority_load(txn, r->to, &a, err);

    authority_clear(&a);
    r->unchanged = rc == MAUTH_OK;
    if (rc != MAUTH_DENIED)
        return rc;
    mauth_err_reset(err);
    return MAUTH_OK;
}

enum mauth_rc
reseal_all(struct kv_txn *txn, struct reseal *r, struct mauth_err *err)
{
    static enum mauth_rc (*const parts[])(
        struct kv_txn *, struct reseal *, struct mauth_err *) = {
        reseal_keys, reseal_authority, reseal_pending, reseal_metadata_key};
    enum mauth_rc rc = look_whether_done(txn, r, err);

    r->records = 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (rc == MAUTH_OK && !r->unchanged)
            rc = parts[i](txn, r, err);
    fault_point("reseal.put");
    return rc;
}
