#include "store/keystore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "keys/key.h"
#include "pkcs11/token_signer.h"
#include "store/authority.h"
#include "store/counter.h"
#include "store/key.h"
#include "store/signing_key.h"

enum {
    HEX = 2 * KEYSTORE_SEAL_BYTES
};

/* The seal key's file. */

static enum mauth_rc
parse_seal(const char *path, const struct buf *file, struct mauth_secret **out,
    struct mauth_err *err)
{
    uint8_t raw[KEYSTORE_SEAL_BYTES];
    enum mauth_rc rc;

    if (file->len != HEX + 1 || file->data[HEX] != '\n' ||
        !str_unhex((struct text){(const char *)file->data, HEX}, sizeof(raw), raw))
        return mauth_fail(err, MAUTH_MALFORMED,
            "%s: a seal key is 64 lower-case hex digits and a newline", path);
    rc = mauth_secret_new(raw, sizeof(raw), out, err);
    mauth_wipe(raw, sizeof(raw));
    return rc;
}

enum mauth_rc
keystore_seal_read(const char *path, struct mauth_secret **out, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    struct buf file;
    enum mauth_rc rc;

    *out = NULL;
    buf_init_secret(&file);
    rc = file_read_secret(path, HEX + 1, &file, &why);
    if (rc != MAUTH_OK) /* its absence is no answer to anything */
        rc = mauth_fail(
            err, rc == MAUTH_NOT_FOUND ? MAUTH_UNAVAILABLE : rc, "%s", why.text);
    if (rc == MAUTH_OK)
        rc = parse_seal(path, &file, out, err);
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

static enum mauth_rc
put_new(struct kv_txn *txn, const struct mauth_secret *seal,
    const struct signing_key *k, const uint8_t nonce[12], struct mauth_err *err)
{
    struct signing_key there;
    enum mauth_rc rc;

    signing_key_init(&there);
    rc = signing_key_find(txn, seal, mauth_key_id(k->key), &there, err);
    signing_key_clear(&there);
    if (rc == MAUTH_OK)
        return mauth_fail(
            err, MAUTH_CONFLICT, "keystore: there is a key %s", mauth_key_id(k->key));
    return rc == MAUTH_NOT_FOUND ? signing_key_put(txn, seal, k, nonce, err) : rc;
}

/* All but the key itself, which is set before. */
static enum mauth_rc
add(struct kv_txn *txn, const struct mauth_secret *seal, const struct keystore_key *key,
    struct signing_key *k, const uint8_t nonce[12], struct mauth_err *err)
{
    enum mauth_rc rc;

    k->state = key->state;
    k->from_s = key->from_s;
    k->until_s = key->until_s;
    k->active_s = key->state == TRUST_ACTIVE ? key->from_s : 0;
    k->created_s = key->created_s;
    if (strlen(key->audiences) > SIGNING_KEY_AUDIENCES)
        return mauth_fail(err, MAUTH_INVALID, "keystore: too long a list of audiences");
    snprintf(k->audiences, sizeof(k->audiences), "%s", key->audiences);
    rc = signing_key_complete(k, err);
    return rc ? rc : put_new(txn, seal, k, nonce, err);
}

enum mauth_rc
keystore_key_add(struct kv_txn *txn, const struct mauth_secret *seal,
    const struct keystore_key *key, struct text pkcs8, const uint8_t nonce[12],
    struct mauth_err *err)
{
    struct signing_key k;
    enum mauth_rc rc;

    signing_key_init(&k);
    buf_text(&k.pkcs8, pkcs8);
    if (buf_ok(&k.pkcs8))
        rc = add(txn, seal, key, &k, nonce, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "keystore: no memory");
    signing_key_clear(&k);
    return rc;
}

enum mauth_rc
keystore_token_add(struct kv_txn *txn, const struct mauth_secret *seal,
    const struct keystore_token *token, const uint8_t nonce[12], struct mauth_err *err)
{
    struct signing_key k;
    enum mauth_rc rc;

    if (strlen(token->uri) > PKCS11_URI_MAX)
        return mauth_fail(err, MAUTH_INVALID, "keystore: too long a URI");
    signing_key_init(&k);
    snprintf(k.token, sizeof(k.token), "%s", token->uri);
    rc = key_copy(token->public_half, &k.key, err);
    buf_text(&k.certificate, token->certificate);
    if (rc == MAUTH_OK && !buf_ok(&k.certificate))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "keystore: no memory");
    if (rc == MAUTH_OK)
        rc = add(txn, seal, &token->key, &k, nonce, err);
    signing_key_clear(&k);
    return rc;
}

/* The snapshot. */

struct keystore {
    struct trust_key key[KEYSTORE_KEYS];
    char *audiences[KEYSTORE_KEYS]; /* what the keys' audiences point into */
    struct buf certificate[KEYSTORE_KEYS];
    struct keystore_signer active[KEYSTORE_KEYS];
    struct trust_place listed[KEYSTORE_KEYS];
    size_t count;
    struct keystore_authority authority;
};

static bool
is_active(const struct keystore *ks, size_t i)
{
    return ks->key[i].state == TRUST_ACTIVE;
}

