#include "authsvc/documents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/issue.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/time.h"
#include "jose/jwks.h"
#include "saml/descriptor.h"
#include "store/audit.h"
#include "store/metadata_key.h"

enum {
    ETAG_BYTES = 8, /* of the hash */
    ETAG = 2 * ETAG_BYTES + 3,
    ID_RANDOM = 16,
    METADATA_ID = 2 * ID_RANDOM + 2
};

/* One of them, as it is sent. */
struct sheet {
    struct buf text;
    char etag[ETAG];
};

struct documents {
    struct kv *kv;
    const struct mauth_secret *seal;
    const char *issuer;
    struct shared *sheet[DOCUMENTS];
    char *listed;   /* the key set of the last metadata */
    int64_t sign_s; /* when that is signed again */
};

/* The keys that verify. */
struct listing {
    struct jwks_entry jwk[KEYSTORE_KEYS];
    struct descriptor_key saml[KEYSTORE_KEYS];
    size_t count;
};

static void
free_sheet(void *object)
{
    struct sheet *s = object;

    if (!s)
        return;
    buf_clear(&s->text);
    free(s);
}

/* The metadata key. */

struct making {
    const struct documents *d;
    struct metadata_key key;
    uint8_t nonce[12];
    uint8_t salt[AUDIT_SALT];
};

static enum mauth_rc
read_key(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct making *m = arg;

    return metadata_key_read(txn, m->d->seal, &m->key, err);
}

static enum mauth_rc
put_key(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct making *m = arg;
    const struct audit_record record = {
        .time_us = time_now_us(),
        .actor = "meshauthd",
        .action = "metadata-key.create",
        .outcome = "done",
        .key = m->key.id,
    };
    enum mauth_rc rc = metadata_key_put(txn, m->d->seal, &m->key, m->nonce, err);

    return rc ? rc : audit_append_record(txn, &record, m->salt, err);
}

/* Nobody else has the store open. */
static enum mauth_rc
ensure_key(const struct documents *d, struct mauth_err *err)
{
    struct making m = {.d = d};
    enum mauth_rc rc;

    metadata_key_init(&m.key);
    rc = kv_read(d->kv, read_key, &m, err);
    if (rc == MAUTH_NOT_FOUND) {
        rc = metadata_key_make(&m.key, time_now_s(), err);
        if (rc == MAUTH_OK)
            rc = mauth_random(m.nonce, sizeof(m.nonce), err);
        if (rc == MAUTH_OK)
            rc = mauth_random(m.salt, sizeof(m.salt), err);
        if (rc == MAUTH_OK)
            rc = kv_write(d->kv, put_key, &m, err);
    }
    metadata_key_clear(&m.key);
    return rc;
}

enum mauth_rc
documents_open(struct kv *kv, const struct mauth_secret *seal, const char *issuer,
    struct documents **out, struct mauth_err *err)
{
    struct documents *d = calloc(1, sizeof(*d));
    enum mauth_rc rc = MAUTH_OK;

    *out = NULL;
    if (!d)
        return mauth_fail(err, MAUTH_NO_MEMORY, "documents: no memory");
    d->kv = kv;
    d->seal = seal;
    d->issuer = issuer;
    for (size_t i = 0; i < DOCUMENTS && rc == MAUTH_OK; i++)
        rc = shared_new(free_sheet, &d->sheet[i], err);
    if (rc == MAUTH_OK)
        rc = ensure_key(d, err);
    if (rc != MAUTH_OK) {
        documents_close(d);
        return rc;
    }
    *out = d;
    return MAUTH_OK;
}

void
documents_close(struct documents *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < DOCUMENTS; i++)
        shared_free(d->sheet[i]);
    free(d->listed);
    free(d);
}

/* Making them. */

static void
list_keys(const struct keystore *keys, int64_t now_s, struct listing *out)
{
    out->count = 0;
    for (size_t i = 0; i < keystore_count(keys); i++) {
        const struct trust_key *k = keystore_at(keys, i);
        const char *id = mauth_key_id(k->key);

        if (k->state == TRUST_REVOKED || now_s >= k->until_s)
            continue;
        out->jwk[out->count] =
            (struct jwks_entry){k->key, id, keystore_certificate(keys, i)};
        out->saml[out->count] =
            (struct descriptor_key){id, out->jwk[out->count].certificate};
        out->count++;
    }
}

/* Takes the text. */
static enum mauth_rc
wrap(struct shared *place, struct buf *text, struct shared_ref **out,
    struct mauth_err *err)
{
    struct sheet *s = calloc(1, sizeof(*s));
    uint8_t hash[HASH_LEN];
    enum mauth_rc rc;

