#include "cli/admin_store.h"

#include <stdio.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/fault.h"
#include "base/time.h"
#include "store/keystore.h"

/* What is there. */

struct reading {
    const struct admin *admin;
    const struct admin_question *q;
    struct mauth_secret *seal; /* for keys */
    struct buf json;
};

static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct reading *r = arg;
    const struct admin_question *q = r->q;
    const char *issuer = r->admin->config->issuer.url;
    const struct admin_keys_look keys = {r->seal, issuer, {NULL, 0}, time_now_s()};
    uint64_t version;

    buf_rewind(&r->json);
    if (q->kind == ADMIN_METADATA_KEY)
        return admin_view_metadata_key(txn, r->seal, &r->json, err);
    if (q->kind == ADMIN_KEYS && q->whom)
        return admin_view_key_of(txn, &keys, q->whom, &r->json, err);
    if (q->kind == ADMIN_KEYS)
        return admin_view_keys(txn, &keys, &r->json, err);
    if (q->sessions)
        return admin_view_sessions(txn, issuer, q->whom, q->after, 0, &r->json, err);
    if (q->whom)
        return admin_view_one(txn, q->kind, issuer, q->whom, &r->json, &version, err);
    return admin_view_list(txn, q->kind, issuer, q->after, 0, &r->json, err);
}

static enum mauth_rc
take_json(struct buf *b, json_t **out, struct mauth_err *err)
{
    *out = NULL;
    if (buf_ok(b) && !b->len)
        return MAUTH_OK; /* it is gone */
    if (buf_ok(b))
        *out = json_loadb((const char *)b->data, b->len, JSON_REJECT_DUPLICATES, NULL);
    return *out ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
}

enum mauth_rc
admin_store_look(const struct admin *a, const struct admin_question *q, json_t **out,
    struct mauth_err *err)
{
    struct reading r = {.admin = a, .q = q};
    enum mauth_rc rc = MAUTH_OK;
    struct kv *kv = NULL;

    *out = NULL;
    buf_init(&r.json);
    if (q->kind == ADMIN_KEYS || q->kind == ADMIN_METADATA_KEY)
        rc = keystore_seal_read(a->config->seal_key_file, &r.seal, err);
    if (rc == MAUTH_OK)
        rc = kv_open(a->config->store, KV_OPEN, &kv, err);
    if (rc == MAUTH_OK)
        rc = kv_read(kv, look, &r, err);
    if (rc == MAUTH_OK)
        rc = take_json(&r.json, out, err);
    kv_close(kv);
    mauth_secret_free(r.seal);
    buf_clear(&r.json);
    return rc;
}

/* Changes. */

struct writing {
    struct admin_change *change;
    const char *actor;
    enum mauth_rc refused; /* by the transaction, which has put that on record */
    struct mauth_err why;
};

static enum mauth_rc
change_store(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct writing *w = arg;
    const struct audit_record who = {.actor = w->actor, .client = "local"};
    const char *reason;
    enum mauth_rc rc;

    w->refused = MAUTH_OK;
    rc = admin_change_find(txn, w->change, err);
    if (rc == MAUTH_OK)
        rc = admin_change_apply(txn, w->change, err);
    if (rc == MAUTH_OK && w->change->unchanged)
        return MAUTH_OK;
    reason = rc ? admin_change_reason(w->change, rc) : NULL;
    if (rc && !reason)
        return rc;
    w->refused = rc;
    if (err && rc) {
        w->why = *err;
        mauth_err_reset(err);
    }
    return admin_change_record(txn, w->change, &who, reason, err);
}

static enum mauth_rc
refuse(const struct writing *w, struct mauth_err *err)
{
    if (w->refused == MAUTH_NOT_FOUND)
        return MAUTH_NOT_FOUND;
    return mauth_fail(err, w->refused == MAUTH_INVALID ? MAUTH_DENIED : w->refused,
        "%s", w->why.text);
}

static enum mauth_rc
change_it(
    const struct admin *a, struct admin_change *c, json_t **out, struct mauth_err *err)
{
    struct writing w = {.change = c};
    struct kv *kv = NULL;
    enum mauth_rc rc;
    char actor[32];
    struct buf b;

    snprintf(actor, sizeof(actor), "uid:%u", (unsigned)getuid());
    w.actor = actor;
    buf_init(&b);
    rc = kv_open(a->config->store, KV_OPEN, &kv, err);
    if (rc == MAUTH_OK && admin_change_is_of_key(c))
        rc = admin_key_try(kv, c, err);
    if (rc == MAUTH_OK)
        rc = kv_write(kv, change_store, &w, err);
    fault_point("admin.committed");
    kv_close(kv);
    if (rc == MAUTH_OK && w.refused)
        rc = refuse(&w, err);
    if (rc == MAUTH_OK) {
        admin_view_change(&b, a->config->issuer.url, c);
        rc = take_json(&b, out, err);
    }
    buf_clear(&b);
    return rc;
}

/* With the seal, and a place for a new key. */
static enum mauth_rc
change_keys(
    const struct admin *a, struct admin_change *c, json_t **out, struct mauth_err *err)
{
    struct mauth_secret *seal = NULL;
    struct buf pkcs8;
    enum mauth_rc rc;

    buf_init_secret(&pkcs8);
    rc = keystore_seal_read(a->config->seal_key_file, &seal, err);
    c->key.seal = seal;
    c->key.pkcs8 = &pkcs8;
    c->key.longest_s = config_longest_ticket_s(a->config);
    c->key.module = a->config->pkcs11_module;
    c->key.modules = a->config->pkcs11_modules;
    if (rc == MAUTH_OK)
        rc = admin_change_ready(c, err);
    if (rc == MAUTH_OK)
        rc = change_it(a, c, out, err);
    c->key.seal = NULL;
    c->key.pkcs8 = NULL;
    mauth_secret_free(seal);
    buf_clear(&pkcs8);
    return rc;
}

enum mauth_rc
admin_store_do(
    const struct admin *a, struct admin_change *c, json_t **out, struct mauth_err *err)
{
    enum mauth_rc rc;

    *out = NULL;
    c->now_s = time_now_s();
    if (admin_change_is_of_key(c))
        return change_keys(a, c, out, err);
    rc = admin_change_ready(c, err);
    return rc ? rc : change_it(a, c, out, err);
}
