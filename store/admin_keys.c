#include "store/admin_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/fault.h"
#include "base/str.h"
#include "base/time.h"
#include "keys/key_certificate.h"
#include "pkcs11/token_signer.h"
#include "store/admin.h"
#include "store/key.h"
#include "store/keystore.h"

bool
admin_key_is_id(struct text id)
{
    return str_is_hex(id, MAUTH_KEY_ID_LEN);
}

/* Whom it is for. */

static int
compare(const void *a, const void *b)
{
    const struct text *x = a, *y = b;

    return text_compare(*x, *y);
}

static enum mauth_rc
check_audiences(const struct text *sorted, size_t count, struct mauth_err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!str_is_uri(sorted[i]) || memchr(sorted[i].p, ',', sorted[i].len))
            return mauth_fail(
                err, MAUTH_INVALID, "An audience is a URI without a comma.");
        if (i && text_equal(sorted[i], sorted[i - 1]))
            return mauth_fail(err, MAUTH_INVALID, "An audience stands twice.");
    }
    return MAUTH_OK;
}

static enum mauth_rc
too_many_audiences(struct mauth_err *err)
{
    return mauth_fail(err, MAUTH_INVALID,
        "A key is for %d audiences at most, of %d characters together.",
        (int)TRUST_AUDIENCES_MAX, (int)SIGNING_KEY_AUDIENCES);
}

enum mauth_rc
admin_key_set_audiences(struct admin_key *k, const struct text *audience, size_t count,
    struct mauth_err *err)
{
    struct text sorted[TRUST_AUDIENCES_MAX];
    enum mauth_rc rc;
    struct buf list;

    k->audiences[0] = '\0';
    if (count > TRUST_AUDIENCES_MAX)
        return too_many_audiences(err);
    if (!count)
        return MAUTH_OK;
    memcpy(sorted, audience, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), compare);
    rc = check_audiences(sorted, count, err);
    if (rc != MAUTH_OK)
        return rc;
    buf_init_fixed(&list, k->audiences, sizeof(k->audiences));
    for (size_t i = 0; i < count; i++) {
        buf_str(&list, i ? "," : "");
        buf_text(&list, sorted[i]);
    }
    buf_u8(&list, '\0');
    if (buf_ok(&list))
        return MAUTH_OK;
    k->audiences[0] = '\0';
    return too_many_audiences(err);
}

/* A change. */

static enum mauth_rc
make_key(struct admin_key *k, struct mauth_err *err)
{
    struct signer *signer = NULL;
    enum mauth_rc rc;

    buf_rewind(k->pkcs8);
    rc = signer_generate(k->kind, k->pkcs8, err);
    if (rc == MAUTH_OK)
        rc = signer_from_pkcs8(k->pkcs8->data, k->pkcs8->len, &signer, err);
    if (rc == MAUTH_OK)
        snprintf(k->id, sizeof(k->id), "%s", mauth_key_id(signer_key(signer)));
    signer_free(signer);
    fault_point("key.made");
    return rc;
}

static enum mauth_rc
check_window(int64_t from_s, int64_t until_s, int64_t now_s, struct mauth_err *err)
{
    if (from_s < now_s - ADMIN_KEY_EARLY_S)
        return mauth_fail(err, MAUTH_INVALID, "A key cannot begin before it is made.");
    if (until_s <= from_s)
        return mauth_fail(err, MAUTH_INVALID, "A key ends after it begins.");
    if (until_s - from_s > ADMIN_KEY_LIFE_MAX_S)
        return mauth_fail(err, MAUTH_INVALID, "A key is good for ten years at most.");
    return MAUTH_OK;
}

/* A year, or as long as there are times. */
static int64_t
usual_end_s(int64_t from_s)
{
    return from_s < TIME_MAX_S - ADMIN_KEY_LIFE_S ? from_s + ADMIN_KEY_LIFE_S
                                                  : TIME_MAX_S;
}

/* What is wished for, all but the key. */
static enum mauth_rc
read_wish(const struct admin_change *c, struct keystore_key *out, struct mauth_err *err)
{
    const struct admin_key *k = &c->key;
    int64_t from_s = k->from_s ? k->from_s : c->now_s;

    *out = (struct keystore_key){
        .state = TRUST_NEXT,
        .from_s = from_s,
        .until_s = k->until_s ? k->until_s : usual_end_s(from_s),
        .audiences = k->audiences[0] ? k->audiences : "*",
        .created_s = c->now_s,
    };
    return check_window(out->from_s, out->until_s, c->now_s, err);
}

/* A module runs in our process: only those that the configuration names. */
static enum mauth_rc
check_module(const struct admin_key *k, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    struct pkcs11_uri uri;

    if (pkcs11_uri_parse(text_of(k->token), &uri, &why) != MAUTH_OK)
        return mauth_fail(err, MAUTH_INVALID, "%s", why.text);
    for (size_t i = 0; i < k->modules; i++)
        if (strcmp(k->module[i], uri.module) == 0)
            return MAUTH_OK;
    return mauth_fail(err, MAUTH_INVALID,
        "The module is none of pkcs11_modules in the service's configuration.");
}

