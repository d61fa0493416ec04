#include "authsvc/introspect_api.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "authsvc/oauth.h"
#include "authsvc/principal.h"
#include "authsvc/shown_ticket.h"
#include "authsvc/token_client.h"
#include "authsvc/token_request.h"
#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "jose/jwks.h"

struct request {
    struct principal_change write; /* first */
    const struct service *service;
    struct form *form;
    struct shown_ticket shown;
    struct principal who;
    struct client_login client; /* who proves its key, when it shows no ticket */
    bool by_client;
    uint8_t salt[AUDIT_SALT];

    /* Found by the transaction, which starts over when it runs again. */
    const char *problem; /* of who asks */
    const char *dead;    /* why the ticket is not active, or NULL */
};

static void
request_free(void *state)
{
    struct request *r = state;

    shown_ticket_clear(&r->shown);
    principal_clear(&r->who);
    client_login_clear(&r->client);
    form_free(r->form);
    free(r);
}

/* Who asks. */

/* A service that has proven its key: to the rules it is as if it had logged in. */
static void
take_client(struct http_exchange *x, struct request *r)
{
    const struct client_login *l = &r->client;
    struct caller *c = &r->who.caller;

    principal_take_rules(x, &r->who);
    c->now_s = l->ground.now_s;
    c->kind = ID_SERVICE;
    c->principal = l->client.id;
    c->proof.key = l->registered; /* the login's */
    memcpy(r->who.actor, l->name, sizeof(r->who.actor));
    memcpy(r->who.device, mauth_key_id(l->registered), MAUTH_KEY_ID_LEN + 1);
}

/* False when it is answered already. */
static bool
ask_client(struct http_exchange *x, struct request *r)
{
    struct client_login *l = &r->client;
    struct mauth_err err = MAUTH_ERR_INIT;
    const char *wrong = token_client_parameters(r->form);
    enum mauth_rc rc = MAUTH_OK;

    l->service = r->service;
    if (!wrong)
        rc = token_client_authenticate(x, r->form, NULL, l, &err);
    if (rc == MAUTH_OK && !wrong)
        wrong = l->refusal;
    if (rc == MAUTH_OK && !wrong)
        rc = id_new(&l->ground.session, &err);
    if (rc != MAUTH_OK)
        token_fail(x, &err);
    else if (wrong)
        token_refuse(x, wrong);
    else
        take_client(x, r);
    return rc == MAUTH_OK && !wrong;
}

static bool
take_who(struct http_exchange *x, struct request *r)
{
    r->by_client =
        !http_header(x, "Authorization") && form_value(r->form, "client_id", 0) != NULL;
    return r->by_client ? ask_client(x, r) : principal_admit(x, &r->who);
}

/* Decide. */

static enum mauth_rc
begin_asking(struct kv_txn *txn, struct http_exchange *x, struct request *r,
    struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    r->problem = NULL;
    if (r->by_client)
        rc = client_login_confirm(txn, &r->client, err);
    if (rc != MAUTH_OK || r->client.refusal)
        return rc;
    return principal_ask(txn, x, &r->who, "introspect", &r->problem, err);
}

/* As /v1/mesh believes it: what the trust file takes needs its session, too. */
static enum mauth_rc
look_at_session(struct kv_txn *txn, struct request *r, struct mauth_err *err)
{
    const struct shown_ticket *t = &r->shown;
    struct caller holder = {.now_s = r->who.caller.now_s,
        .kind = t->kind,
        .principal = t->subject,
        .session = t->session};
    enum mauth_rc rc;

    r->dead = t->ticket && t->worth == SHOWN_LIVE ? NULL : t->reason;
    if (r->dead)
        return MAUTH_OK;
    memcpy(holder.key_hash, t->key_hash, sizeof(holder.key_hash));
    rc = caller_check(txn, &holder, err);
    if (rc != MAUTH_DENIED)
        return rc;
    mauth_err_reset(err);
    r->dead = "session";
    return MAUTH_OK;
}

static enum mauth_rc
put_record(struct request *r, const struct http_exchange *x, struct kv_txn *txn,
    struct mauth_err *err)
{
    const struct mauth_ticket *t = r->shown.ticket;
    struct audit_record record;

    principal_record(&r->who, x, &record);
    record.time_us = time_now_us();
    record.action = "ticket.introspect";
    record.outcome = r->dead ? "deny" : "allow";
    record.reason = r->dead;
    if (t) {
        record.ticket = mauth_ticket_id(t);
        record.resources[record.resource_count++] = mauth_ticket_subject(t);
    }
    return audit_append_record(txn, &record, r->salt, err);
}

static enum mauth_rc
run(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct http_exchange *x = arg;
    struct request *r = http_state(x);
    enum mauth_rc rc = begin_asking(txn, x, r, err);

    if (rc != MAUTH_OK || r->client.refusal || r->problem)
        return rc;
    rc = look_at_session(txn, r, err);
    return rc ? rc : put_record(r, x, txn, err);
}

/* Answer. */

static json_t *
audiences_of(const struct mauth_ticket *t)
{
    json_t *list = json_array();

    for (size_t i = 0; i < mauth_ticket_audience_count(t); i++)
        json_array_append_new(list, json_string(mauth_ticket_audience(t, i)));
    return list;
}

