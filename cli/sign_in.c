#include "cli/sign_in.h"

#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "cli/browser.h"
#include "cli/code_flow.h"
#include "cli/device_flow.h"
#include "cli/login_provider.h"
#include "cli/service_metadata.h"
#include "cli/token_answer.h"
#include "net/fetch.h"

/* The service. */

static enum mauth_rc
find_providers(
    const struct sign_in *s, struct login_providers **out, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    struct buf body;
    enum mauth_rc rc;

    *out = NULL;
    buf_init(&body);
    rc = service_metadata_fetch(s->service, s->ca_file, &body, err);
    if (rc == MAUTH_OK) {
        rc = login_providers_read(buf_slice(&body), s->service->text, out, &why);
        if (rc)
            rc = mauth_fail(err, rc, "%s: %s", s->service->text, why.text);
    }
    buf_clear(&body);
    return rc;
}

enum command_exit
sign_in_say_silence(
    const struct call *call, const char *ca_file, const struct mauth_err *err)
{
    command_complain(call, "%s", err->text);
    if (err->rc == MAUTH_UNAVAILABLE && ca_file)
        command_complain(call,
            "meshauthd must run there, with a certificate that %s vouches for",
            ca_file);
    else if (err->rc == MAUTH_UNAVAILABLE)
        command_complain(call,
            "meshauthd must run there, with a certificate that this system trusts; "
            "else name its authorities with --ca");
    return COMMAND_FAILED;
}

/* Who has no address cannot be gone to; what to do instead depends on what it is. */
static enum command_exit
say_no_page(const struct call *call, const struct login_provider *p)
{
    if (strcmp(p->kind, "demo") == 0)
        command_complain(call,
            "the provider %s is a demonstration without a page to log in at; "
            "`meshauth idp mint NAME -c FILE` makes an ID token of it, for --id-token",
            p->name);
    else if (strcmp(p->kind, "saml") == 0)
        command_complain(call,
            "the provider %s is one of SAML; log in at its page, and give what it "
            "sends "
            "here (SAMLResponse) with --assertion FILE",
            p->name);
    else
        command_complain(call,
            "the provider %s is of the kind %s, which has no login by OpenID Connect",
            p->name, p->kind);
    return COMMAND_REFUSED;
}

static enum command_exit
choose(const struct call *call, const struct sign_in *s,
    const struct login_providers *all, const struct login_provider **out)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code;

    if (login_providers_choose(all, s->provider, out, &err) == MAUTH_OK)
        return login_provider_is_oidc(*out) ? COMMAND_DONE : say_no_page(call, *out);
    code = command_failed(call, &err);
    for (size_t i = 0; i < all->count; i++)
        command_complain(call, "  %s: %s", all->at[i].name, all->at[i].issuer);
    return code;
}

/* The provider. */

static enum mauth_rc
go(const struct sign_in *s, struct oidc_client *client, struct buf *id_token,
    struct mauth_err *err)
{
    enum mauth_rc rc = oidc_client_discover(client, err);
    bool device = s->device || (!browser_is_there() && client->at.device_endpoint);

    if (rc)
        return rc;
    return device ? device_flow_run(client, id_token, err)
                  : code_flow_run(client, id_token, err);
}

static enum command_exit
log_in(const struct call *call, const struct sign_in *s, const struct login_provider *p,
    struct buf *id_token)
{
    const struct fetch_options o = {
        .ca_file = s->provider_ca_file, .max_bytes = OIDC_DISCOVERY_MAX};
    struct oidc_client client = {
        .name = p->name,
        .issuer = p->issuer,
        .client_id = p->client_id,
        .scope = p->scope,
        .key = s->key,
        .timeout_s = s->timeout_s,
    };
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = fetch_open(&o, &client.fetch, &err);

    if (rc == MAUTH_OK)
        rc = go(s, &client, id_token, &err);
    fetch_close(client.fetch);
    oidc_discovery_clear(&client.at);
    return rc == MAUTH_OK ? COMMAND_DONE : command_failed(call, &err);
}

enum command_exit
sign_in_run(const struct call *call, const struct sign_in *s, struct buf *id_token)
{
    struct login_providers *all = NULL;
    const struct login_provider *p = NULL;
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code;
    enum mauth_rc rc = net_init(&err);

    if (rc == MAUTH_OK)
        rc = find_providers(s, &all, &err);
    if (rc == MAUTH_UNAVAILABLE)
        return sign_in_say_silence(call, s->ca_file, &err);
    if (rc != MAUTH_OK)
        return command_failed(call, &err);
    code = choose(call, s, all, &p);
    if (code == COMMAND_DONE)
        code = log_in(call, s, p, id_token);
    login_providers_free(all);
    return code;
}
