#include "cli/oidc_discovery.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/fail.h"
#include "base/str.h"

void
oidc_discovery_url(struct buf *out, const char *issuer)
{
    size_t len = strlen(issuer);

    /* "/" at the end goes before the path is put there. */
    buf_put(out, issuer, len && issuer[len - 1] == '/' ? len - 1 : len);
    buf_str(out, "/.well-known/openid-configuration");
}

void
oidc_discovery_clear(struct oidc_discovery *d)
{
    free(d->authorization_endpoint);
    free(d->token_endpoint);
    free(d->device_endpoint);
    memset(d, 0, sizeof(*d));
}

/* Secrets go there, and a browser: over TLS, to a host and not by a name of ours. */
static bool
is_endpoint(const char *url)
{
    struct text t = text_of(url);
    size_t host;

    if (t.len > OIDC_URL_MAX || !text_starts(t, "https://") || !str_is_uri(t) ||
        strchr(url, '#'))
        return false;
    host = strcspn(url + 8, "/?");
    return host > 0 && !memchr(url + 8, '@', host);
}

static enum mauth_rc
take_endpoint(
    const json_t *o, const char *name, bool needed, char **out, struct mauth_err *err)
{
    const json_t *v = json_object_get(o, name);
    const char *url = json_string_value(v);

    if (!v && !needed)
        return MAUTH_OK;
    if (!url)
        return mauth_fail(
            err, MAUTH_MALFORMED, "its configuration has no \"%s\" that is text", name);
    if (!is_endpoint(url))
        return mauth_fail(err, MAUTH_UNTRUSTED,
            "its \"%s\" is not an https:// URL that could be asked", name);
    *out = strdup(url);
    return *out ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
}

static bool
holds(const json_t *list, const char *value)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *s = json_string_value(json_array_get(list, i));

        if (s && strcmp(s, value) == 0)
            return true;
    }
    return false;
}

/* Who says nothing may still know it; who lists others does not. */
static enum mauth_rc
check_pkce(const json_t *o, struct mauth_err *err)
{
    const json_t *methods = json_object_get(o, "code_challenge_methods_supported");

    if (!methods || holds(methods, "S256"))
        return MAUTH_OK;
    return mauth_fail(err, MAUTH_DENIED,
        "it does not know PKCE with S256, without which no code is safe on a device");
}

static enum mauth_rc
read_document(const json_t *o, const char *issuer, struct oidc_discovery *out,
    struct mauth_err *err)
{
    const char *own = json_string_value(json_object_get(o, "issuer"));
    enum mauth_rc rc;

    if (!own)
        return mauth_fail(
            err, MAUTH_MALFORMED, "its configuration does not say whose it is");
    if (strcmp(own, issuer) != 0)
        return mauth_fail(
            err, MAUTH_UNTRUSTED, "its configuration is another issuer's");
    rc = check_pkce(o, err);
    if (rc == MAUTH_OK)
        rc = take_endpoint(o, "token_endpoint", true, &out->token_endpoint, err);
    if (rc == MAUTH_OK)
        rc = take_endpoint(
            o, "authorization_endpoint", false, &out->authorization_endpoint, err);
    if (rc == MAUTH_OK)
        rc = take_endpoint(
            o, "device_authorization_endpoint", false, &out->device_endpoint, err);
    out->states_issuer = json_is_true(
        json_object_get(o, "authorization_response_iss_parameter_supported"));
    return rc;
}

enum mauth_rc
oidc_discovery_read(struct text json, const char *issuer, struct oidc_discovery *out,
    struct mauth_err *err)
{
    enum mauth_rc rc;
    json_t *o;

    memset(out, 0, sizeof(*out));
    if (json.len > OIDC_DISCOVERY_MAX)
        return mauth_fail(
            err, MAUTH_TOO_LARGE, "its configuration has %zu bytes", json.len);
    o = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, NULL);
    rc = read_document(o, issuer, out, err);
    json_decref(o);
    if (rc)
        oidc_discovery_clear(out);
    return rc;
}
