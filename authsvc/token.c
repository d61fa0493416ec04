#include "authsvc/token.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "authsvc/form.h"
#include "authsvc/log.h"
#include "authsvc/login.h"
#include "authsvc/oauth.h"
#include "authsvc/refusals.h"
#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include <meshauth/credential.h>

#define GRANT_EXCHANGE "urn:ietf:params:oauth:grant-type:token-exchange"
#define TYPE_ID_TOKEN  "urn:ietf:params:oauth:token-type:id_token"
#define TYPE_SAML2     "urn:ietf:params:oauth:token-type:saml2"

/* A transaction under way, and who waits for it. */
struct commit {
    struct kv_job job; /* first: the store hands back a pointer to it */
    struct http_exchange *waiter;
};

/* One exchange of an ID token, from its first byte to its answer. */
struct exchange {
    struct form *form;
    struct text token;
    bool fetched; /* the provider's keys, once, for this request */
    bool created; /* the user, in this request */
    struct commit commit;
    struct login login;
};

static void check_token(struct http_exchange *x);
static void find_user(struct http_exchange *x);
static void issue(struct http_exchange *x);

static void
exchange_free(void *state)
{
    struct exchange *e = state;

    login_clear(&e->login);
    form_free(e->form);
    free(e);
}

/* A refusal of somebody we do not know: counted, not recorded one by one. */
static void
refuse(struct http_exchange *x, const char *reason)
{
    const struct service *service = http_context(x);

    refusals_count(service->refusals, time_now_s(), http_client(x), reason);
    oauth_answer_refusal(x, oauth_refusal_named(reason));
}

/* Something of ours failed: the story goes to the log, a fixed sentence out. */
static void
fail(struct http_exchange *x, const struct mauth_err *err)
{
    log_failure(http_request_id(x), err);
    oauth_answer_refusal(x,
        oauth_refusal_named(err->rc == MAUTH_UNAVAILABLE || err->rc == MAUTH_NO_MEMORY
                                ? "unavailable"
                                : "internal"));
}

static const char *
only(const struct form *f, const char *name)
{
    return form_value(f, name, 0);
}

/* What is wrong with the parameters (RFC 8693 2.1), or NULL. */
static const char *
check_parameters(const struct form *f)
{
    static const char *const may_repeat[] = {"resource", "audience", NULL};
    const char *grant = only(f, "grant_type");
    const char *type = only(f, "subject_token_type");
    const char *want = only(f, "requested_token_type");

    if (form_repeated(f, may_repeat))
        return "repeated";
    if (!grant)
        return "grant-type-missing";
    if (strcmp(grant, GRANT_EXCHANGE) != 0)
        return "grant-type";
    if (!type || !only(f, "subject_token"))
        return "subject-token-missing";
    if (strcmp(type, TYPE_ID_TOKEN) != 0)
        return "subject-token-type";
    if (want && strcmp(want, TYPE_SAML2) != 0)
        return "requested-token-type";
    if (only(f, "actor_token") || only(f, "actor_token_type"))
        return "actor-token";
    if (only(f, "audience") || only(f, "resource"))
        return "target";
    return only(f, "scope") ? "scope" : NULL;
}

/* Whose key asks; a refusal's name, or NULL. */
static const char *
take_key(struct http_exchange *x, struct login *l)
{
    const uint8_t *spki;
    size_t len;

    if (http_client_key(x, &l->ground.holder, NULL) != MAUTH_OK)
        return "key-kind";
    if (!l->ground.holder)
        return "no-proof";
    spki = mauth_key_spki(l->ground.holder, &len);
    SHA256(spki, len, l->key_hash);
    return NULL;
}

void
token_start(struct http_exchange *x)
{
    struct exchange *e = calloc(1, sizeof(*e));
    struct mauth_err err = MAUTH_ERR_INIT;
    const char *wrong;

    if (!e) {
        oauth_answer_refusal(x, oauth_refusal_named("unavailable"));
        return;
    }
    http_set_state(x, e, exchange_free);
    e->login.service = e->login.ground.service = http_context(x);
    e->login.ground.client = http_client(x);
    e->login.ground.request = http_request_id(x);
    wrong = form_parse(http_body(x), &e->form, &err) != MAUTH_OK
                ? "form"
                : check_parameters(e->form);
    if (!wrong)
        wrong = take_key(x, &e->login);
    if (wrong) {
        refuse(x, wrong);
        return;
    }
    e->token.p = only(e->form, "subject_token");
    e->token.len = strlen(e->token.p);
    check_token(x);
}

static void
keys_fetched(void *arg)
{
    http_resume(arg);
}

/* The identity token, perhaps twice: before and after its provider's keys came. */
static void
check_token(struct http_exchange *x)
{
    const struct service *service = http_context(x);
    struct exchange *e = http_state(x);
    struct mauth_err err = MAUTH_ERR_INIT;
    const char *reason = NULL;
    bool wait = false;
    enum mauth_rc rc;

    rc = providers_check(service->providers, e->token, time_now_s(), &e->login.who,
        &reason, &wait, &err);
    if (rc == MAUTH_OK) {
        find_user(x);
    } else if (wait && !e->fetched) {
        e->fetched = true;
        http_suspend(x, check_token);
        providers_fetch(service->providers, e->token, keys_fetched, x);
    } else if (reason) {
        refuse(x, reason);
    } else {
        fail(x, &err);
    }
}

static void
job_done(struct kv_job *job)
{
    const struct commit *c = (const struct commit *)(const void *)job;

    http_resume(c->waiter);
}

