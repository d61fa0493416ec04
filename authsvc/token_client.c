#include "authsvc/token_client.h"

#include <stdlib.h>
#include <string.h>

#include "authsvc/client_login.h"
#include "authsvc/commit.h"
#include "authsvc/oauth.h"
#include "authsvc/token_request.h"
#include "base/time.h"

#define TYPE_JWT_BEARER "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/* One login of a service, from its first byte to its answer. */
struct client {
    struct form *form;
    struct proof proof;
    struct commit commit;
    struct client_login login;
};

static void
client_free(void *state)
{
    struct client *c = state;

    client_login_clear(&c->login);
    proof_clear(&c->proof);
    form_free(c->form);
    free(c);
}

const char *
token_client_parameters(const struct form *f)
{
    const char *type = form_value(f, "client_assertion_type", 0);
    bool asserted = form_value(f, "client_assertion", 0) != NULL;

    if (!form_value(f, "client_id", 0))
        return "client-id";
    if (asserted != (type != NULL) || (type && strcmp(type, TYPE_JWT_BEARER) != 0))
        return "assertion-type";
    return NULL;
}

static const char *
check_parameters(const struct form *f)
{
    const char *want = form_value(f, "requested_token_type", 0);
    const char *wrong = token_client_parameters(f);

    if (wrong)
        return wrong;
    if (want && strcmp(want, TOKEN_TYPE_SAML2) != 0)
        return "requested-token-type";
    return token_check_login(f);
}

static void
answer_refusal(struct http_exchange *x)
{
    struct client *c = http_state(x);

    if (c->commit.job.rc != MAUTH_OK)
        token_fail(x, &c->commit.job.err);
    else
        oauth_answer_refusal(x, oauth_refusal_named(c->login.refusal));
}

static void
answer(struct http_exchange *x)
{
    struct client *c = http_state(x);
    struct client_login *l = &c->login;
    struct mauth_err err = MAUTH_ERR_INIT;
    /* What no certificate proves is shown with DPoP proofs. */
    const struct token_line line = {
        .ticket = &l->issued, .audience = l->issued.audience};
    const struct token_answer answer = {
        .line = &line, .lines = 1, .by_dpop = c->proof.by_dpop || !c->proof.key};

    if (c->commit.job.rc != MAUTH_OK)
        token_fail(x, &c->commit.job.err);
    else if (!l->refusal)
        token_answer(x, &answer);
    else if (client_login_prepare_refusal(l, &err) == MAUTH_OK)
        commit_start(x, &c->commit, client_login_record_refusal, l, answer_refusal);
    else
        token_fail(x, &err);
}

enum mauth_rc
token_client_authenticate(struct http_exchange *x, const struct form *f,
    const struct mauth_key *proven, struct client_login *l, struct mauth_err *err)
{
    const struct mauth_key *certificate = NULL;
    enum mauth_rc rc;

    l->ground.now_s = time_now_s();
    rc = client_login_find(l, form_value(f, "client_id", 0), err);
    if (rc != MAUTH_OK || l->refusal)
        return rc;
    rc = http_client_key(x, &certificate, err);
    if (rc != MAUTH_OK)
        return rc;
    return client_login_check(
        l, form_value(f, "client_assertion", 0), certificate, proven, err);
}

static void
go_on(struct http_exchange *x, struct client *c)
{
    struct client_login *l = &c->login;
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = token_client_authenticate(x, c->form, c->proof.key, l, &err);

    if (rc == MAUTH_OK && !l->refusal && !token_in_pace(x, &l->ground.subject))
        l->refusal = "too-fast";
    if (rc == MAUTH_OK && l->refusal) {
        token_refuse(x, l->refusal);
        return;
    }
    if (rc == MAUTH_OK)
        rc = client_login_issue(l, &err);
    if (rc == MAUTH_OK)
        commit_start(x, &c->commit, client_login_record, l, answer);
    else
        token_fail(x, &err);
}

void
token_client_start(struct http_exchange *x, struct form *form)
{
    struct client *c = calloc(1, sizeof(*c));
    struct mauth_err err = MAUTH_ERR_INIT;
    const char *wrong;

    if (!c) {
        form_free(form);
        oauth_answer_refusal(x, oauth_refusal_named("unavailable"));
        return;
    }
    http_set_state(x, c, client_free);
    c->form = form;
    c->login.service = c->login.ground.service = http_context(x);
    c->login.ground.client = http_client(x);
    c->login.ground.request = http_request_id(x);
    wrong = check_parameters(form);
    if (!wrong)
        wrong = token_take_proof(x, &c->proof, &err);
    if (wrong)
        token_refuse(x, wrong);
    else
        go_on(x, c);
}
