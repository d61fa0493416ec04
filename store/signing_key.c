#include "store/signing_key.h"

#include <string.h>

#include "base/fail.h"
#include "base/fault.h"
#include "base/str.h"
#include "keys/key.h"
#include "keys/key_certificate.h"
#include "keys/signer.h"
#include "store/counter.h"
#include "store/key.h"
#include "store/seal.h"

/* What its secret is sealed as. */
#define KIND "meshauth signing key"

enum {
    VERSION = 2
};

/* Sealed in the place of a private half that was destroyed. */
static const struct text nothing = {"-", 1};

void
signing_key_init(struct signing_key *k)
{
    memset(k, 0, sizeof(*k));
    buf_init(&k->certificate);
    buf_init_secret(&k->pkcs8);
}

void
signing_key_clear(struct signing_key *k)
{
    mauth_key_free(k->key);
    buf_clear(&k->certificate);
    buf_clear(&k->pkcs8);
    signing_key_init(k);
}

/* Could a trust file say this? A key of which it cannot would end all publishing. */
static enum mauth_rc
check(const struct signing_key *k, struct mauth_err *err)
{
    struct trust_key listed = {
        .state = k->state, .from_s = k->from_s, .until_s = k->until_s};
    enum mauth_rc rc = trust_key_set_audiences(&listed, text_of(k->audiences), err);
    const char *flaw;

    if (rc != MAUTH_OK)
        return rc;
    flaw = trust_key_flaw(&listed);
    trust_key_clear(&listed);
    return flaw ? mauth_fail(err, MAUTH_INVALID, "keystore: %s", flaw) : MAUTH_OK;
}

/* The two halves belong together. */
static enum mauth_rc
check_halves(const struct signing_key *k, struct mauth_err *err)
{
    struct signer *signer = NULL;
    enum mauth_rc rc = signer_from_pkcs8(k->pkcs8.data, k->pkcs8.len, &signer, err);

    if (rc == MAUTH_OK && !key_equal(signer_key(signer), k->key))
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "keystore: halves that do not fit");
    signer_free(signer);
    return rc;
}

/* Of a key in a token the record has the public half, and where the other one is. */
static enum mauth_rc
check_token(const struct signing_key *k, struct mauth_err *err)
{
    struct pkcs11_uri uri;

    if (!k->key || !k->certificate.len || k->pkcs8.len)
        return mauth_fail(err, MAUTH_INVALID,
            "keystore: of a key in a token the public half is stored, and no other");
    return pkcs11_uri_parse(text_of(k->token), &uri, err) == MAUTH_OK ? MAUTH_OK
                                                                      : MAUTH_INVALID;
}

enum mauth_rc
signing_key_complete(struct signing_key *k, struct mauth_err *err)
{
    struct signer *signer = NULL;
    enum mauth_rc rc = check(k, err);

    if (rc == MAUTH_OK && k->token[0])
        return check_token(k, err);
    if (rc == MAUTH_OK)
        rc = signer_from_pkcs8(k->pkcs8.data, k->pkcs8.len, &signer, err);
    if (rc != MAUTH_OK)
        return rc;
    rc = key_copy(signer_key(signer), &k->key, err);
    if (rc == MAUTH_OK)
        rc = key_certificate_make(signer, k->from_s, k->until_s, &k->certificate, err);
    signer_free(signer);
    return rc;
}

/* The record: all that is open, and what is sealed and bound to that. */

static void
write_open(const struct signing_key *k, struct buf *out)
{
    size_t spki_len;
    const uint8_t *spki = mauth_key_spki(k->key, &spki_len);

    buf_u8(out, VERSION);
    buf_u8(out, (uint8_t)k->state);
    buf_u64(out, (uint64_t)k->from_s);
    buf_u64(out, (uint64_t)k->until_s);
    buf_u64(out, (uint64_t)k->active_s);
    buf_u64(out, (uint64_t)k->retires_s);
    buf_u64(out, (uint64_t)k->created_s);
    buf_u64(out, (uint64_t)k->longest_s);
    buf_field(out, k->audiences, strlen(k->audiences));
    buf_field(out, spki, spki_len);
    buf_u64(out, k->listed.epoch);
    buf_u64(out, k->listed.sequence);
    buf_field(out, k->certificate.data, k->certificate.len);
    buf_field(out, k->token, strlen(k->token));
}

static bool
read_audiences(struct text t, struct signing_key *k)
{
    if (t.len > SIGNING_KEY_AUDIENCES || !t.len || memchr(t.p, '\0', t.len))
        return false;
    memcpy(k->audiences, t.p, t.len);
    k->audiences[t.len] = '\0';
    return true;
}

static bool
read_token(struct text t, struct signing_key *k)
{
    if (t.len > PKCS11_URI_MAX || (t.len && memchr(t.p, '\0', t.len)))
        return false;
    if (t.len)
        memcpy(k->token, t.p, t.len);
    k->token[t.len] = '\0';
    return true;
}

static enum mauth_rc
damaged(struct mauth_err *err)
{
    return mauth_fail(err, MAUTH_UNAVAILABLE, "keystore: a damaged key record");
}

enum mauth_rc
signing_key_read(const struct mauth_secret *seal, struct text id, struct text record,
    struct signing_key *k, struct mauth_err *err)
{
    struct text open = {record.p, 0}, audiences, spki, certificate, token, sealed;
    struct reader r;
    enum mauth_rc rc;
    uint8_t state;

