#include "store/keystore.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "store/authority.h"
#include "store/key.h"
#include "store/seal.h"

enum {
    VERSION = 1,
    HEX = 2 * KEYSTORE_SEAL_BYTES
};

/* The seal key's file. */

static uint8_t
hex_value(uint8_t c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static enum mauth_rc
parse_seal(const struct buf *file, struct mauth_secret **out, struct mauth_err *err)
{
    uint8_t raw[KEYSTORE_SEAL_BYTES];
    enum mauth_rc rc;

    if (file->len != HEX + 1 || file->data[HEX] != '\n' ||
        !str_is_hex((struct text){(const char *)file->data, HEX}, HEX))
        return mauth_fail(err, MAUTH_MALFORMED,
            "seal key: the file must hold 64 lower-case hex digits and a newline");
    for (size_t i = 0; i < sizeof(raw); i++)
        raw[i] = (uint8_t)(hex_value(file->data[2 * i]) << 4 |
                           hex_value(file->data[2 * i + 1]));
    rc = mauth_secret_new(raw, sizeof(raw), out, err);
    mauth_wipe(raw, sizeof(raw));
    return rc;
}

enum mauth_rc
keystore_seal_read(const char *path, struct mauth_secret **out, struct mauth_err *err)
{
    struct buf file;
    enum mauth_rc rc;

    *out = NULL;
    buf_init_secret(&file);
    rc = file_read_secret(path, HEX + 1, &file, err);
    if (rc == MAUTH_OK)
        rc = parse_seal(&file, out, err);
    buf_clear(&file);
    return rc;
}

enum mauth_rc
keystore_seal_create(const char *path, struct mauth_secret **out, struct mauth_err *err)
{
    uint8_t raw[KEYSTORE_SEAL_BYTES];
    struct mauth_secret *made = NULL;
    char text[HEX + 2] = "";
    enum mauth_rc rc;

    *out = NULL;
    rc = mauth_random(raw, sizeof(raw), err);
    if (rc == MAUTH_OK)
        rc = mauth_secret_new(raw, sizeof(raw), &made, err);
    if (rc)
        goto out;
    str_hex(raw, sizeof(raw), text);
    text[HEX] = '\n';
    rc = file_create(path, text, HEX + 1, FILE_PRIVATE, err);
    if (rc)
        goto out;
    *out = made;
    made = NULL; /* now the caller's */
out:
    mauth_secret_free(made);
    mauth_wipe(raw, sizeof(raw));
    mauth_wipe(text, sizeof(text));
    return rc;
}

/* Signing keys. */

/* What a sealed private key belongs to: all that the trust file will say of it but
 * its state, which changes. */
static void
bind_key(struct buf *b, struct text spki, int64_t from_s, int64_t until_s,
    struct text audiences)
{
    buf_str(b, "meshauth signing key");
    buf_field(b, spki.p, spki.len);
    buf_u64(b, (uint64_t)from_s);
    buf_u64(b, (uint64_t)until_s);
    buf_field(b, audiences.p, audiences.len);
}

static struct text
spki_of(const struct mauth_key *key)
{
    size_t len;
    const uint8_t *spki = mauth_key_spki(key, &len);

    return (struct text){(const char *)spki, len};
}

static enum mauth_rc
write_key(const struct mauth_secret *seal, const struct keystore_key *key,
    const struct signer *signer, struct text pkcs8, const uint8_t nonce[SEAL_NONCE],
    struct buf *out, struct mauth_err *err)
{
    struct text spki = spki_of(signer_key(signer));
    enum mauth_rc rc;
    struct buf bound;

    buf_u8(out, VERSION);
    buf_u8(out, (uint8_t)key->state);
    buf_u64(out, (uint64_t)key->from_s);
    buf_u64(out, (uint64_t)key->until_s);
    buf_field(out, key->audiences, strlen(key->audiences));
    buf_field(out, spki.p, spki.len);
    buf_init(&bound);
    bind_key(&bound, spki, key->from_s, key->until_s, text_of(key->audiences));
    if (buf_ok(&bound))
        rc = seal_wrap(seal, nonce, buf_slice(&bound), pkcs8, out, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "keystore: no memory");
    buf_clear(&bound);
    return rc;
}

/* Could a trust file say this? A key of which it cannot would end all publishing. */
static enum mauth_rc
check_key(const struct keystore_key *key, struct mauth_err *err)
{
    struct trust_key listed = {
        .state = key->state, .from_s = key->from_s, .until_s = key->until_s};
    const char *flaw;
    enum mauth_rc rc;

    rc = trust_key_set_audiences(&listed, text_of(key->audiences), err);
    if (rc)
        return rc;
    flaw = trust_key_flaw(&listed);
    trust_key_clear(&listed);
    if (flaw)
        return mauth_fail(err, MAUTH_INVALID, "keystore: %s", flaw);
    return MAUTH_OK;
}

/* A key that is there already keeps its state and window. */
static enum mauth_rc
put_new(struct kv_txn *txn, const struct mauth_key *key, const struct buf *record,
    struct mauth_err *err)
{
    struct store_key name;
    struct text there;
    enum mauth_rc rc;

    store_key(&name, SPACE_SIGNING_KEY, mauth_key_id(key), MAUTH_KEY_ID_LEN);
    rc = kv_get(txn, store_key_text(&name), &there, err);
    if (rc == MAUTH_OK)
        return mauth_fail(
            err, MAUTH_CONFLICT, "keystore: there is a key %s", mauth_key_id(key));
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    return kv_put(txn, store_key_text(&name), buf_slice(record), err);
}

enum mauth_rc
keystore_key_add(struct kv_txn *txn, const struct mauth_secret *seal,
    const struct keystore_key *key, struct text pkcs8, const uint8_t nonce[12],
    struct mauth_err *err)
{
    struct signer *signer = NULL;
    enum mauth_rc rc;
    struct buf b;

    rc = check_key(key, err);
    if (rc == MAUTH_OK)
        rc = signer_from_pkcs8(pkcs8.p, pkcs8.len, &signer, err);
    if (rc)
        return rc;
    buf_init(&b);
    rc = write_key(seal, key, signer, pkcs8, nonce, &b, err);
    if (rc == MAUTH_OK)
        rc = put_new(txn, signer_key(signer), &b, err);
    buf_clear(&b);
    signer_free(signer);
    return rc;
}

/* The snapshot. */

struct keystore {
    struct trust_key key[KEYSTORE_KEYS];
    char *audiences[KEYSTORE_KEYS]; /* what the keys' audiences point into */
    size_t count;
    struct signer *active;
    int64_t active_from_s, active_until_s;
    struct keystore_authority authority;
};

struct loading {
    struct keystore *ks;
    const struct mauth_secret *seal;
    enum mauth_rc rc;
    struct mauth_err *err;
};

static enum mauth_rc
take_signer(struct loading *l, const struct trust_key *key, const struct buf *pkcs8)
{
    enum mauth_rc rc;

    if (l->ks->active)
        return mauth_fail(l->err, MAUTH_UNAVAILABLE, "keystore: two active keys");
    rc = signer_from_pkcs8(pkcs8->data, pkcs8->len, &l->ks->active, l->err);
    if (rc)
        return rc;
    if (!text_equal(spki_of(signer_key(l->ks->active)), spki_of(key->key)))
        return mauth_fail(
            l->err, MAUTH_UNAVAILABLE, "keystore: halves that do not fit");
    l->ks->active_from_s = key->from_s;
    l->ks->active_until_s = key->until_s;
    return MAUTH_OK;
}

/*
 * Every key that verifies must open, though only the active one signs: so the trust
 * file lists no key but those that somebody with the seal put there.
 */
static enum mauth_rc
open_key(struct loading *l, const struct trust_key *key, struct text audiences,
    struct text sealed)
{
    struct buf bound, pkcs8;
    enum mauth_rc rc;

    buf_init(&bound);
    buf_init_secret(&pkcs8);
    bind_key(&bound, spki_of(key->key), key->from_s, key->until_s, audiences);
    if (buf_ok(&bound))
        rc = seal_unwrap(l->seal, buf_slice(&bound), sealed, &pkcs8, l->err);
    else
        rc = mauth_fail(l->err, MAUTH_NO_MEMORY, "keystore: no memory");
    if (rc == MAUTH_OK && key->state == TRUST_ACTIVE)
        rc = take_signer(l, key, &pkcs8);
    buf_clear(&pkcs8);
    buf_clear(&bound);
    return rc;
}

static enum mauth_rc
set_key(struct loading *l, struct text audiences, struct text spki)
{
    size_t i = l->ks->count;
    struct trust_key *key = &l->ks->key[i];
    struct mauth_key *made = NULL;
    enum mauth_rc rc;

    l->ks->audiences[i] = strndup(audiences.p, audiences.len);
    if (!l->ks->audiences[i])
        return mauth_fail(l->err, MAUTH_NO_MEMORY, "keystore: no memory");
    rc = mauth_key_from_spki(spki.p, spki.len, &made, l->err);
    if (rc)
        return rc;
    key->key = made;
    return trust_key_set_audiences(key, text_of(l->ks->audiences[i]), l->err);
}

static enum mauth_rc
load_key(struct loading *l, struct text id, struct text value)
{
    struct text audiences, spki, sealed;
    struct trust_key *key;
    struct reader r;
    enum mauth_rc rc;
    uint8_t state;

    if (l->ks->count == KEYSTORE_KEYS)
        return mauth_fail(l->err, MAUTH_UNAVAILABLE, "keystore: too many keys");
    key = &l->ks->key[l->ks->count];
    reader_init(&r, value.p, value.len);
    if (reader_u8(&r) != VERSION)
        r.failed = true;
    state = reader_u8(&r);
    key->from_s = (int64_t)reader_u64(&r);
    key->until_s = (int64_t)reader_u64(&r);
    audiences = reader_field(&r);
    spki = reader_field(&r);
    sealed = reader_field(&r);
    if (!reader_done(&r) || state > TRUST_REVOKED)
        return mauth_fail(l->err, MAUTH_UNAVAILABLE, "keystore: a damaged key record");
    key->state = (enum trust_state)state;
    rc = set_key(l, audiences, spki);
    if (rc)
        return rc;
    if (!text_is(id, mauth_key_id(key->key)))
        return mauth_fail(
            l->err, MAUTH_UNAVAILABLE, "keystore: a key under another id");
    l->ks->count++;
    if (key->state == TRUST_REVOKED)
        return MAUTH_OK;
    return open_key(l, key, audiences, sealed);
}

static bool
each_key(struct text name, struct text value, void *arg)
{
    struct loading *l = arg;
    struct reader r;

    reader_init(&r, name.p, name.len);
    (void)reader_u8(&r);
    l->rc = load_key(l, (struct text){(const char *)r.p, r.left}, value);
    return l->rc == MAUTH_OK;
}

enum mauth_rc
keystore_load(struct kv_txn *txn, const struct mauth_secret *seal,
    struct keystore **out, struct mauth_err *err)
{
    struct keystore *ks = calloc(1, sizeof(*ks));
    struct loading l = {.ks = ks, .seal = seal, .err = err};
    struct store_key first, end;
    enum mauth_rc rc;

    *out = NULL;
    if (!ks)
        return mauth_fail(err, MAUTH_NO_MEMORY, "keystore: no memory");
    store_key(&first, SPACE_SIGNING_KEY, NULL, 0);
    store_key(&end, (enum store_space)(SPACE_SIGNING_KEY + 1), NULL, 0);
    rc = kv_scan(
        txn, store_key_text(&first), store_key_text(&end), KV_UP, each_key, &l, err);
    if (rc == MAUTH_OK)
        rc = l.rc;
    if (rc == MAUTH_OK)
        rc = authority_load(txn, seal, &ks->authority, err);
    if (rc) {
        keystore_free(ks);
        return rc;
    }
    *out = ks;
    return MAUTH_OK;
}

void
keystore_free(struct keystore *ks)
{
    if (!ks)
        return;
    for (size_t i = 0; i < KEYSTORE_KEYS; i++) {
        trust_key_clear(&ks->key[i]);
        free(ks->audiences[i]);
    }
    signer_free(ks->active);
    authority_clear(&ks->authority);
    free(ks);
}

const struct signer *
keystore_active(const struct keystore *ks)
{
    return ks->active;
}

int64_t
keystore_active_until_s(const struct keystore *ks)
{
    return ks->active_until_s;
}

int64_t
keystore_active_from_s(const struct keystore *ks)
{
    return ks->active_from_s;
}

size_t
keystore_count(const struct keystore *ks)
{
    return ks->count;
}

const struct trust_key *
keystore_at(const struct keystore *ks, size_t i)
{
    return i < ks->count ? &ks->key[i] : NULL;
}

const struct keystore_authority *
keystore_authority(const struct keystore *ks)
{
    return &ks->authority;
}

enum mauth_rc
keystore_next_sequence(struct kv_txn *txn, uint64_t *out, struct mauth_err *err)
{
    uint8_t raw[8];
    struct store_key name;
    struct text value;
    enum mauth_rc rc;
    struct reader r;
    struct buf b;

    *out = 0;
    store_key(&name, SPACE_TRUST_SEQUENCE, NULL, 0);
    rc = kv_get(txn, store_key_text(&name), &value, err);
    if (rc && rc != MAUTH_NOT_FOUND)
        return rc;
    if (rc == MAUTH_OK) {
        reader_init(&r, value.p, value.len);
        *out = reader_u64(&r);
        if (!reader_done(&r))
            return mauth_fail(err, MAUTH_UNAVAILABLE, "keystore: a damaged sequence");
    }
    ++*out;
    buf_init_fixed(&b, raw, sizeof(raw));
    buf_u64(&b, *out);
    return kv_put(txn, store_key_text(&name), buf_slice(&b), err);
}