static json_t *
actions_of(const struct mauth_ticket *t, size_t permit)
{
    json_t *list = json_array();

    for (size_t i = 0; i < mauth_ticket_permit_action_count(t, permit); i++)
        json_array_append_new(
            list, json_string(mauth_ticket_permit_action(t, permit, i)));
    return list;
}

static json_t *
permits_of(const struct mauth_ticket *t)
{
    json_t *list = json_array();

    for (size_t i = 0; i < mauth_ticket_permit_count(t); i++)
        json_array_append_new(
            list, json_pack("{s:s, s:o}", "resource",
                      mauth_ticket_permit_resource(t, i), "actions", actions_of(t, i)));
    return list;
}

/* Of one permit; several would say more together than each of them does. */
static bool
set_scope(json_t *o, const struct mauth_ticket *t)
{
    struct buf b;
    bool ok;

    if (mauth_ticket_permit_count(t) != 1)
        return true;
    buf_init(&b);
    for (size_t i = 0; i < mauth_ticket_permit_action_count(t, 0); i++) {
        buf_str(&b, i ? " " : "");
        buf_str(&b, mauth_ticket_permit_action(t, 0, i));
    }
    ok = buf_ok(&b) && json_object_set_new(o, "scope", json_string(buf_cstr(&b))) == 0;
    buf_clear(&b);
    return ok;
}

static bool
set_key(json_t *o, const struct mauth_ticket *t)
{
    char thumbprint[JWKS_THUMBPRINT + 1];
    struct mauth_key *key = NULL;
    size_t len;
    const uint8_t *spki = mauth_ticket_holder_spki(t, &len);
    bool ok = mauth_key_from_spki(spki, len, &key, NULL) == MAUTH_OK &&
              jwks_thumbprint(key, thumbprint, NULL) == MAUTH_OK;

    mauth_key_free(key);
    return ok &&
           json_object_set_new(o, "cnf", json_pack("{s:s}", "jkt", thumbprint)) == 0;
}

/* What is good is bound to a key: caller_check() has seen to it. */
static json_t *
describe(const struct shown_ticket *shown)
{
    const struct mauth_ticket *t = shown->ticket;
    json_t *o = json_pack("{s:b, s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:s, s:s}",
        "active", 1, "iss", mauth_ticket_issuer(t), "sub", mauth_ticket_subject(t),
        "jti", mauth_ticket_id(t), "aud", audiences_of(t), "iat",
        (json_int_t)mauth_ticket_issued_s(t), "nbf",
        (json_int_t)mauth_ticket_not_before_s(t), "exp",
        (json_int_t)mauth_ticket_not_on_or_after_s(t), "token_type", "DPoP", "session",
        mauth_ticket_session(t));
    bool ok = o && set_key(o, t) && set_scope(o, t);

    if (ok && mauth_ticket_holder(t))
        ok = json_object_set_new(o, "device", json_string(mauth_ticket_holder(t))) == 0;
    if (ok && shown->kind == ID_SERVICE)
        ok = json_object_set_new(
                 o, "client_id", json_string(mauth_ticket_subject(t))) == 0;
    if (ok && !mauth_ticket_is_identity(t))
        ok = json_object_set_new(o, "permits", permits_of(t)) == 0;
    if (ok)
        return o;
    json_decref(o);
    return NULL;
}

static void
answer(struct http_exchange *x, const struct request *r)
{
    json_t *o = r->dead ? json_pack("{s:b}", "active", 0) : describe(&r->shown);
    char *text = o ? json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

    json_decref(o);
    if (text)
        http_answer(x, 200, "application/json", text_of(text), NULL);
    else
        oauth_answer_refusal(x, oauth_refusal_named("unavailable"));
    free(text);
}

static void
committed(struct http_exchange *x)
{
    struct request *r = http_state(x);

    if (r->write.commit.job.rc != MAUTH_OK)
        token_fail(x, &r->write.commit.job.err);
    else if (r->client.refusal)
        token_refuse(x, r->client.refusal);
    else if (r->problem)
        principal_refuse(x, &r->who, r->problem, NULL, false);
    else
        answer(x, r);
}

static void
go_on(struct http_exchange *x, struct request *r, struct text credential)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = shown_ticket_read(r->service, credential, r->who.caller.now_s,
        MAUTH_SKEW_DEFAULT_S, &r->shown, &err);

    if (rc == MAUTH_OK && r->shown.ticket && r->shown.worth == SHOWN_UNSURE)
        rc = mauth_fail(&err, MAUTH_UNAVAILABLE, "introspect: no trust file of now");
    if (rc == MAUTH_OK)
        rc = mauth_random(r->salt, sizeof(r->salt), &err);
    if (rc == MAUTH_OK)
        principal_write(x, &r->who, run, x, &r->problem, committed);
    else
        token_fail(x, &err);
}

void
introspect_api_start(struct http_exchange *x)
{
    struct request *r = calloc(1, sizeof(*r));
    struct text credential = {"", 0};
    const char *wrong = "form";

    if (!r) {
        oauth_answer_refusal(x, oauth_refusal_named("unavailable"));
        return;
    }
    http_set_state(x, r, request_free);
    r->service = http_context(x);
    if (form_parse(http_body(x), &r->form, NULL) == MAUTH_OK)
        wrong = shown_ticket_parameter(r->form, &credential);
    if (wrong)
        token_refuse(x, wrong);
    else if (take_who(x, r))
        go_on(x, r, credential);
}
