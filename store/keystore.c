#include "store/keystore.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "store/key.h"

enum {
    VERSION = 1,
    NONCE = 12,
    TAG = 16,
    HEX = 2 * KEYSTORE_SEAL_BYTES
};

/* The seal key's file. */

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
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
        raw[i] = (uint8_t)(hex_value((char)file->data[2 * i]) << 4 |
                           hex_value((char)file->data[2 * i + 1]));
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
    char text[HEX + 2];
    enum mauth_rc rc;

    *out = NULL;
    rc = mauth_random(raw, sizeof(raw), err);
    if (rc)
        return rc;
    str_hex(raw, sizeof(raw), text);
    text[HEX] = '\n';
    rc = file_create(path, text, HEX + 1, FILE_PRIVATE, err);
    if (rc == MAUTH_OK)
        rc = mauth_secret_new(raw, sizeof(raw), out, err);
    mauth_wipe(raw, sizeof(raw));
    mauth_wipe(text, sizeof(text));
    return rc;
}

/*
 * AES-256-GCM. What the secret belongs to (which key, which window) is bound to it
 * as additional data: a sealed key moved to another record does not open.
 */
static bool
run_cipher(EVP_CIPHER_CTX *ctx, const struct mauth_secret *seal, const uint8_t *nonce,
    struct text bound, const uint8_t *in, size_t len, uint8_t *out, bool encrypt)
{
    int n = 0;

    return EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, mauth_secret_bytes(seal),
               nonce, encrypt) == 1 &&
           EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)bound.p, (int)bound.len) ==
               1 &&
           EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1 && n == (int)len;
}

/* Appends nonce, cipher text and tag as one field. */
static enum mauth_rc
seal_up(const struct mauth_secret *seal, const uint8_t nonce[NONCE], struct text bound,
    struct text secret, struct buf *out, struct mauth_err *err)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    size_t len = NONCE + secret.len + TAG;
    uint8_t *at = NULL, last[TAG];
    int n = 0;
    bool ok;

    buf_u16(out, (uint16_t)len);
    if (len <= UINT16_MAX)
        at = buf_space(out, len);
    ok = ctx && at;
    if (ok)
        memcpy(at, nonce, NONCE);
    ok = ok &&
         run_cipher(ctx, seal, nonce, bound, (const uint8_t *)secret.p, secret.len,
             at + NONCE, true) &&
         EVP_CipherFinal_ex(ctx, last, &n) == 1 && n == 0 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, at + NONCE + secret.len) ==
             1;
    EVP_CIPHER_CTX_free(ctx);
    if (!ok)
        return mauth_fail(err, MAUTH_INTERNAL, "keystore: cannot seal a key");
    return MAUTH_OK;
}

static enum mauth_rc
unseal(const struct mauth_secret *seal, struct text bound, struct text sealed,
    struct buf *out, struct mauth_err *err)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    const uint8_t *in = (const uint8_t *)sealed.p;
    size_t len = sealed.len - NONCE - TAG;
    uint8_t *at = NULL, tag[TAG], last[TAG];
    int n = 0;
    bool ok;

    if (sealed.len >= NONCE + TAG)
        at = buf_space(out, len);
    ok = ctx && at;
    if (ok)
        memcpy(tag, in + NONCE + len, TAG);
    ok = ok && run_cipher(ctx, seal, in, bound, in + NONCE, len, at, false) &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1 &&
         EVP_CipherFinal_ex(ctx, last, &n) == 1 && n == 0;
    EVP_CIPHER_CTX_free(ctx);
    if (!ok)
        return mauth_fail(err, MAUTH_DENIED,
            "keystore: a sealed key does not open; is this the seal key of this "
            "store?");
    return MAUTH_OK;
}

/* Signing keys. */

static void
bind_key(struct buf *b, const char *id, int64_t from_s, int64_t until_s,
    struct text audiences)
{
    buf_str(b, "meshauth signing key");
    buf_str(b, id);
    buf_u64(b, (uint64_t)from_s);
    buf_u64(b, (uint64_t)until_s);
    buf_field(b, audiences.p, audiences.len);
}

static enum mauth_rc
write_key(const struct mauth_secret *seal, const struct keystore_key *key,
    const struct signer *signer, struct text pkcs8, const uint8_t nonce[NONCE],
    struct buf *out, struct mauth_err *err)
{
    const char *id = mauth_key_id(signer_key(signer));
    const uint8_t *spki;
    enum mauth_rc rc;
    struct buf bound;
    size_t len;

