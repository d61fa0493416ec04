#include "store/authority.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "store/counter.h"
#include "store/key.h"
#include "store/seal.h"

enum {
    VERSION = 1
};

static void
put_verifier(struct buf *b, const struct note_verifier *v)
{
    buf_field(b, v->name, strlen(v->name));
    buf_put(b, v->key, NOTE_KEY_BYTES);
}

/* All that is open. */
static void
write_open(struct buf *b, const struct keystore_authority *a)
{
    buf_u8(b, VERSION);
    buf_u64(b, a->epoch);
    put_verifier(b, &a->verifier);
    buf_field(b, a->delegation.p, a->delegation.len);
    put_verifier(b, &a->root);
}

/* What the seed belongs to: everything else in its record, and where that lies. */
static struct text
kind_of(enum store_space space)
{
    return text_of(
        space == SPACE_AUTHORITY ? "meshauth authorityA" : "meshauth authoritya");
}

static enum mauth_rc
put(struct kv_txn *txn, enum store_space space, const struct mauth_secret *seal,
    const struct keystore_authority *a, const uint8_t nonce[12], struct mauth_err *err)
{
    struct text seed = {
        (const char *)mauth_secret_bytes(a->seed), mauth_secret_len(a->seed)};
    struct store_key name;
    struct buf b;
    enum mauth_rc rc;

    if (a->delegation.len > UINT16_MAX)
        return mauth_fail(err, MAUTH_INVALID, "authority: a delegation of %zu bytes",
            a->delegation.len);
    buf_init(&b);
    write_open(&b, a);
    rc = seal_wrap(seal, nonce, kind_of(space), seed, &b, err);
    store_key(&name, space, NULL, 0);
    if (rc == MAUTH_OK)
        rc = kv_put(txn, store_key_text(&name), buf_slice(&b), err);
    buf_clear(&b);
    return rc;
}

enum mauth_rc
keystore_authority_put(struct kv_txn *txn, const struct mauth_secret *seal,
    const struct keystore_authority *a, const uint8_t nonce[12], struct mauth_err *err)
{
    enum mauth_rc rc = put(txn, SPACE_AUTHORITY, seal, a, nonce, err);
    uint64_t serial;

    return rc ? rc : counter_next(txn, SPACE_KEYS_SERIAL, &serial, err);
}

enum mauth_rc
authority_put_pending(struct kv_txn *txn, const struct mauth_secret *seal,
    const struct keystore_authority *a, const uint8_t nonce[12], struct mauth_err *err)
{
    return put(txn, SPACE_AUTHORITY_NEXT, seal, a, nonce, err);
}

enum mauth_rc
authority_drop_pending(struct kv_txn *txn, struct mauth_err *err)
{
    struct store_key name;

    store_key(&name, SPACE_AUTHORITY_NEXT, NULL, 0);
    return kv_delete(txn, store_key_text(&name), err);
}

enum mauth_rc
authority_suspend(struct kv_txn *txn, struct mauth_err *err)
{
    struct store_key name;

    store_key(&name, SPACE_RESTORED, NULL, 0);
    return kv_put(txn, store_key_text(&name), (struct text){"", 0}, err);
}

enum mauth_rc
authority_resume(struct kv_txn *txn, struct mauth_err *err)
{
    struct store_key name;

    store_key(&name, SPACE_RESTORED, NULL, 0);
    return kv_delete(txn, store_key_text(&name), err);
}

enum mauth_rc
authority_is_suspended(struct kv_txn *txn, bool *out, struct mauth_err *err)
{
    struct store_key name;
    struct text value;
    enum mauth_rc rc;

    store_key(&name, SPACE_RESTORED, NULL, 0);
    rc = kv_get(txn, store_key_text(&name), &value, err);
    *out = rc == MAUTH_OK;
    return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
}

static enum mauth_rc
open_seed(const struct mauth_secret *seal, enum store_space space, struct text open,
    struct text sealed, struct keystore_authority *a, struct mauth_err *err)
{
    struct buf seed;
    enum mauth_rc rc;

    buf_init_secret(&seed);
    rc = seal_unwrap(seal, kind_of(space), open, sealed, &seed, err);
    if (rc == MAUTH_OK && seed.len != NOTE_KEY_BYTES)
        rc =
            mauth_fail(err, MAUTH_UNAVAILABLE, "authority: a seed of no seed's length");
    if (rc == MAUTH_OK)
        rc = mauth_secret_new(seed.data, seed.len, &a->seed, err);
    buf_clear(&seed);
    return rc;
}

