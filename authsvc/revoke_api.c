#include "authsvc/revoke_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/oauth.h"
#include "authsvc/pace.h"
#include "authsvc/principal.h"
#include "authsvc/rules_in_force.h"
#include "authsvc/shown_ticket.h"
#include "authsvc/token_request.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "net/form.h"
#include "store/graph_device.h"
#include "store/graph_ticket.h"

struct request {
    struct principal_change write; /* first */
    const struct service *service;
    struct form *form;
    struct shown_ticket token;
    struct principal who;
    bool by_holder; /* nothing but the proven key says who asks */
    uint8_t salt[AUDIT_SALT];

    /* Found by the transaction, which starts over when it runs again. */
    const char *problem; /* of who asks */
    bool refused;        /* is on record */
};

static void
request_free(void *state)
{
    struct request *r = state;

    shown_ticket_clear(&r->token);
    principal_clear(&r->who);
    form_free(r->form);
    free(r);
}

/* Gather. */

/* Its key is proven: so its holder asks, as far as the session that it names tells. */
static bool
take_holder(struct request *r)
{
    struct caller *c = &r->who.caller;
    const struct shown_ticket *t = &r->token;
    const uint8_t *spki;
    size_t len;

    spki = mauth_key_spki(c->proof.key, &len);
    if (hash_bytes(spki, len, c->key_hash, NULL) != MAUTH_OK)
        return false;
    c->kind = t->kind;
    c->principal = t->subject;
    c->session = t->session;
    id_format(c->kind, &c->principal, r->who.actor);
    id_format(ID_SESSION, &c->session, r->who.session);
    snprintf(r->who.device, sizeof(r->who.device), "%s", mauth_key_id(c->proof.key));
    return strcmp(t->key, "none") != 0 &&
           memcmp(c->key_hash, t->key_hash, GRAPH_KEY_HASH) == 0;
}

/*
 * As any change: whoever has many keys has no more of them. Of a holder it is known by
 * now that the session is his, so nobody spends what is another's.
 */
static bool
is_too_fast(const struct request *r)
{
    const struct id *by = &r->who.caller.principal;

    return !pace_take(r->service->pace, by, time_monotonic_ms());
}

/* Decide and act. */

static bool
is_holder(const struct request *r)
{
    const struct caller *c = &r->who.caller;
    const struct shown_ticket *t = &r->token;

    return c->kind == t->kind && strcmp(t->key, "none") != 0 &&
           memcmp(c->principal.b, t->subject.b, ID_BYTES) == 0 &&
           memcmp(c->key_hash, t->key_hash, GRAPH_KEY_HASH) == 0;
}

/* Of the holder: is there a session that is his and open? What else he says is idle. */
static enum mauth_rc
find_own_session(
    struct kv_txn *txn, const struct request *r, bool *found, struct mauth_err *err)
{
    struct graph_session s;
    enum mauth_rc rc = caller_session(txn, &r->who.caller, &s, err);

    *found = rc == MAUTH_OK && s.open;
    if (rc != MAUTH_DENIED)
        return rc;
    mauth_err_reset(err);
    return MAUTH_OK;
}

static enum mauth_rc
begin_as_holder(
    struct kv_txn *txn, struct request *r, bool *found, struct mauth_err *err)
{
    struct graph_device d;
    enum mauth_rc rc = in_force_check(txn, r->who.rules, err);

    *found = false;
    if (rc == MAUTH_CONFLICT) {
        mauth_err_reset(err);
        r->problem = principal_again;
        return MAUTH_OK;
    }
    if (rc == MAUTH_OK)
        rc = find_own_session(txn, r, found, err);
    if (rc != MAUTH_OK || !*found)
        return rc;
    rc = graph_device_by_key(txn, r->who.caller.key_hash, &d, err);
    if (rc == MAUTH_OK)
        id_format(ID_DEVICE, &d.id, r->who.device);
    return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
}

static enum mauth_rc
put_record(struct request *r, const struct http_exchange *x, struct kv_txn *txn,
    struct mauth_err *err)
{
    const struct mauth_ticket *t = r->token.ticket;
    struct audit_record record;

    principal_record(&r->who, x, &record);
    record.time_us = time_now_us();
    /* What nobody vouches for may name another's. */
    if (r->token.worth == SHOWN_LIVE || r->token.worth == SHOWN_DEAD)
        record.ticket = mauth_ticket_id(t);
    record.action = mauth_ticket_is_identity(t) ? "session.close" : "ticket.revoke";
    record.outcome = r->refused ? "deny" : "done";
    record.reason = r->refused ? "revoke-foreign" : NULL;
    if (mauth_ticket_is_identity(t))
        record.resources[record.resource_count++] = mauth_ticket_session(t);
    record.resources[record.resource_count++] = mauth_ticket_subject(t);
    return audit_append_record(txn, &record, r->salt, err);
}