    spki = mauth_key_spki(signer_key(signer), &len);
    buf_u8(out, VERSION);
    buf_u8(out, (uint8_t)key->state);
    buf_u64(out, (uint64_t)key->from_s);
    buf_u64(out, (uint64_t)key->until_s);
    buf_field(out, key->audiences, strlen(key->audiences));
    buf_field(out, spki, len);
    buf_init(&bound);
    bind_key(&bound, id, key->from_s, key->until_s, text_of(key->audiences));
    if (buf_ok(&bound))
        rc = seal_up(seal, nonce, buf_slice(&bound), pkcs8, out, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "keystore: no memory");
    buf_clear(&bound);
    return rc;
}

enum mauth_rc
keystore_key_add(struct kv_txn *txn, const struct mauth_secret *seal,
    const struct keystore_key *key, struct text pkcs8, const uint8_t nonce[12],
    struct mauth_err *err)
{
    struct signer *signer = NULL;
    struct store_key name;
    enum mauth_rc rc;
    struct buf b;

    rc = signer_from_pkcs8(pkcs8.p, pkcs8.len, &signer, err);
    if (rc)
        return rc;
    buf_init(&b);
    rc = write_key(seal, key, signer, pkcs8, nonce, &b, err);
    if (rc == MAUTH_OK) {
        store_key(&name, SPACE_SIGNING_KEY, mauth_key_id(signer_key(signer)),
            MAUTH_KEY_ID_LEN);
        rc = kv_put(txn, store_key_text(&name), buf_slice(&b), err);
    }
    buf_clear(&b);
    signer_free(signer);
    return rc;
}

/* The snapshot. */

enum {
    KEYS_MAX = 64
};

struct keystore {
    struct trust_key key[KEYS_MAX];
    struct mauth_key *owned[KEYS_MAX];
    struct text *audiences[KEYS_MAX];
    char *text[KEYS_MAX]; /* what audiences point into */
    size_t count;
    struct signer *active;
    int64_t active_until_s;
    struct keystore_authority authority;
    char *delegation;
};

static bool
split_audiences(struct keystore *ks, size_t i, struct text list)
{
    struct trust_key *key = &ks->key[i];
    struct text rest, item;
    size_t n = 1;

    if (text_is(list, "*")) {
        key->all_audiences = true;
        return true;
    }
    ks->text[i] = strndup(list.p, list.len);
    for (size_t c = 0; c < list.len; c++)
        n += list.p[c] == ',';
    ks->audiences[i] = calloc(n, sizeof(struct text));
    if (!ks->text[i] || !ks->audiences[i])
        return false;
    rest = text_of(ks->text[i]);
    for (; text_cut(&rest, ',', &item); key->audiences++)
        ks->audiences[i][key->audiences] = item;
    ks->audiences[i][key->audiences++] = rest;
    key->audience = ks->audiences[i];
    return true;
}

struct loading {
    struct keystore *ks;
    const struct mauth_secret *seal;
    enum mauth_rc rc;
    struct mauth_err *err;
};

static enum mauth_rc
load_signer(struct loading *l, const struct trust_key *key, struct text audiences,
    struct text sealed)
{
    struct buf bound, pkcs8;
    enum mauth_rc rc;

    if (l->ks->active)
        return mauth_fail(l->err, MAUTH_UNAVAILABLE, "keystore: two active keys");
    buf_init(&bound);
    buf_init_secret(&pkcs8);
    bind_key(&bound, mauth_key_id(key->key), key->from_s, key->until_s, audiences);
    if (buf_ok(&bound))
        rc = unseal(l->seal, buf_slice(&bound), sealed, &pkcs8, l->err);
    else
        rc = mauth_fail(l->err, MAUTH_NO_MEMORY, "keystore: no memory");
    if (rc == MAUTH_OK)
        rc = signer_from_pkcs8(pkcs8.data, pkcs8.len, &l->ks->active, l->err);
    l->ks->active_until_s = key->until_s;
    buf_clear(&pkcs8);
    buf_clear(&bound);
    return rc;
}