    reader_init(&r, record.p, record.len);
    if (reader_u8(&r) != VERSION)
        r.failed = true;
    state = reader_u8(&r);
    k->from_s = (int64_t)reader_u64(&r);
    k->until_s = (int64_t)reader_u64(&r);
    k->active_s = (int64_t)reader_u64(&r);
    k->retires_s = (int64_t)reader_u64(&r);
    k->created_s = (int64_t)reader_u64(&r);
    k->longest_s = (int64_t)reader_u64(&r);
    audiences = reader_field(&r);
    spki = reader_field(&r);
    k->listed.epoch = reader_u64(&r);
    k->listed.sequence = reader_u64(&r);
    certificate = reader_field(&r);
    token = reader_field(&r);
    open.len = record.len - r.left;
    sealed = reader_field(&r);
    if (!reader_done(&r) || state > TRUST_REVOKED || !read_audiences(audiences, k) ||
        !read_token(token, k))
        return damaged(err);
    k->state = (enum trust_state)state;
    rc = mauth_key_from_spki(spki.p, spki.len, &k->key, err);
    if (rc != MAUTH_OK)
        return rc;
    if (!text_is(id, mauth_key_id(k->key)))
        return mauth_fail(err, MAUTH_UNAVAILABLE, "keystore: a key under another id");
    buf_text(&k->certificate, certificate);
    if (!buf_ok(&k->certificate))
        return mauth_fail(err, MAUTH_NO_MEMORY, "keystore: no memory");
    rc = seal_unwrap(seal, text_of(KIND), open, sealed, &k->pkcs8, err);
    if (rc == MAUTH_OK && text_equal(buf_slice(&k->pkcs8), nothing)) {
        buf_rewind(&k->pkcs8);
        return k->state == TRUST_REVOKED || k->token[0] ? MAUTH_OK : damaged(err);
    }
    if (rc == MAUTH_OK && k->token[0])
        return damaged(err); /* it has two private halves */
    return rc == MAUTH_OK ? check_halves(k, err) : rc;
}

static void
name_of(const char *id, struct store_key *name)
{
    store_key(name, SPACE_SIGNING_KEY, id, strlen(id));
}

enum mauth_rc
signing_key_find(struct kv_txn *txn, const struct mauth_secret *seal, const char *id,
    struct signing_key *k, struct mauth_err *err)
{
    struct store_key name;
    struct text record;
    enum mauth_rc rc;

    name_of(id, &name);
    rc = kv_get(txn, store_key_text(&name), &record, err);
    return rc ? rc : signing_key_read(seal, text_of(id), record, k, err);
}

enum mauth_rc
signing_key_serial(struct kv_txn *txn, uint64_t *out, struct mauth_err *err)
{
    return counter_read(txn, SPACE_KEYS_SERIAL, out, err);
}

static enum mauth_rc
count_change(struct kv_txn *txn, struct mauth_err *err)
{
    uint64_t n;

    return counter_next(txn, SPACE_KEYS_SERIAL, &n, err);
}

enum mauth_rc
signing_key_put(struct kv_txn *txn, const struct mauth_secret *seal,
    const struct signing_key *k, const uint8_t nonce[12], struct mauth_err *err)
{
    struct text secret = k->pkcs8.len ? buf_slice(&k->pkcs8) : nothing;
    struct store_key name;
    struct buf record;
    enum mauth_rc rc;

    buf_init(&record);
    write_open(k, &record);
    rc = seal_wrap(seal, nonce, text_of(KIND), secret, &record, err);
    name_of(mauth_key_id(k->key), &name);
    if (rc == MAUTH_OK)
        rc = kv_put(txn, store_key_text(&name), buf_slice(&record), err);
    fault_point("key.put");
    if (rc == MAUTH_OK)
        rc = count_change(txn, err);
    buf_clear(&record);
    return rc;
}

enum mauth_rc
signing_key_delete(
    struct kv_txn *txn, const struct signing_key *k, struct mauth_err *err)
{
    struct store_key name;
    enum mauth_rc rc;

    name_of(mauth_key_id(k->key), &name);
    rc = kv_delete(txn, store_key_text(&name), err);
    return rc ? rc : count_change(txn, err);
}

/* All of them. */

struct walk {
    const struct mauth_secret *seal;
    signing_key_fn *fn;
    void *arg;
    enum mauth_rc rc;
    struct mauth_err *err;
};

static bool
visit(struct text name, struct text record, void *arg)
{
    struct walk *w = arg;
    struct text id = {name.p + 1, name.len - 1}; /* behind the space */
    struct signing_key k;

    signing_key_init(&k);
    w->rc = signing_key_read(w->seal, id, record, &k, w->err);
    if (w->rc == MAUTH_OK)
        w->rc = w->fn(&k, w->arg, w->err);
    signing_key_clear(&k);
    return w->rc == MAUTH_OK;
}

enum mauth_rc
signing_key_each(struct kv_txn *txn, const struct mauth_secret *seal,
    signing_key_fn *fn, void *arg, struct mauth_err *err)
{
    struct walk w = {.seal = seal, .fn = fn, .arg = arg, .err = err};
    struct store_key first, end;
    enum mauth_rc rc;

    store_key_bounds(&first, &end, SPACE_SIGNING_KEY);
    rc = kv_scan(
        txn, store_key_text(&first), store_key_text(&end), KV_UP, visit, &w, err);
    return rc ? rc : w.rc;
}
