#include "store/authority.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "store/key.h"
#include "store/seal.h"

enum {
    VERSION = 1
};

/* What the seed belongs to: everything else in its record. */
static void
bind(struct buf *b, const struct keystore_authority *a)
{
    buf_str(b, "meshauth authority");
    buf_u64(b, a->epoch);
    buf_field(b, a->verifier.name, strlen(a->verifier.name));
    buf_put(b, a->verifier.key, NOTE_KEY_BYTES);
    buf_field(b, a->delegation.p, a->delegation.len);
}

enum mauth_rc
keystore_authority_put(struct kv_txn *txn, const struct mauth_secret *seal,
    const struct keystore_authority *a, const uint8_t nonce[12], struct mauth_err *err)
{
    struct text seed = {(const char *)a->seed, sizeof(a->seed)};
    struct store_key name;
    struct buf b, bound;
    enum mauth_rc rc;

    buf_init(&b);
    buf_init(&bound);
    buf_u8(&b, VERSION);
    buf_u64(&b, a->epoch);
    buf_field(&b, a->verifier.name, strlen(a->verifier.name));
    buf_put(&b, a->verifier.key, NOTE_KEY_BYTES);
    buf_field(&b, a->delegation.p, a->delegation.len);
    bind(&bound, a);
    if (a->delegation.len > UINT16_MAX)
        rc = mauth_fail(err, MAUTH_INVALID, "authority: a delegation of %zu bytes",
            a->delegation.len);
    else if (!buf_ok(&b) || !buf_ok(&bound))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "authority: no memory");
    else
        rc = seal_wrap(seal, nonce, buf_slice(&bound), seed, &b, err);
    if (rc == MAUTH_OK) {
        store_key(&name, SPACE_AUTHORITY, NULL, 0);
        rc = kv_put(txn, store_key_text(&name), buf_slice(&b), err);
    }
    buf_clear(&bound);
    buf_clear(&b);
    return rc;
}

static enum mauth_rc
open_seed(const struct mauth_secret *seal, struct text sealed,
    struct keystore_authority *a, struct mauth_err *err)
{
    struct buf bound, seed;
    enum mauth_rc rc;

    buf_init(&bound);
    buf_init_secret(&seed);
    bind(&bound, a);
    if (buf_ok(&bound))
        rc = seal_unwrap(seal, buf_slice(&bound), sealed, &seed, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "authority: no memory");
    if (rc == MAUTH_OK && seed.len == NOTE_KEY_BYTES)
        memcpy(a->seed, seed.data, NOTE_KEY_BYTES);
    else if (rc == MAUTH_OK)
        rc =
            mauth_fail(err, MAUTH_UNAVAILABLE, "authority: a seed of no seed's length");
    buf_clear(&seed);
    buf_clear(&bound);
    return rc;
}

static enum mauth_rc
set_names(struct keystore_authority *a, struct text name,
    const uint8_t key[NOTE_KEY_BYTES], struct text delegation, struct mauth_err *err)
{
    char terminated[NOTE_NAME_MAX + 1] = "";
    enum mauth_rc rc;
    char *copy;

    if (name.len > NOTE_NAME_MAX)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "authority: a damaged record");
    memcpy(terminated, name.p, name.len);
    rc = note_verifier_make(terminated, key, &a->verifier, err);
    if (rc)
        return rc;
    copy = malloc(delegation.len + 1);
    if (!copy)
        return mauth_fail(err, MAUTH_NO_MEMORY, "authority: no memory");
    memcpy(copy, delegation.p, delegation.len);
    a->delegation.p = copy;
    a->delegation.len = delegation.len;
    return MAUTH_OK;
}

enum mauth_rc
authority_load(struct kv_txn *txn, const struct mauth_secret *seal,
    struct keystore_authority *out, struct mauth_err *err)
{
    struct text value, name, delegation, sealed;
    uint8_t key[NOTE_KEY_BYTES];
    struct store_key where;
    enum mauth_rc rc;
    struct reader r;

    memset(out, 0, sizeof(*out));
    store_key(&where, SPACE_AUTHORITY, NULL, 0);
    rc = kv_get(txn, store_key_text(&where), &value, err);
    if (rc == MAUTH_NOT_FOUND)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "authority: there is none");
    if (rc)
        return rc;
    reader_init(&r, value.p, value.len);
    if (reader_u8(&r) != VERSION)
        r.failed = true;
    out->epoch = reader_u64(&r);
    name = reader_field(&r);
    reader_copy(&r, key, sizeof(key));
    delegation = reader_field(&r);
    sealed = reader_field(&r);
    if (!reader_done(&r))
        return mauth_fail(err, MAUTH_UNAVAILABLE, "authority: a damaged record");
    rc = set_names(out, name, key, delegation, err);
    return rc ? rc : open_seed(seal, sealed, out, err);
}

void
authority_clear(struct keystore_authority *a)
{
    union {
        const char *borrowed;
        char *owned;
    } delegation = {a->delegation.p};

    free(delegation.owned);
    mauth_wipe(a, sizeof(*a));
}
