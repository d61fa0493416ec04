#include "authsvc/server_metadata.h"

#include <stdlib.h>
#include <string.h>

#include "authsvc/own_keys.h"
#include "authsvc/problem.h"
#include "authsvc/service.h"
#include "base/str.h"

/* "openid" makes it a login; an address is of use where its domain is believed. */
static json_t *
scopes_of(const struct config_provider *p)
{
    json_t *list = json_pack("[s]", "openid");
    bool good = list != NULL;

    for (size_t i = 0; i < p->scopes && good; i++)
        good = json_array_append_new(list, json_string(p->scope[i])) == 0;
    if (good && !p->scopes && p->email_domains)
        good = json_array_append_new(list, json_string("email")) == 0;
    if (good)
        return list;
    json_decref(list);
    return NULL;
}

/* A native client has no secret, so there is nothing here that is one. Of a SAML provider
 * it is only said that there is one: whoever logs in there begins there. */
static json_t *
provider_of(const struct config_provider *p)
{
    if (config_is_saml(p))
        return json_pack(
            "{s:s, s:s, s:s}", "name", p->name, "kind", "saml", "issuer", p->issuer);
    return json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", p->name, "kind",
        p->demo ? "demo" : "oidc", "issuer", p->issuer, "client_id",
        p->login_client_id ? p->login_client_id : p->client_id[0], "scopes",
        scopes_of(p));
}

static json_t *
providers_of(const struct config *c)
{
    json_t *list = json_array();
    bool good = list != NULL;

    for (size_t i = 0; i < c->providers && good; i++)
        good = json_array_append_new(list, provider_of(&c->provider[i])) == 0;
    if (good)
        return list;
    json_decref(list);
    return NULL;
}

static bool
set_url(json_t *o, const char *name, const char *issuer, const char *path)
{
    return json_object_set_new(o, name, json_sprintf("%s%s", issuer, path)) == 0;
}

json_t *
server_metadata_document(const struct config *config, const char *root_vkey)
{
    const char *issuer = config->issuer.url;
    json_t *o = json_pack("{s:s, s:[], s:[s,s], s:[s,s,s], s:[s,s], s:[s], s:[s,s], "
                          "s:[s,s], s:[s,s], s:o, s:s*}",
        "issuer", issuer, "response_types_supported", /* nobody is sent here */
        "grant_types_supported", "urn:ietf:params:oauth:grant-type:token-exchange",
        "client_credentials", "token_endpoint_auth_methods_supported", "none",
        "private_key_jwt", "self_signed_tls_client_auth",
        "token_endpoint_auth_signing_alg_values_supported", "ES256", "RS256",
        "revocation_endpoint_auth_methods_supported", "none", /* the key is proven */
        "introspection_endpoint_auth_methods_supported", "private_key_jwt",
        "self_signed_tls_client_auth", /* or a ticket under Authorization */
        "introspection_endpoint_auth_signing_alg_values_supported", "ES256", "RS256",
        "dpop_signing_alg_values_supported", "ES256", "RS256",
        "meshauth_login_providers", providers_of(config), "meshauth_root", root_vkey);

    if (o && set_url(o, "jwks_uri", issuer, "/.well-known/jwks.json") &&
        set_url(o, "token_endpoint", issuer, "/v1/token") &&
        set_url(o, "introspection_endpoint", issuer, "/v1/introspect") &&
        set_url(o, "revocation_endpoint", issuer, "/v1/revoke") &&
        set_url(o, "service_documentation", issuer, "/v1/openapi.json"))
        return o;
    json_decref(o);
    return NULL;
}

/* That of now: the root may begin another epoch while we run. */
static json_t *
document_of(const struct service *service)
{
    struct shared_ref *keys = own_keys_take(service->keys);
    char vkey[NOTE_VKEY_MAX + 1];

    note_verifier_format(&keystore_authority(own_keys_of(keys))->root, vkey);
    shared_drop(keys);
    return server_metadata_document(service->config, vkey);
}

void
server_metadata_start(struct http_exchange *x)
{
    /* A new configuration is a new start; a client may be late by so much. */
    static const char *const headers[] = {"Cache-Control: public, max-age=300", NULL};
    const struct service *service = http_context(x);
    json_t *o = document_of(service);
    char *text = o ? json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

    json_decref(o);
    if (text)
        http_answer(x, 200, "application/json", text_of(text), headers);
    else
        problem_answer(x, "unavailable", NULL, NULL);
    free(text);
}
