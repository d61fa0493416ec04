#include "authsvc/provider_keys.h"

#include <string.h>

#include "authsvc/fresh.h"
#include "authsvc/provider_document.h"
#include "base/fail.h"
#include "base/str.h"

#define WELL_KNOWN "/.well-known/openid-configuration"

enum {
    URI_MAX = 2048
};

/* OpenID Connect Discovery 4.3: the issuer inside must be the one we asked for. */
static enum mauth_rc
read_metadata(const struct config_provider *config, const struct buf *body,
    struct buf *uri, struct mauth_err *err)
{
    json_t *json =
        json_loadb((const char *)body->data, body->len, JSON_REJECT_DUPLICATES, NULL);
    const char *issuer = json_string_value(json_object_get(json, "issuer"));
    const char *jwks_uri = json_string_value(json_object_get(json, "jwks_uri"));
    enum mauth_rc rc = MAUTH_OK;

    if (!issuer || !jwks_uri)
        rc = mauth_fail(err, MAUTH_MALFORMED,
            "provider: its metadata do not name \"issuer\" and \"jwks_uri\"");
    else if (strcmp(issuer, config->issuer) != 0)
        rc = mauth_fail(
            err, MAUTH_UNTRUSTED, "provider: its metadata are another issuer's");
    else if (!text_starts(text_of(jwks_uri), "https://") || strlen(jwks_uri) > URI_MAX)
        rc = mauth_fail(err, MAUTH_UNTRUSTED, "provider: \"jwks_uri\" is not https");
    else
        buf_str(uri, jwks_uri);
    json_decref(json);
    return rc;
}

static enum mauth_rc
discover(const struct config_provider *config, struct fetch *fetch, struct jwks **out,
    struct mauth_err *err)
{
    const char *issuer = config->issuer;
    size_t len = strlen(issuer);
    struct buf url, body;
    enum mauth_rc rc;

    *out = NULL;
    buf_init(&url);
    buf_init(&body);
    /* "/" at the end goes before the path is put there (Discovery 4). */
    buf_put(&url, issuer, len && issuer[len - 1] == '/' ? len - 1 : len);
    buf_str(&url, WELL_KNOWN);
    if (!buf_cstr(&url)) {
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "provider: no memory");
        goto out;
    }
    rc = provider_document_fetch(fetch, (const char *)url.data, &body, err);
    buf_rewind(&url);
    if (rc == MAUTH_OK)
        rc = read_metadata(config, &body, &url, err);
    buf_rewind(&body);
    if (rc == MAUTH_OK && !buf_cstr(&url))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "provider: no memory");
    if (rc == MAUTH_OK)
        rc = provider_document_fetch(fetch, (const char *)url.data, &body, err);
    if (rc == MAUTH_OK)
        rc = jwks_parse(buf_slice(&body), out, err);
out:
    buf_clear(&url);
    buf_clear(&body);
    return rc;
}

static enum mauth_rc
parse(struct text json, void *arg, struct mauth_err *err)
{
    struct jwks **out = arg;
    enum mauth_rc rc = jwks_parse(json, out, err);

    if (rc == MAUTH_OK && jwks_count(*out) == 0)
        rc = mauth_fail(err, MAUTH_MALFORMED, "it has no key for RS256 or ES256");
    return rc;
}

static enum mauth_rc
load(const struct config_provider *config, struct fetch *fetch, void **out,
    struct mauth_err *err)
{
    struct jwks *jwks = NULL;
    enum mauth_rc rc =
        fetch ? discover(config, fetch, &jwks, err)
              : provider_document_read(config->jwks_file, JWKS_MAX, parse, &jwks, err);

    *out = jwks; /* fresh.c frees it when it is no good */
    return rc;
}

static void
free_keys(void *object)
{
    jwks_free(object);
}

static struct fresh_options
options_of(const struct config_provider *config)
{
    return (struct fresh_options){
        .config = config,
        .load = load,
        .free_object = free_keys,
        .max_bytes = JWKS_MAX,
        .from_file = config->jwks_file != NULL,
        .for_good = true,
    };
}

enum mauth_rc
provider_keys_open(
    const struct config_provider *config, struct fresh **out, struct mauth_err *err)
{
    const struct fresh_options o = options_of(config);

    return fresh_open(&o, out, err);
}

enum mauth_rc
provider_keys_check(const struct config_provider *config, struct mauth_err *err)
{
    const struct fresh_options o = options_of(config);

    return fresh_check(&o, err);
}

enum mauth_rc
provider_keys_verify(struct fresh *keys, struct jws *j, const json_t **claims,
    enum jws_refusal *why, struct mauth_err *err)
{
    struct shared_ref *ref = fresh_take(keys);
    enum mauth_rc rc;

    *claims = NULL;
    *why = JWS_FINE;
    if (!ref)
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "provider: its keys were not fetched yet");
    rc = jws_verify(j, shared_object(ref), claims, why, err);
    shared_drop(ref);
    return rc;
}