    if (!s)
        return mauth_fail(err, MAUTH_NO_MEMORY, "documents: no memory");
    s->text = *text;
    buf_init(text);
    rc = hash_bytes(s->text.data, s->text.len, hash, err);
    if (rc == MAUTH_OK) {
        char hex[2 * ETAG_BYTES + 1];

        str_hex(hash, ETAG_BYTES, hex);
        snprintf(s->etag, sizeof(s->etag), "\"%s\"", hex);
        rc = shared_wrap(place, s, out, err);
    }
    if (rc != MAUTH_OK)
        free_sheet(s);
    return rc;
}

static enum mauth_rc
write_metadata(const struct documents *d, const struct listing *l, int64_t now_s,
    struct buf *out, struct mauth_err *err)
{
    char endpoint[ISSUE_URL_MAX], id[METADATA_ID] = "_";
    const struct descriptor what = {.issuer = d->issuer,
        .endpoint = endpoint,
        .id = id,
        .valid_until_s = now_s + DOCUMENTS_METADATA_LIFE_S,
        .cache_s = DOCUMENTS_METADATA_CACHE_S,
        .key = l->saml,
        .keys = l->count};
    struct making m = {.d = d};
    uint8_t random[ID_RANDOM];
    enum mauth_rc rc;

    metadata_key_init(&m.key);
    snprintf(endpoint, sizeof(endpoint), "%s/v1/token", d->issuer);
    rc = mauth_random(random, sizeof(random), err);
    str_hex(random, sizeof(random), id + 1);
    if (rc == MAUTH_OK)
        rc = kv_read(d->kv, read_key, &m, err);
    if (rc == MAUTH_OK)
        rc = descriptor_write(
            &what, buf_slice(&m.key.pkcs8), buf_slice(&m.key.certificate), out, err);
    metadata_key_clear(&m.key);
    return rc;
}

/* Both together: nobody finds a key in the one that is not in the other for long. */
static enum mauth_rc
replace(struct documents *d, struct buf text[DOCUMENTS], struct mauth_err *err)
{
    struct shared_ref *made[DOCUMENTS] = {NULL};
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < DOCUMENTS && rc == MAUTH_OK; i++)
        rc = wrap(d->sheet[i], &text[i], &made[i], err);
    for (size_t i = 0; i < DOCUMENTS; i++)
        if (rc == MAUTH_OK)
            shared_put(d->sheet[i], made[i]);
        else
            shared_drop(made[i]);
    return rc;
}

enum mauth_rc
documents_refresh(struct documents *d, const struct keystore *keys, int64_t now_s,
    struct mauth_err *err)
{
    struct buf text[DOCUMENTS];
    struct listing listing;
    char *jwks = NULL;
    enum mauth_rc rc;

    for (size_t i = 0; i < DOCUMENTS; i++)
        buf_init(&text[i]);
    list_keys(keys, now_s, &listing);
    rc = jwks_write(listing.jwk, listing.count, &jwks, err);
    if (rc != MAUTH_OK ||
        (d->listed && now_s < d->sign_s && strcmp(jwks, d->listed) == 0))
        goto out;
    buf_str(&text[DOCUMENT_JWKS], jwks);
    if (!buf_ok(&text[DOCUMENT_JWKS]))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "documents: no memory");
    if (rc == MAUTH_OK)
        rc = write_metadata(d, &listing, now_s, &text[DOCUMENT_METADATA], err);
    if (rc == MAUTH_OK)
        rc = replace(d, text, err);
    if (rc != MAUTH_OK)
        goto out;
    free(d->listed);
    d->listed = jwks;
    jwks = NULL; /* kept */
    d->sign_s = now_s + DOCUMENTS_METADATA_SIGN_S;
out:
    for (size_t i = 0; i < DOCUMENTS; i++)
        buf_clear(&text[i]);
    free(jwks);
    return rc;
}

/* Reading them. */

enum mauth_rc
documents_take(struct documents *d, enum document which, struct shared_ref **out,
    struct mauth_err *err)
{
    *out = shared_take(d->sheet[which]);
    return *out ? MAUTH_OK
                : mauth_fail(err, MAUTH_UNAVAILABLE, "documents: none was made yet");
}

struct text
documents_text(const struct shared_ref *ref)
{
    const struct sheet *s = shared_object(ref);

    return buf_slice(&s->text);
}

const char *
documents_etag(const struct shared_ref *ref)
{
    return ((const struct sheet *)shared_object(ref))->etag;
}
