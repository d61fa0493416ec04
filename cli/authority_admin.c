#include "cli/authority_admin.h"

#include <stdio.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/fault.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/root_key.h"

/* A store that no service has open, and the key that opens what is sealed in it. */
struct store {
    struct kv *kv;
    const struct mauth_secret *seal;
    struct authority_change *change; /* NULL: only looking */
    int64_t now_s;
    int64_t handover_s;
    struct buf json;
};

static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct store *s = arg;

    buf_rewind(&s->json);
    return authority_view(txn, s->seal, s->now_s, s->handover_s, &s->json, err);
}

static enum mauth_rc
write_change(struct store *s, struct mauth_err *err)
{
    struct authority_change *c = s->change;
    enum mauth_rc rc;
    char actor[32];

    snprintf(actor, sizeof(actor), "uid:%u", (unsigned)getuid());
    c->who = (struct audit_record){.actor = actor, .client = "local"};
    c->seal = s->seal;
    c->now_s = s->now_s;
    rc = authority_change_ready(c, err);
    if (rc == MAUTH_OK)
        rc = kv_write(s->kv, authority_change_run, c, err);
    fault_point("authority.committed");
    if (rc == MAUTH_OK && c->refused)
        rc = mauth_fail(err, MAUTH_CONFLICT, "%s", c->why.text);
    authority_change_clear(c);
    return rc;
}

static enum mauth_rc
do_in(struct store *s, json_t **out, struct mauth_err *err)
{
    enum mauth_rc rc = s->change ? write_change(s, err) : MAUTH_OK;

    buf_init(&s->json);
    if (rc == MAUTH_OK)
        rc = kv_read(s->kv, look, s, err);
    if (rc == MAUTH_OK) {
        *out = json_loadb((const char *)s->json.data, s->json.len, 0, NULL);
        if (!*out)
            rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    }
    buf_clear(&s->json);
    return rc;
}

/* Open already, or opened for this. */
static enum mauth_rc
do_in_store(const struct authority_place *p, struct authority_change *change,
    json_t **out, struct mauth_err *err)
{
    struct store s = {.change = change,
        .now_s = time_now_s(),
        .handover_s = config_handover_s(p->admin->config)};
    struct mauth_secret *seal = NULL;
    struct kv *kv = NULL;
    enum mauth_rc rc = MAUTH_OK;

    if (!p->kv)
        rc = keystore_seal_read(p->admin->config->seal_key_file, &seal, err);
    if (rc == MAUTH_OK && !p->kv)
        rc = kv_open(p->admin->config->store, KV_OPEN, &kv, err);
    s.kv = p->kv ? p->kv : kv;
    s.seal = p->kv ? p->seal : seal;
    if (rc == MAUTH_OK)
        rc = do_in(&s, out, err);
    kv_close(kv);
    mauth_secret_free(seal);
    return rc;
}

/* Asking meshauthd. */

static json_t *
body_of(const struct authority_change *c)
{
    char vkey[NOTE_VKEY_MAX + 1];
    json_t *o = json_object();

    if (c->op == AUTHORITY_INSTALL)
        json_object_set_new(
            o, "delegation", json_stringn(c->delegation.p, c->delegation.len));
    if (c->new_root) {
        note_verifier_format(c->new_root, vkey);
        json_object_set_new(o, "new_root", json_string(vkey));
    }
    if (c->epoch)
        json_object_set_new(o, "epoch", json_integer((json_int_t)c->epoch));
    if (c->life_s)
        json_object_set_new(o, "seconds", json_integer(c->life_s));
    return o;
}

enum mauth_rc
authority_admin_show(
    const struct authority_place *p, json_t **out, struct mauth_err *err)
{
    static const struct admin_request r = {
        .method = "GET", .path = "/v1/admin/authority"};

    *out = NULL;
    if (!p->kv && p->admin->served)
        return admin_ask(p->admin, &r, out, err);
    return do_in_store(p, NULL, out, err);
}

enum mauth_rc
authority_admin_do(const struct authority_place *p, struct authority_change *c,
    json_t **out, struct mauth_err *err)
{
    bool asks = c->op == AUTHORITY_REQUEST;
    struct admin_request r = {.method = asks ? "POST" : "PUT",
        .path = asks ? "/v1/admin/authority/request" : "/v1/admin/authority"};
    enum mauth_rc rc;
    json_t *body;

    *out = NULL;
    c->issuer = p->admin->config->issuer.url;
    if (p->kv || !p->admin->served)
        return do_in_store(p, c, out, err);
    body = body_of(c);
    r.body = body;
    rc = admin_ask(p->admin, &r, out, err);
    json_decref(body);
    return rc;
}

enum mauth_rc
authority_admin_request(const struct authority_place *p,
    const struct authority_renewal *r, json_t **out, struct mauth_err *err)
{
    struct authority_change c = {
        .op = AUTHORITY_REQUEST, .epoch = r->epoch, .life_s = r->life_s};

    return authority_admin_do(p, &c, out, err);
}

enum mauth_rc
authority_admin_renew(const struct authority_place *p,
    const struct authority_renewal *r, json_t **out, struct mauth_err *err)
{
    struct authority_change c = {.op = AUTHORITY_INSTALL, .new_root = r->new_root};
    json_t *asked = NULL;
    struct text text;
    struct buf note;
    enum mauth_rc rc = authority_admin_request(p, r, &asked, err);

    *out = NULL;
    buf_init(&note);
    text = text_of(admin_text(json_object_get(asked, "pending"), "request"));
    if (rc == MAUTH_OK)
        rc = root_key_sign(r->root, text, &note, err);
    c.delegation = buf_slice(&note);
    if (rc == MAUTH_OK)
        rc = authority_admin_do(p, &c, out, err);
    buf_clear(&note);
    json_decref(asked);
    return rc;
}
