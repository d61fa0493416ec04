#include "cli/code_flow.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/browser.h"
#include "cli/loopback.h"
#include "cli/output.h"
#include "cli/pkce.h"
#include "cli/redirect.h"
#include "cli/token_answer.h"
#include "jose/key_nonce.h"

void
code_flow_url(struct buf *out, const struct oidc_client *client,
    const struct code_request *request)
{
    const struct oidc_field fields[] = {
        {"response_type", "code"},
        {"client_id", client->client_id},
        {"redirect_uri", request->redirect_uri},
        {"scope", client->scope},
        {"state", request->state},
        {"nonce", request->nonce},
        {"code_challenge", request->challenge},
        {"code_challenge_method", "S256"},
        {NULL, NULL},
    };
    const char *endpoint = client->at.authorization_endpoint;

    buf_printf(out, "%s%c", endpoint, strchr(endpoint, '?') ? '&' : '?');
    oidc_fields_write(out, fields);
}

/* One login, from its numbers to its code. */
struct journey {
    const struct oidc_client *client;
    struct loopback *loopback;
    struct pkce pkce;
    char state[PKCE_LEN + 1];
    char nonce[KEY_NONCE_LEN + 1];
    struct buf code; /* secret */
};

static enum mauth_rc
set_out(struct journey *j, struct mauth_err *err)
{
    struct code_request r = {NULL, j->state, j->nonce, j->pkce.challenge};
    enum mauth_rc rc = pkce_new(&j->pkce, err);
    const char *url;
    struct buf b;

    if (rc == MAUTH_OK)
        rc = pkce_random(j->state, err);
    if (rc == MAUTH_OK)
        rc = key_nonce_new(j->client->key, j->nonce, err);
    if (rc == MAUTH_OK)
        rc = loopback_open(&j->loopback, err);
    if (rc)
        return rc;
    r.redirect_uri = loopback_url(j->loopback);
    buf_init(&b);
    code_flow_url(&b, j->client, &r);
    url = buf_cstr(&b);
    if (url) {
        bool opened = browser_is_there() && browser_open(url);

        oidc_client_say(j->client);
        fprintf(stderr, " in your browser%s\n  ",
            opened ? ", which opens now; else go to:" : " on this machine:");
        output_text(stderr, url);
        fputc('\n', stderr);
    } else {
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    }
    buf_clear(&b);
    return rc;
}

/* The query with our state; whoever knows no more than our port does not end the wait. */
static enum mauth_rc
wait_for_answer(const struct journey *j, struct buf *query, struct mauth_err *err)
{
    int64_t until_ms = time_monotonic_ms() + j->client->timeout_s * 1000;
    struct mauth_err why = MAUTH_ERR_INIT;
    const char *strays = "";

    for (;;) {
        enum mauth_rc rc;

        buf_rewind(query);
        rc = loopback_wait(j->loopback, until_ms - time_monotonic_ms(), query, &why);
        if (rc != MAUTH_OK)
            return mauth_fail(err, rc, "%s%s", why.text, strays);
        if (redirect_is_answer(buf_slice(query), j->state))
            return MAUTH_OK;
        strays = "; what came is not the answer to this login (its state is another)";
    }
}

static enum mauth_rc
come_back(struct journey *j, struct mauth_err *err)
{
    const struct redirect_want want = {
        j->state, j->client->issuer, j->client->at.states_issuer};
    struct buf query;
    enum mauth_rc rc;

    buf_init_secret(&query);
    rc = wait_for_answer(j, &query, err);
    if (rc == MAUTH_OK)
        rc = redirect_read(buf_slice(&query), &want, &j->code, err);
    buf_clear(&query);
    return rc;
}

static enum mauth_rc
trade(struct journey *j, struct buf *id_token, struct mauth_err *err)
{
    const struct token_want want = {j->client->issuer, j->client->client_id, j->nonce};
    const char *code = buf_cstr(&j->code);
    const struct oidc_field fields[] = {
        {"grant_type", "authorization_code"},
        {"code", code},
        {"redirect_uri", loopback_url(j->loopback)},
        {"client_id", j->client->client_id},
        {"code_verifier", j->pkce.verifier},
        {NULL, NULL},
    };
    struct buf answer;
    long status = 0;
    enum mauth_rc rc;

    if (!code)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    buf_init_secret(&answer);
    rc = oidc_client_post(
        j->client, j->client->at.token_endpoint, fields, &status, &answer, err);
    if (rc == MAUTH_OK)
        rc = token_answer_read(status, buf_slice(&answer), &want, id_token, err);
    buf_clear(&answer);
    return rc;
}

enum mauth_rc
code_flow_run(
    const struct oidc_client *client, struct buf *id_token, struct mauth_err *err)
{
    struct journey j = {.client = client};
    enum mauth_rc rc;

    if (!client->at.authorization_endpoint)
        return mauth_fail(err, MAUTH_DENIED,
            "the provider %s has no page to log in at%s", client->name,
            client->at.device_endpoint ? "; try --device" : "");
    buf_init_secret(&j.code);
    rc = set_out(&j, err);
    if (rc == MAUTH_OK)
        rc = come_back(&j, err);
    if (rc == MAUTH_OK)
        rc = trade(&j, id_token, err);
    loopback_close(j.loopback);
    buf_clear(&j.code);
    pkce_clear(&j.pkce);
    return rc;
}
