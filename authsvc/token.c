#include "authsvc/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "authsvc/form.h"
#include "authsvc/log.h"
#include "authsvc/login.h"
#include "authsvc/oauth.h"
#include "authsvc/proof.h"
#include "authsvc/refusals.h"
#include "authsvc/token_answer.h"
#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"

#define GRANT_EXCHANGE "urn:ietf:params:oauth:grant-type:token-exchange"
#define TYPE_ID_TOKEN  "urn:ietf:params:oauth:token-type:id_token"

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
    struct proof proof;
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
    proof_clear(&e->proof);
    form_free(e->form);
    free(e);
}

/* A client that has to make a new proof is told what to put into it. */
static void
answer_refusal_named(struct http_exchange *x, const char *reason)
{
    const struct service *service = http_context(x);
    char line[sizeof("DPoP-Nonce: ") + PROOF_NONCE] = "DPoP-Nonce: ";
    const char *const headers[] = {line, NULL};
    const struct oauth_refusal *refusal = oauth_refusal_named(reason);

    if (strcmp(refusal->error, "use_dpop_nonce") == 0 &&
        proofs_nonce(service->proofs, time_now_s(), line + strlen(line), NULL) ==
            MAUTH_OK)
        oauth_answer_refusal_with(x, refusal, headers);
    else
        oauth_answer_refusal(x, refusal);
}

/* A refusal of somebody we do not know: counted, not recorded one by one. */
static void
refuse(struct http_exchange *x, const char *reason)
{
    const struct service *service = http_context(x);

    refusals_count(service->refusals, time_now_s(), http_client(x), reason);
    answer_refusal_named(x, reason);
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
    if (want && strcmp(want, TOKEN_TYPE_SAML2) != 0)
        return "requested-token-type";
    if (only(f, "actor_token") || only(f, "actor_token_type"))
        return "actor-token";
    if (only(f, "audience") || only(f, "resource"))
        return "target";
    return only(f, "scope") ? "scope" : NULL;
}

/* Whose key asks; a refusal's name, or NULL. */
static const char *
take_key(struct http_exchange *x, struct exchange *e, struct mauth_err *err)
{
    const struct service *service = http_context(x);
    const struct text no_ticket = {"", 0};
    char url[ISSUE_URL_MAX];
    const char *wrong;
    const uint8_t *spki;
    size_t len;

    snprintf(url, sizeof(url), "%s%s", service->config->issuer.url, http_path(x));
    wrong =
        proof_take(service->proofs, x, url, no_ticket, time_now_s(), &e->proof, err);
    if (wrong)
        return wrong;
    if (!e->proof.key)
        return "no-proof";
    e->login.ground.holder = e->proof.key;
    spki = mauth_key_spki(e->proof.key, &len);
    SHA256(spki, len, e->login.key_hash);
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
        wrong = take_key(x, e, &err);
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

static void
answer_tickets(struct http_exchange *x, const struct exchange *e)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct buf json;

    buf_init(&json);
    if (token_answer_write(&json, &e->login, e->proof.by_dpop, &err) == MAUTH_OK)
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
        answer_tickets(x, e);
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