/* What is stored of it; the key signs its certificate. */
static enum mauth_rc
take_signer(struct admin_key *k, const struct signer *signer,
    const struct keystore_key *wish, struct mauth_err *err)
{
    const uint8_t *spki = mauth_key_spki(signer_key(signer), &k->spki_len);
    struct buf certificate;
    enum mauth_rc rc;

    memcpy(k->spki, spki, k->spki_len);
    snprintf(k->id, sizeof(k->id), "%s", mauth_key_id(signer_key(signer)));
    buf_init_fixed(&certificate, k->certificate, sizeof(k->certificate));
    rc = key_certificate_make(signer, wish->from_s, wish->until_s, &certificate, err);
    k->certificate_len = certificate.len;
    return rc;
}

static enum mauth_rc
find_in_token(struct admin_change *c, struct mauth_err *err)
{
    struct admin_key *k = &c->key;
    struct mauth_err why = MAUTH_ERR_INIT;
    struct signer *signer = NULL;
    struct keystore_key wish;
    enum mauth_rc rc = check_module(k, err);

    if (rc == MAUTH_OK)
        rc = read_wish(c, &wish, err);
    if (rc != MAUTH_OK)
        return rc;
    rc = token_signer_find(text_of(k->token), &signer, &why);
    if (rc == MAUTH_OK)
        rc = take_signer(k, signer, &wish, &why);
    signer_free(signer);
    if (rc == MAUTH_OK)
        return MAUTH_OK;
    return mauth_fail(
        err, rc == MAUTH_UNAVAILABLE ? MAUTH_INVALID : rc, "%s", why.text);
}

enum mauth_rc
admin_key_ready(struct admin_change *c, struct mauth_err *err)
{
    struct admin_key *k = &c->key;
    enum mauth_rc rc;

    k->life.seal = k->seal;
    k->life.now_s = c->now_s;
    k->life.longest_s = k->longest_s;
    rc = key_change_ready(&k->life, err);
    if (rc != MAUTH_OK || c->op != ADMIN_KEY_PREPARE || !k->pkcs8)
        return rc;
    return k->token[0] ? find_in_token(c, err) : make_key(k, err);
}

struct trial {
    const struct admin_change *c;
    struct signing_key found;
};

static enum mauth_rc
find_whom(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct trial *t = arg;

    signing_key_clear(&t->found);
    return signing_key_find(txn, t->c->key.seal, t->c->whom, &t->found, err);
}

static enum mauth_rc
try_token(const struct signing_key *k, struct mauth_err *err)
{
    struct signer *signer = NULL;
    enum mauth_rc rc = token_signer_new(text_of(k->token), k->key, &signer, err);
    uint8_t raw[KEY_SIGNATURE_MAX];
    const struct text trial = text_of("meshauth: may this key be made active?");
    size_t len;

    if (rc == MAUTH_OK)
        rc = signer_sign(signer, &trial, 1, raw, &len, err);
    signer_free(signer);
    return rc;
}

enum mauth_rc
admin_key_try(struct kv *kv, struct admin_change *c, struct mauth_err *err)
{
    struct trial t = {.c = c};
    enum mauth_rc rc;

    c->key.away = (struct mauth_err)MAUTH_ERR_INIT;
    if (c->op != ADMIN_KEY_ACTIVATE || c->key.force ||
        !admin_key_is_id(text_of(c->whom)))
        return MAUTH_OK;
    signing_key_init(&t.found);
    rc = kv_read(kv, find_whom, &t, err);
    if (rc == MAUTH_OK && t.found.token[0] && t.found.state != TRUST_ACTIVE &&
        t.found.state != TRUST_REVOKED)
        (void)try_token(&t.found, &c->key.away);
    signing_key_clear(&t.found);
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    mauth_err_reset(err); /* who changes it will say so */
    return MAUTH_OK;
}

/* What is there of it, as it is shown. */
static enum mauth_rc
look(struct kv_txn *txn, struct admin_key *k, const char *id, struct mauth_err *err)
{
    struct signing_key found;
    enum mauth_rc rc;

    signing_key_init(&found);
    rc = signing_key_find(txn, k->seal, id, &found, err);
    if (rc == MAUTH_OK)
        admin_key_take_view(&found, &k->view);
    signing_key_clear(&found);
    return rc;
}

enum mauth_rc
admin_key_find(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    c->key.life.other[0] = '\0';
    c->key.is_lacking = false;
    memset(&c->key.view, 0, sizeof(c->key.view));
    if (c->op == ADMIN_KEY_PREPARE)
        return MAUTH_OK;
    if (!admin_key_is_id(text_of(c->whom)))
        return MAUTH_NOT_FOUND;
    return look(txn, &c->key, c->whom, err);
}

