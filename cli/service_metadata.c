#include "cli/service_metadata.h"

#include <string.h>

#include <jansson.h>

#include "base/fail.h"
#include "base/str.h"
#include "keys/delegation.h"
#include "net/fetch.h"

enum mauth_rc
service_metadata_fetch(const struct service_url *service, const char *ca_file,
    struct buf *body, struct mauth_err *err)
{
    static const char *const headers[] = {"Accept: application/json", NULL};
    const struct fetch_options o = {
        .ca_file = ca_file, .max_bytes = SERVICE_METADATA_MAX};
    struct fetch_request r = {.headers = headers};
    struct fetch *f = NULL;
    struct buf url;
    long status = 0;
    enum mauth_rc rc;

    buf_init(&url);
    buf_printf(&url, "%s/.well-known/oauth-authorization-server", service->text);
    r.url = buf_cstr(&url);
    if (r.url)
        rc = fetch_open(&o, &f, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    if (rc == MAUTH_OK)
        rc = fetch_do(f, &r, &status, body, err);
    if (rc == MAUTH_OK && status != 200)
        rc = mauth_fail(err, status >= 500 ? MAUTH_UNAVAILABLE : MAUTH_NOT_FOUND,
            "%s answered with status %ld where its metadata should be; is it an "
            "account service?",
            service->text, status);
    fetch_close(f);
    buf_clear(&url);
    return rc;
}

static enum mauth_rc
read_root(const json_t *o, const struct service_url *service, struct note_verifier *out,
    struct mauth_err *err)
{
    const char *issuer = json_string_value(json_object_get(o, "issuer"));
    const char *vkey = json_string_value(json_object_get(o, "meshauth_root"));
    enum mauth_rc rc;

    if (!issuer)
        return mauth_fail(err, MAUTH_MALFORMED,
            "%s: its metadata name no issuer; is it an account service?",
            service->text);
    if (strcmp(issuer, service->text) != 0)
        return mauth_fail(err, MAUTH_UNTRUSTED,
            "%s: its metadata are another service's", service->text);
    if (!vkey)
        return mauth_fail(err, MAUTH_NOT_FOUND,
            "%s does not tell of its root; is it an account service?", service->text);
    rc = note_verifier_parse(vkey, strlen(vkey), out, err);
    if (rc == MAUTH_OK && !delegation_is_named(out, text_of(service->text), "/root"))
        rc = mauth_fail(err, MAUTH_UNTRUSTED, "%s tells of another's root: %s",
            service->text, out->name);
    return rc;
}

enum mauth_rc
service_metadata_root(struct text json, const struct service_url *service,
    struct note_verifier *out, struct mauth_err *err)
{
    json_t *o = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, NULL);
    enum mauth_rc rc = read_root(o, service, out, err);

    json_decref(o);
    return rc;
}