/* Hand a transaction to the committer; next runs when it is durable or failed. */
static void
commit(struct http_exchange *x, kv_fn *fn, http_step *next)
{
    const struct service *service = http_context(x);
    struct exchange *e = http_state(x);
    struct kv_job *job = &e->commit.job;

    memset(&e->commit, 0, sizeof(e->commit));
    e->commit.waiter = x;
    job->fn = fn;
    job->arg = &e->login;
    job->done = job_done;
    http_suspend(x, next);
    kv_submit(service->kv, job);
}

static void
answer_refusal(struct http_exchange *x)
{
    struct exchange *e = http_state(x);

    if (e->commit.job.rc != MAUTH_OK)
        fail(x, &e->commit.job.err);
    else
        oauth_answer_refusal(x, oauth_refusal_named(e->login.refusal));
}

/* A refusal of somebody we know: on record before it is said. */
static void
refuse_on_record(struct http_exchange *x)
{
    struct exchange *e = http_state(x);
    struct mauth_err err = MAUTH_ERR_INIT;

    if (login_prepare_refusal(&e->login, &err) == MAUTH_OK)
        commit(x, login_record_refusal, answer_refusal);
    else
        fail(x, &err);
}

static void
user_created(struct http_exchange *x)
{
    struct exchange *e = http_state(x);

    if (e->commit.job.rc != MAUTH_OK)
        fail(x, &e->commit.job.err);
    else
        find_user(x);
}

static void
create_user(struct http_exchange *x)
{
    struct exchange *e = http_state(x);
    struct mauth_err err = MAUTH_ERR_INIT;

    e->created = true;
    if (login_prepare_user(&e->login, &err) == MAUTH_OK)
        commit(x, login_create_user, user_created);
    else
        fail(x, &err);
}

static void
find_user(struct http_exchange *x)
{
    struct exchange *e = http_state(x);
    struct login *l = &e->login;
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    l->ground.now_s = time_now_s();
    rc = login_find_user(l, &err);
    if (rc == MAUTH_OK && l->refusal)
        refuse_on_record(x);
    else if (rc == MAUTH_OK)
        issue(x);
    else if (rc != MAUTH_NOT_FOUND)
        fail(x, &err);
    else if (!l->who.provider->create_users || e->created)
        refuse(x, "user-unknown");
    else
        create_user(x);
}

/*
 * The answer is written as text, not built as a tree: most of it is base64url,
 * which jansson would look at three times, character by character.
 */

static enum mauth_rc
put_credential(
    struct buf *b, const struct issued *t, bool deflated, struct mauth_err *err)
{
    char *text;
    enum mauth_rc rc =
        mauth_credential_encode(t->xml, t->xml_len, deflated, &text, err);

    if (rc != MAUTH_OK)
        return rc;
    buf_u8(b, '"');
    buf_str(b, text);
    buf_u8(b, '"');
    free(text);
    return MAUTH_OK;
}

static enum mauth_rc
put_ticket(struct buf *b, const struct issued *t, struct mauth_err *err)
{
    enum mauth_rc rc;

    buf_str(b, "{\"audience\":");
    buf_json(b, text_of(t->audience));
    if (t->action) {
        buf_str(b, ",\"resource\":");
        buf_json(b, text_of(t->resource));
    }
    buf_str(b, ",\"actions\":[");
    if (t->action)
        buf_json(b, text_of(t->action));
    buf_printf(b, "],\"expires_in\":%" PRId64 ",\"credential\":", t->expires_in_s);
    rc = put_credential(b, t, true, err);
    buf_u8(b, '}');
    return rc;
}

static enum mauth_rc
put_answer(struct buf *b, const struct login *l, struct mauth_err *err)
{
    const struct issued *first = &l->issued[0];
    char root[ISSUE_URL_MAX];
    enum mauth_rc rc;

    if (!issue_mesh_root(
            l->service->config->issuer.url, &l->ground.user, root, sizeof(root)))
        return mauth_fail(err, MAUTH_INTERNAL, "token: the issuer's URL is too long");
    buf_str(b, "{\"access_token\":");
    rc = put_credential(b, first, false, err);
    buf_printf(b,
        ",\"issued_token_type\":\"" TYPE_SAML2 "\",\"token_type\":\"Bearer\""
        ",\"expires_in\":%" PRId64 ",\"mesh\":",
        first->expires_in_s);
    buf_json(b, text_of(root));
    for (size_t i = 0; i < LOGIN_TICKETS && rc == MAUTH_OK; i++) {
        buf_str(b, i ? "," : ",\"tickets\":[");
        rc = put_ticket(b, &l->issued[i], err);
    }
    buf_str(b, "]}");
    return rc;
}

static void
answer_tickets(struct http_exchange *x, const struct login *l)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct buf json;

    buf_init(&json);
    if (put_answer(&json, l, &err) == MAUTH_OK)
        oauth_answer(x, &json);
    else
        fail(x, &err);
    buf_clear(&json);
}

static void
answer(struct http_exchange *x)
{
    struct exchange *e = http_state(x);

    if (e->commit.job.rc != MAUTH_OK)
        fail(x, &e->commit.job.err);
    else if (e->login.refusal)
        refuse_on_record(x);
    else
        answer_tickets(x, &e->login);
}

static void
issue(struct http_exchange *x)
{
    struct exchange *e = http_state(x);
    struct login *l = &e->login;
    struct mauth_err err = MAUTH_ERR_INIT;
    int64_t issued_s = l->who.issued_s;

    l->ground.authn_instant_s = issued_s < l->ground.now_s ? issued_s : l->ground.now_s;
    l->ground.session_ends_s = l->ground.now_s + l->service->config->tickets.session_s;
    if (login_issue(l, &err) == MAUTH_OK)
        commit(x, login_record, answer);
    else
        fail(x, &err);
}
