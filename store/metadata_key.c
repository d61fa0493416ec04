#include "store/metadata_key.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "keys/key_certificate.h"
#include "store/key.h"
#include "store/seal.h"

/* What its secret is sealed as. */
#define KIND "meshauth metadata key"

enum {
    VERSION = 1
};

void
metadata_key_init(struct metadata_key *k)
{
    memset(k, 0, sizeof(*k));
    buf_init(&k->certificate);
    buf_init_secret(&k->pkcs8);
}

void
metadata_key_clear(struct metadata_key *k)
{
    buf_clear(&k->certificate);
    buf_clear(&k->pkcs8);
    metadata_key_init(k);
}

enum mauth_rc
metadata_key_make(struct metadata_key *k, int64_t now_s, struct mauth_err *err)
{
    struct signer *signer = NULL;
    enum mauth_rc rc = signer_generate(SIGNER_P256, &k->pkcs8, err);

    if (rc == MAUTH_OK)
        rc = signer_from_pkcs8(k->pkcs8.data, k->pkcs8.len, &signer, err);
    if (rc == MAUTH_OK)
        rc = key_certificate_make(signer, now_s, TIME_MAX_S, &k->certificate, err);
    if (rc == MAUTH_OK)
        snprintf(k->id, sizeof(k->id), "%s", mauth_key_id(signer_key(signer)));
    signer_free(signer);
    return rc;
}

static void
name_of(struct store_key *name)
{
    store_key(name, SPACE_METADATA_KEY, NULL, 0);
}

enum mauth_rc
metadata_key_put(struct kv_txn *txn, const struct mauth_secret *seal,
    const struct metadata_key *k, const uint8_t nonce[12], struct mauth_err *err)
{
    struct store_key name;
    struct buf record;
    enum mauth_rc rc;

    buf_init(&record);
    buf_u8(&record, VERSION);
    buf_put(&record, k->id, MAUTH_KEY_ID_LEN);
    buf_field(&record, k->certificate.data, k->certificate.len);
    rc = seal_wrap(seal, nonce, text_of(KIND), buf_slice(&k->pkcs8), &record, err);
    name_of(&name);
    if (rc == MAUTH_OK)
        rc = kv_put(txn, store_key_text(&name), buf_slice(&record), err);
    buf_clear(&record);
    return rc;
}

enum mauth_rc
metadata_key_read(struct kv_txn *txn, const struct mauth_secret *seal,
    struct metadata_key *k, struct mauth_err *err)
{
    struct text record, open, certificate, sealed;
    struct store_key name;
    struct reader r;
    enum mauth_rc rc;

    name_of(&name);
    rc = kv_get(txn, store_key_text(&name), &record, err);
    if (rc != MAUTH_OK)
        return rc;
    reader_init(&r, record.p, record.len);
    if (reader_u8(&r) != VERSION)
        r.failed = true;
    reader_copy(&r, k->id, MAUTH_KEY_ID_LEN);
    certificate = reader_field(&r);
    open = (struct text){record.p, record.len - r.left};
    sealed = reader_field(&r);
    if (!reader_done(&r))
        return mauth_fail(err, MAUTH_UNAVAILABLE, "metadata key: a damaged record");
    buf_text(&k->certificate, certificate);
    if (!buf_ok(&k->certificate))
        return mauth_fail(err, MAUTH_NO_MEMORY, "metadata key: no memory");
    return seal_unwrap(seal, text_of(KIND), open, sealed, &k->pkcs8, err);
}