/* One key signs for the same audiences. */
static bool
is_second(const struct keystore *ks, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (is_active(ks, k) && strcmp(ks->audiences[k], ks->audiences[i]) == 0)
            return true;
    return false;
}

static enum mauth_rc
make_signer(const struct signing_key *k, const struct mauth_key *key,
    struct signer **out, struct mauth_err *err)
{
    if (k->token[0])
        return token_signer_new(text_of(k->token), key, out, err);
    return signer_from_pkcs8(k->pkcs8.data, k->pkcs8.len, out, err);
}

/* Its private half stays with it, if it signs. */
static enum mauth_rc
take_signer(
    struct keystore *ks, size_t i, const struct signing_key *k, struct mauth_err *err)
{
    struct signer *signer = NULL;
    enum mauth_rc rc = MAUTH_OK;

    if (!is_active(ks, i))
        return MAUTH_OK;
    if (is_second(ks, i))
        return mauth_fail(err, MAUTH_UNAVAILABLE, "keystore: two active keys");
    rc = make_signer(k, ks->key[i].key, &signer, err);
    ks->active[i] = (struct keystore_signer){
        .signer = signer, .from_s = ks->key[i].from_s, .until_s = ks->key[i].until_s};
    return rc;
}

/*
 * Every key must open, though only an active one signs: so the trust file lists no key
 * but those that somebody with the seal put there.
 */
static enum mauth_rc
load_key(struct signing_key *k, void *arg, struct mauth_err *err)
{
    struct keystore *ks = arg;
    size_t i = ks->count;
    enum mauth_rc rc;

    if (i == KEYSTORE_KEYS)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "keystore: too many keys");
    ks->audiences[i] = strdup(k->audiences);
    if (!ks->audiences[i])
        return mauth_fail(err, MAUTH_NO_MEMORY, "keystore: no memory");
    ks->count++;
    ks->key[i].key = k->key;
    k->key = NULL;
    ks->certificate[i] = k->certificate;
    buf_init(&k->certificate);
    ks->key[i].state = k->state;
    ks->key[i].from_s = k->from_s;
    ks->key[i].until_s = k->until_s;
    ks->listed[i] = k->listed;
    rc = trust_key_set_audiences(&ks->key[i], text_of(ks->audiences[i]), err);
    return rc ? rc : take_signer(ks, i, k, err);
}

enum mauth_rc
keystore_load(struct kv_txn *txn, const struct mauth_secret *seal,
    struct keystore **out, struct mauth_err *err)
{
    struct keystore *ks = calloc(1, sizeof(*ks));
    bool suspended = true;
    enum mauth_rc rc;

    *out = NULL;
    if (!ks)
        return mauth_fail(err, MAUTH_NO_MEMORY, "keystore: no memory");
    rc = authority_is_suspended(txn, &suspended, err);
    if (rc == MAUTH_OK && suspended)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE,
            "the store was restored from a backup, and waits for another authority: "
            "`meshauth authority renew`");
    if (rc == MAUTH_OK)
        rc = signing_key_each(txn, seal, load_key, ks, err);
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
    union {
        const struct signer *borrowed;
        struct signer *owned;
    } signer;

    if (!ks)
        return;
    for (size_t i = 0; i < KEYSTORE_KEYS; i++) {
        trust_key_clear(&ks->key[i]);
        free(ks->audiences[i]);
        buf_clear(&ks->certificate[i]);
        signer.borrowed = ks->active[i].signer;
        signer_free(signer.owned);
    }
    authority_clear(&ks->authority);
    free(ks);
}

static bool
is_for(const struct trust_key *key, const struct text *audience, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool found = key->all_audiences;

        for (size_t k = 0; k < key->audiences && !found; k++)
            found = text_equal(key->audience[k], audience[i]);
        if (!found)
            return false;
    }
    return true;
}

const struct keystore_signer *
keystore_signer(const struct keystore *ks, const struct text *audience, size_t count)
{
    const struct keystore_signer *any = NULL;

    for (size_t i = 0; i < ks->count; i++) {
        if (!is_active(ks, i) || !is_for(&ks->key[i], audience, count))
            continue;
        if (!ks->key[i].all_audiences)
            return &ks->active[i];
        any = &ks->active[i];
    }
    return any;
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

bool
keystore_is_listed(const struct keystore *ks, size_t i)
{
    return i < ks->count && (ks->listed[i].epoch || ks->listed[i].sequence);
}

struct text
keystore_certificate(const struct keystore *ks, size_t i)
{
    return i < ks->count ? buf_slice(&ks->certificate[i]) : text_of(NULL);
}

enum mauth_rc
keystore_ready(const struct keystore *ks, size_t i, struct mauth_err *err)
{
    return i < ks->count && is_active(ks, i) ? signer_ready(ks->active[i].signer, err)
                                             : MAUTH_OK;
}

const struct keystore_authority *
keystore_authority(const struct keystore *ks)
{
    return &ks->authority;
}

enum mauth_rc
keystore_next_sequence(struct kv_txn *txn, uint64_t *out, struct mauth_err *err)
{
    return counter_next(txn, SPACE_TRUST_SEQUENCE, out, err);
}