static enum mauth_rc
count_one(struct signing_key *k, void *arg, struct mauth_err *err)
{
    size_t *count = arg;

    (void)k;
    (void)err;
    ++*count;
    return MAUTH_OK;
}

/* More could not be loaded. */
static enum mauth_rc
check_room(struct kv_txn *txn, const struct admin_key *k, struct mauth_err *err)
{
    size_t count = 0;
    enum mauth_rc rc = signing_key_each(txn, k->seal, count_one, &count, err);

    if (rc == MAUTH_OK && count >= KEYSTORE_KEYS)
        rc = mauth_fail(err, MAUTH_CONFLICT,
            "There are %d keys, as many as there may be; revoked ones leave when their "
            "time is over.",
            (int)KEYSTORE_KEYS);
    return rc;
}

static enum mauth_rc
add_token(struct kv_txn *txn, const struct admin_key *k,
    const struct keystore_key *wish, struct mauth_err *err)
{
    struct mauth_key *key = NULL;
    enum mauth_rc rc = mauth_key_from_spki(k->spki, k->spki_len, &key, err);
    const struct keystore_token token = {
        *wish, k->token, key, {(const char *)k->certificate, k->certificate_len}};

    if (rc == MAUTH_OK)
        rc = keystore_token_add(txn, k->seal, &token, k->life.nonce[0], err);
    mauth_key_free(key);
    return rc;
}

/* What was made ready. */
static enum mauth_rc
add(struct kv_txn *txn, const struct admin_key *k, const struct keystore_key *wish,
    struct mauth_err *err)
{
    if (k->spki_len)
        return add_token(txn, k, wish, err);
    if (!k->pkcs8 || !k->pkcs8->len)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "key: none was made ready");
    return keystore_key_add(
        txn, k->seal, wish, buf_slice(k->pkcs8), k->life.nonce[0], err);
}

static enum mauth_rc
prepare(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    struct admin_key *k = &c->key;
    struct keystore_key wish;
    enum mauth_rc rc = read_wish(c, &wish, err);

    if (rc == MAUTH_OK)
        rc = check_room(txn, k, err);
    if (rc == MAUTH_OK)
        rc = add(txn, k, &wish, err);
    return rc ? rc : look(txn, k, k->id, err);
}

/* Do all who verify know it? One that signs, or never will, is judged elsewhere. */
static enum mauth_rc
check_ready(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    struct admin_key *k = &c->key;
    struct key_ready ready;
    enum mauth_rc rc;

    if (k->view.state == TRUST_ACTIVE || k->view.state == TRUST_REVOKED)
        return MAUTH_OK;
    rc = key_ready_take(txn, &k->reports, c->now_s, &ready, err);
    if (rc == MAUTH_OK) {
        rc = key_ready_check(&ready, k->view.listed, k->force ? NULL : err);
        k->is_lacking = rc == MAUTH_CONFLICT;
    }
    key_ready_clear(&ready);
    return k->is_lacking && k->force ? MAUTH_OK : rc;
}

static enum mauth_rc
activate(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    struct admin_key *k = &c->key;
    enum mauth_rc rc = check_ready(txn, c, err);
    bool changed;

    if (rc == MAUTH_OK && k->away.rc)
        rc = mauth_fail(
            err, MAUTH_CONFLICT, "The key does not sign now: %s.", k->away.text);
    if (rc != MAUTH_OK)
        return rc;
    rc = key_life_activate(txn, &k->life, c->whom, &changed, err);
    c->unchanged = rc == MAUTH_OK && !changed;
    return rc ? rc : look(txn, k, c->whom, err);
}

static enum mauth_rc
revoke(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    bool changed;
    enum mauth_rc rc = key_life_revoke(txn, &c->key.life, c->whom, &changed, err);

    c->unchanged = rc == MAUTH_OK && !changed;
    return rc ? rc : look(txn, &c->key, c->whom, err);
}

enum mauth_rc
admin_key_apply(struct kv_txn *txn, struct admin_change *c, struct mauth_err *err)
{
    if (c->op == ADMIN_KEY_PREPARE)
        return prepare(txn, c, err);
    return c->op == ADMIN_KEY_ACTIVATE ? activate(txn, c, err) : revoke(txn, c, err);
}

void
admin_key_on_record(const struct admin_change *c, struct audit_record *r)
{
    const struct admin_key *k = &c->key;

    r->key = k->view.id[0] ? k->view.id : c->whom;
    if (k->is_lacking && !r->reason)
        r->reason = "forced";
    if (r->key)
        r->resources[r->resource_count++] = r->key;
    if (c->op == ADMIN_KEY_PREPARE)
        r->resources[r->resource_count++] = k->audiences[0] ? k->audiences : "*";
    if (k->life.other[0])
        r->resources[r->resource_count++] = k->life.other;
}