/* MAUTH_NOT_FOUND when there is nothing that could be closed. */
static enum mauth_rc
close_session(struct kv_txn *txn, const struct request *r, struct mauth_err *err)
{
    const struct shown_ticket *t = &r->token;
    struct graph_session s;
    enum mauth_rc rc;

    if (!is_holder(r) && t->worth == SHOWN_FORGED)
        return MAUTH_NOT_FOUND;
    if (!is_holder(r) && t->worth == SHOWN_UNSURE)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "revoke: no trust file of now");
    rc = graph_session_by_id(txn, &t->session, &s, err);
    if (rc == MAUTH_OK && (s.subject_kind != t->kind ||
                              memcmp(s.subject.b, t->subject.b, ID_BYTES) != 0 ||
                              memcmp(s.key_hash, t->key_hash, GRAPH_KEY_HASH) != 0))
        return MAUTH_NOT_FOUND;
    return rc ? rc : graph_session_close(txn, &t->session, err);
}

static enum mauth_rc
revoke(struct kv_txn *txn, const struct request *r, struct mauth_err *err)
{
    const struct shown_ticket *t = &r->token;
    enum mauth_rc rc;

    if (mauth_ticket_is_identity(t->ticket))
        return close_session(txn, r, err);
    if (t->worth == SHOWN_UNSURE)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "revoke: no trust file of now");
    if (t->worth != SHOWN_LIVE)
        return MAUTH_NOT_FOUND;
    rc = graph_ticket_revoke(txn, mauth_ticket_id(t->ticket), err);
    return rc == MAUTH_CONFLICT ? MAUTH_NOT_FOUND : rc;
}

static enum mauth_rc
decide(struct request *r, struct http_exchange *x, struct kv_txn *txn,
    struct mauth_err *err)
{
    const struct text arg[] = {
        text_of(mauth_ticket_subject(r->token.ticket)), text_of(r->token.key)};
    const struct principal_question q = {.action = "revoke", .arg = arg, .args = 2};
    enum mauth_rc rc;
    bool may;

    rc = principal_may(txn, x, &r->who, &q, &may, err);
    if (rc != MAUTH_OK)
        return rc;
    r->refused = !may;
    if (may)
        rc = revoke(txn, r, err);
    if (rc == MAUTH_NOT_FOUND)
        return MAUTH_OK; /* it is dead, or nothing: there is nothing to record */
    return rc ? rc : put_record(r, x, txn, err);
}

static enum mauth_rc
run(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct http_exchange *x = arg;
    struct request *r = http_state(x);
    bool found = true;
    enum mauth_rc rc;

    r->problem = NULL;
    r->refused = false;
    if (r->by_holder)
        rc = begin_as_holder(txn, r, &found, err);
    else
        rc = principal_begin(txn, &r->who, &r->problem, err);
    if (rc != MAUTH_OK || r->problem || !found)
        return rc;
    return decide(r, x, txn, err);
}

/* Whether it is worth a transaction that writes. */
static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct request *r = arg;
    bool found;
    enum mauth_rc rc = find_own_session(txn, r, &found, err);

    return rc == MAUTH_OK && !found ? MAUTH_NOT_FOUND : rc;
}

/* Answer. */

static void
done(struct http_exchange *x)
{
    http_answer(x, 200, NULL, text_of(NULL), NULL);
}

static void
committed(struct http_exchange *x)
{
    struct request *r = http_state(x);

    if (r->write.commit.job.rc != MAUTH_OK)
        token_fail(x, &r->write.commit.job.err);
    else if (r->problem)
        principal_refuse(x, &r->who, r->problem, NULL, false);
    else if (r->refused)
        oauth_answer_refusal(x, oauth_refusal_named("revoke-foreign"));
    else
        done(x);
}

/* Who asks; false when it is said already that nobody may. */
static bool
take_who(struct http_exchange *x, struct request *r)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    const char *wrong;

    r->by_holder = !http_header(x, "Authorization");
    if (!r->by_holder)
        return principal_admit(x, &r->who);
    r->who.caller.now_s = time_now_s();
    wrong = token_take_proof(x, &r->who.caller.proof, &err);
    if (!wrong && !r->who.caller.proof.key)
        wrong = "no-proof";
    if (wrong)
        token_refuse(x, wrong);
    return !wrong;
}

/* A ticket is not dead before the last service would refuse it. */
static void
go_on(struct http_exchange *x, struct request *r, struct text credential)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = shown_ticket_read(
        r->service, credential, r->who.caller.now_s, MAUTH_SKEW_MAX_S, &r->token, &err);

    if (rc == MAUTH_OK && r->token.ticket && r->by_holder && !take_holder(r)) {
        token_refuse(x, "revoke-foreign");
        return;
    }
    if (rc == MAUTH_OK && r->token.ticket && r->by_holder)
        rc = kv_read(r->service->kv, look, r, &err);
    if (rc == MAUTH_NOT_FOUND || (rc == MAUTH_OK && !r->token.ticket)) {
        done(x);
        return;
    }
    if (rc == MAUTH_OK)
        rc = mauth_random(r->salt, sizeof(r->salt), &err);
    if (rc != MAUTH_OK)
        token_fail(x, &err);
    else if (is_too_fast(r))
        token_refuse(x, "too-fast");
    else
        principal_write(x, &r->who, run, x, &r->problem, committed);
}

void
revoke_api_start(struct http_exchange *x)
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
    r->write.commit.job.needed = true; /* it ends a right */
    if (!take_who(x, r))
        return;
    if (form_parse(http_body(x), &r->form, NULL) == MAUTH_OK)
        wrong = shown_ticket_parameter(r->form, &credential);
    if (wrong)
        token_refuse(x, wrong);
    else
        go_on(x, r, credential);
}