static enum mauth_rc
damaged(struct mauth_err *err)
{
    return mauth_fail(err, MAUTH_UNAVAILABLE, "authority: a damaged record");
}

struct named_key {
    struct text name;
    uint8_t key[NOTE_KEY_BYTES];
};

static enum mauth_rc
set_verifier(
    struct note_verifier *v, const struct named_key *named, struct mauth_err *err)
{
    char terminated[NOTE_NAME_MAX + 1] = "";

    if (named->name.len > NOTE_NAME_MAX)
        return damaged(err);
    memcpy(terminated, named->name.p, named->name.len);
    return note_verifier_make(terminated, named->key, v, err);
}

static enum mauth_rc
set_delegation(
    struct keystore_authority *a, struct text delegation, struct mauth_err *err)
{
    char *copy = malloc(delegation.len + 1);

    if (!copy)
        return mauth_fail(err, MAUTH_NO_MEMORY, "authority: no memory");
    memcpy(copy, delegation.p, delegation.len);
    a->delegation.p = copy;
    a->delegation.len = delegation.len;
    return MAUTH_OK;
}

static void
read_named(struct reader *r, struct named_key *out)
{
    out->name = reader_field(r);
    reader_copy(r, out->key, sizeof(out->key));
}

static enum mauth_rc
read_record(enum store_space space, const struct mauth_secret *seal, struct text record,
    struct keystore_authority *out, struct mauth_err *err)
{
    struct text open = {record.p, 0}, delegation, sealed;
    struct named_key authority, root;
    struct reader r;
    enum mauth_rc rc;

    reader_init(&r, record.p, record.len);
    if (reader_u8(&r) != VERSION)
        r.failed = true;
    out->epoch = reader_u64(&r);
    read_named(&r, &authority);
    delegation = reader_field(&r);
    read_named(&r, &root);
    open.len = record.len - r.left;
    sealed = reader_field(&r);
    if (!reader_done(&r))
        return damaged(err);
    rc = set_verifier(&out->verifier, &authority, err);
    if (rc == MAUTH_OK)
        rc = set_verifier(&out->root, &root, err);
    if (rc == MAUTH_OK)
        rc = set_delegation(out, delegation, err);
    return rc ? rc : open_seed(seal, space, open, sealed, out, err);
}

static enum mauth_rc
load(struct kv_txn *txn, enum store_space space, const struct mauth_secret *seal,
    struct keystore_authority *out, struct mauth_err *err)
{
    struct store_key where;
    struct text record;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    store_key(&where, space, NULL, 0);
    rc = kv_get(txn, store_key_text(&where), &record, err);
    return rc ? rc : read_record(space, seal, record, out, err);
}

enum mauth_rc
authority_load(struct kv_txn *txn, const struct mauth_secret *seal,
    struct keystore_authority *out, struct mauth_err *err)
{
    enum mauth_rc rc = load(txn, SPACE_AUTHORITY, seal, out, err);

    if (rc == MAUTH_NOT_FOUND)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "authority: there is none");
    return rc;
}

enum mauth_rc
authority_load_pending(struct kv_txn *txn, const struct mauth_secret *seal,
    struct keystore_authority *out, struct mauth_err *err)
{
    return load(txn, SPACE_AUTHORITY_NEXT, seal, out, err);
}

enum mauth_rc
authority_epoch(struct kv_txn *txn, uint64_t *out, struct mauth_err *err)
{
    struct store_key where;
    struct text record;
    struct reader r;
    enum mauth_rc rc;

    *out = 0;
    store_key(&where, SPACE_AUTHORITY, NULL, 0);
    rc = kv_get(txn, store_key_text(&where), &record, err);
    if (rc == MAUTH_NOT_FOUND)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "authority: there is none");
    if (rc != MAUTH_OK)
        return rc;
    reader_init(&r, record.p, record.len);
    if (reader_u8(&r) != VERSION)
        r.failed = true;
    *out = reader_u64(&r);
    return reader_ok(&r) ? MAUTH_OK : damaged(err);
}

void
authority_clear(struct keystore_authority *a)
{
    union {
        const char *borrowed;
        char *owned;
    } delegation = {a->delegation.p};

    free(delegation.owned);
    mauth_secret_free(a->seed);
    memset(a, 0, sizeof(*a));
}

enum mauth_rc
authority_read(
    const struct keystore_authority *a, struct delegation *out, struct mauth_err *err)
{
    struct text note = a->delegation;
    struct reader r;

    /* The one that waits is the text alone. */
    reader_init(&r, note.p, note.len);
    if (!note_text(&r, &note))
        note = a->delegation;
    return delegation_read(note, out, err);
}
