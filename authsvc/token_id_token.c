#include "authsvc/token_id_token.h"

#include <stdlib.h>
#include <string.h>

#include "authsvc/commit.h"
#include "authsvc/login.h"
#include "authsvc/oauth.h"
#include "authsvc/token_request.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/time.h"
#include "jose/key_nonce.h"

/* One exchange of an identity token, from its first byte to its answer. */
struct exchange {
    const struct token_identity_kind *kind;
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

/* Whose key asks; a refusal's name, or NULL. */
static const char *
take_key(struct http_exchange *x, struct exchange *e, struct mauth_err *err)
{
    const char *wrong = token_take_proof(x, &e->proof, err);
    const uint8_t *spki;
    size_t len;

    if (wrong)
        return wrong;
    if (!e->proof.key)
        return "no-proof";
    e->login.ground.holder = e->proof.key;
    spki = mauth_key_spki(e->proof.key, &len);
    return hash_bytes(spki, len, e->login.key_hash, err) == MAUTH_OK ? NULL
                                                                     : "unavailable";
}

void
token_identity_start(
    struct http_exchange *x, struct form *form, const struct token_identity_kind *kind)
{
    struct exchange *e = calloc(1, sizeof(*e));
    struct mauth_err err = MAUTH_ERR_INIT;
    const char *wrong;

    if (!e) {
        form_free(form);
        oauth_answer_refusal(x, oauth_refusal_named("unavailable"));
        return;
    }
    http_set_state(x, e, exchange_free);
    e->kind = kind;
    e->form = form;
    e->login.service = e->login.ground.service = http_context(x);
    e->login.ground.client = http_client(x);
    e->login.ground.request = http_request_id(x);
    wrong = token_check_login(e->form);
    if (!wrong)
        wrong = take_key(x, e, &err);
    if (wrong) {
        token_refuse(x, wrong);
        return;
    }
    e->token.p = form_value(e->form, "subject_token", 0);
    e->token.len = strlen(e->token.p);
    check_token(x);
}

void
token_id_token_start(struct http_exchange *x, struct form *form)
{
    static const struct token_identity_kind id_token = {
        providers_check, providers_fetch};

    token_identity_start(x, form, &id_token);
}

static void
keys_fetched(void *arg)
{
    http_resume(arg);
}

/* Else another account service, to which it was given, could log in with it here. */
static bool
is_of_key(const struct exchange *e)
{
    const struct provider_identity *who = &e->login.who;

    return !who->provider->key_in_nonce || key_nonce_is_of(who->nonce, e->proof.key);
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

    rc = e->kind->check(service->providers, e->token, time_now_s(), &e->login.who,
        &reason, &wait, &err);
    if (rc == MAUTH_OK && !is_of_key(e)) {
        token_refuse(x, "token-nonce");
    } else if (rc == MAUTH_OK) {
        find_user(x);
    } else if (wait && !e->fetched) {
        e->fetched = true;
        http_suspend(x, check_token);
        e->kind->fetch(service->providers, e->token, keys_fetched, x);
    } else if (reason) {
        token_refuse(x, reason);
    } else {
        token_fail(x, &err);
    }
}

/* Runs one of login's transactions. */
static void
commit(struct http_exchange *x, kv_fn *fn, http_step *next)
{
    struct exchange *e = http_state(x);

    commit_start(x, &e->commit, fn, &e->login, next);
}

static void
answer_refusal(struct http_exchange *x)
{
    struct exchange *e = http_state(x);

    if (e->commit.job.rc != MAUTH_OK)
        token_fail(x, &e->commit.job.err);
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
        token_fail(x, &err);
}

static void
user_created(struct http_exchange *x)
{
    struct exchange *e = http_state(x);

    if (e->commit.job.rc != MAUTH_OK)
        token_fail(x, &e->commit.job.err);
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
        token_fail(x, &err);
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
    if (rc == MAUTH_OK && !token_in_pace(x, &l->ground.subject))
        token_refuse(x, "too-fast");
    else if (rc == MAUTH_OK && l->refusal)
        refuse_on_record(x);
    else if (rc == MAUTH_OK)
        issue(x);
    else if (rc != MAUTH_NOT_FOUND)
        token_fail(x, &err);
    else if (!l->who.provider->create_users || e->created)
        token_refuse(x, "user-unknown");
    else
        create_user(x);
}

static void
answer_tickets(struct http_exchange *x, struct exchange *e)
{
    struct login *l = &e->login;
    struct mauth_err err = MAUTH_ERR_INIT;
    char root[ISSUE_URL_MAX];
    struct token_line line[LOGIN_LINES];
    struct token_answer answer = {
        .line = line,
        .mesh = root,
        .by_dpop = e->proof.by_dpop,
    };

    if (issue_mesh_root(
            l->service->config->issuer.url, &l->ground.subject, root, sizeof(root))) {
        answer.lines = login_lines(&l->tickets, line);
        token_answer(x, &answer);
        return;
    }
    (void)mauth_fail(&err, MAUTH_INTERNAL, "token: the issuer's URL is too long");
    token_fail(x, &err);
}

static void
answer(struct http_exchange *x)
{
    struct exchange *e = http_state(x);

    if (e->commit.job.rc != MAUTH_OK)
        token_fail(x, &e->commit.job.err);
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
    if (l->ground.session_ends_s > l->who.session_ends_s)
        l->ground.session_ends_s = l->who.session_ends_s;
    if (login_issue(l, &err) == MAUTH_OK)
        commit(x, login_record, answer);
    else
        token_fail(x, &err);
}
