#include "cli/resource_metadata.h"

#include <string.h>

#include <jansson.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/url.h"

#define WELL_KNOWN "/.well-known/oauth-protected-resource"
#define HTTPS      "https://"

/* How long https://HOST[:PORT] is; 0: it does not begin so. */
static size_t
origin_of(const char *url)
{
    size_t https = strlen(HTTPS), host;

    if (strncmp(url, HTTPS, https) != 0)
        return 0;
    host = strcspn(url + https, "/?#");
    return host ? https + host : 0;
}

enum mauth_rc
resource_metadata_place(
    const char *metadata_url, const char *url, struct buf *out, struct mauth_err *err)
{
    size_t origin = origin_of(url), known = strlen(WELL_KNOWN);
    const char *path = metadata_url + origin, *resource;

    if (!origin || origin != origin_of(metadata_url) ||
        strncmp(metadata_url, url, origin) != 0 ||
        strncmp(path, WELL_KNOWN, known) != 0 || (path[known] && path[known] != '/') ||
        !url_is_strict(text_of(metadata_url)))
        return mauth_fail(err, MAUTH_UNTRUSTED,
            "the service describes itself at another place than its own");
    buf_put(out, metadata_url, origin);
    buf_str(out, path + known);
    resource = buf_cstr(out);
    if (!resource)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    if (path[known] && !url_is_within(text_of(url), text_of(resource)))
        return mauth_fail(err, MAUTH_UNTRUSTED,
            "the service describes another place than the one that was asked for");
    return MAUTH_OK;
}

void
resource_metadata_url(struct text resource, struct buf *out)
{
    size_t https = strlen(HTTPS), origin = https;

    while (origin < resource.len && resource.p[origin] != '/')
        origin++;
    buf_text(out, (struct text){resource.p, origin});
    buf_str(out, WELL_KNOWN);
    buf_text(out, (struct text){resource.p + origin, resource.len - origin});
}

static bool
is_text(const json_t *v, const char *want)
{
    const char *s = json_string_value(v);

    return s && strlen(s) == json_string_length(v) && strcmp(s, want) == 0;
}

static enum mauth_rc
read_object(json_t *o, const char *resource, struct resource_metadata *out,
    struct mauth_err *err)
{
    json_t *servers = json_object_get(o, "authorization_servers");
    const json_t *dpop = json_object_get(o, "dpop_bound_access_tokens_required");

    if (!json_is_object(o) || !json_is_array(servers) ||
        (dpop && !json_is_boolean(dpop)))
        return mauth_fail(
            err, MAUTH_MALFORMED, "what the service says of itself has not its form");
    if (!is_text(json_object_get(o, "resource"), resource))
        return mauth_fail(err, MAUTH_UNTRUSTED,
            "what the service says of itself is about another resource than %.64s",
            resource);
    out->dpop = json_is_true(dpop);
    out->servers = json_incref(servers);
    return MAUTH_OK;
}

enum mauth_rc
resource_metadata_read(struct text json, const char *resource,
    struct resource_metadata *out, struct mauth_err *err)
{
    enum mauth_rc rc;
    json_t *o;

    memset(out, 0, sizeof(*out));
    if (json.len > RESOURCE_METADATA_MAX)
        return mauth_fail(
            err, MAUTH_MALFORMED, "what the service says of itself is too long");
    o = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, NULL);
    rc = read_object(o, resource, out, err);
    json_decref(o);
    return rc;
}

void
resource_metadata_clear(struct resource_metadata *m)
{
    json_decref(m->servers);
    memset(m, 0, sizeof(*m));
}

enum mauth_rc
resource_metadata_check(
    const struct resource_metadata *m, const char *issuer, struct mauth_err *err)
{
    for (size_t i = 0; i < json_array_size(m->servers); i++)
        if (is_text(json_array_get(m->servers, i), issuer))
            return MAUTH_OK;
    return mauth_fail(err, MAUTH_UNTRUSTED,
        "the service takes no tickets of %.100s; --account names another account",
        issuer);
}