static enum mauth_rc
load_key(struct loading *l, struct text value)
{
    size_t i = l->ks->count;
    struct trust_key *key = &l->ks->key[i];
    struct text audiences, spki, sealed;
    struct reader r;
    enum mauth_rc rc;
    uint8_t state;

    reader_init(&r, value.p, value.len);
    if (reader_u8(&r) != VERSION)
        r.failed = true;
    state = reader_u8(&r);
    key->from_s = (int64_t)reader_u64(&r);
    key->until_s = (int64_t)reader_u64(&r);
    audiences = reader_field(&r);
    spki = reader_field(&r);
    sealed = reader_field(&r);
    if (!reader_done(&r) || state > TRUST_REVOKED || i + 1 >= KEYS_MAX)
        return mauth_fail(l->err, MAUTH_UNAVAILABLE, "keystore: a damaged key record");
    key->state = (enum trust_state)state;
    rc = mauth_key_from_spki(spki.p, spki.len, &l->ks->owned[i], l->err);
    if (rc)
        return rc;
    key->key = l->ks->owned[i];
    l->ks->count++;
    if (!split_audiences(l->ks, i, audiences))
        return mauth_fail(l->err, MAUTH_NO_MEMORY, "keystore: no memory");
    if (key->state == TRUST_ACTIVE)
        return load_signer(l, key, audiences, sealed);
    return MAUTH_OK;
}

static bool
each_key(struct text name, struct text value, void *arg)
{
    struct loading *l = arg;

    (void)name;
    l->rc = load_key(l, value);
    return l->rc == MAUTH_OK;
}

/* The authority. */

static void
bind_authority(struct buf *b, const struct note_verifier *v, uint64_t epoch)
{
    buf_str(b, "meshauth authority");
    buf_field(b, v->name, strlen(v->name));
    buf_put(b, v->key, NOTE_KEY_BYTES);
    buf_u64(b, epoch);
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
    bind_authority(&bound, &a->verifier, a->epoch);
    rc = seal_up(seal, nonce, buf_slice(&bound), seed, &b, err);
    if (rc == MAUTH_OK && (!buf_ok(&b) || !buf_ok(&bound)))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "keystore: no memory");
    if (rc == MAUTH_OK) {
        store_key(&name, SPACE_AUTHORITY, NULL, 0);
        rc = kv_put(txn, store_key_text(&name), buf_slice(&b), err);
    }
    buf_clear(&bound);
    buf_clear(&b);
    return rc;
}

static enum mauth_rc
open_seed(struct loading *l, struct text sealed)
{
    struct keystore_authority *a = &l->ks->authority;
    struct buf bound, seed;
    enum mauth_rc rc;

    buf_init(&bound);
    buf_init_secret(&seed);
    bind_authority(&bound, &a->verifier, a->epoch);
    rc = unseal(l->seal, buf_slice(&bound), sealed, &seed, l->err);
    if (rc == MAUTH_OK && seed.len == NOTE_KEY_BYTES)
        memcpy(a->seed, seed.data, NOTE_KEY_BYTES);
    else if (rc == MAUTH_OK)
        rc = mauth_fail(l->err, MAUTH_UNAVAILABLE, "keystore: a damaged authority");
    buf_clear(&seed);
    buf_clear(&bound);
    return rc;
}

static enum mauth_rc
load_authority(struct kv_txn *txn, struct loading *l)
{
    struct keystore_authority *a = &l->ks->authority;
    char name[NOTE_NAME_MAX + 1] = "";
    struct text value, text, delegation, sealed;
    uint8_t key[NOTE_KEY_BYTES];
    struct store_key where;
    enum mauth_rc rc;
    struct reader r;

    store_key(&where, SPACE_AUTHORITY, NULL, 0);
    rc = kv_get(txn, store_key_text(&where), &value, l->err);
    if (rc)
        return mauth_fail(l->err, MAUTH_UNAVAILABLE, "keystore: there is no authority");
    reader_init(&r, value.p, value.len);
    if (reader_u8(&r) != VERSION)
        r.failed = true;
    a->epoch = reader_u64(&r);
    text = reader_field(&r);
    reader_copy(&r, key, sizeof(key));
    delegation = reader_field(&r);
    sealed = reader_field(&r);
    if (!reader_done(&r) || text.len > NOTE_NAME_MAX)
        return mauth_fail(l->err, MAUTH_UNAVAILABLE, "keystore: a damaged authority");
    memcpy(name, text.p, text.len);
    rc = note_verifier_make(name, key, &a->verifier, l->err);
    if (rc)
        return rc;
    l->ks->delegation = strndup(delegation.p, delegation.len);
    if (!l->ks->delegation)
        return mauth_fail(l->err, MAUTH_NO_MEMORY, "keystore: no memory");
    a->delegation = text_of(l->ks->delegation);
    return open_seed(l, sealed);
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
        rc = load_authority(txn, &l);
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
    for (size_t i = 0; i < KEYS_MAX; i++) {
        mauth_key_free(ks->owned[i]);
        free(ks->audiences[i]);
        free(ks->text[i]);
    }
    signer_free(ks->active);
    free(ks->delegation);
    mauth_wipe(&ks->authority, sizeof(ks->authority));
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
