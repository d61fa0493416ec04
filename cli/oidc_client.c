#include "cli/oidc_client.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "cli/output.h"
#include "net/fetch.h"

static const char *const headers[] = {"Accept: application/json", NULL};

void
oidc_client_say(const struct oidc_client *client)
{
    fputs("Log in at ", stderr);
    output_text(stderr, client->name);
    fputs(" (", stderr);
    output_text(stderr, client->issuer);
    fputs(")", stderr);
}

void
oidc_fields_write(struct buf *out, const struct oidc_field *fields)
{
    for (const struct oidc_field *f = fields; f->name; f++) {
        buf_printf(out, "%s%s=", f == fields ? "" : "&", f->name);
        fetch_form_escape(out, f->value, strlen(f->value));
    }
}

static enum mauth_rc
ask(const struct oidc_client *client, const struct fetch_request *r, long *status,
    struct buf *answer, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    enum mauth_rc rc = fetch_do(client->fetch, r, status, answer, &why);

    if (rc)
        return mauth_fail(
            err, rc, "the provider %s cannot be asked: %s", client->name, why.text);
    return MAUTH_OK;
}

enum mauth_rc
oidc_client_discover(struct oidc_client *client, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    struct fetch_request r = {.headers = headers};
    struct buf url, body;
    long status = 0;
    enum mauth_rc rc;

    buf_init(&url);
    buf_init(&body);
    oidc_discovery_url(&url, client->issuer);
    r.url = buf_cstr(&url);
    if (r.url)
        rc = ask(client, &r, &status, &body, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    if (rc == MAUTH_OK && status != 200)
        rc = mauth_fail(err, status >= 500 ? MAUTH_UNAVAILABLE : MAUTH_NOT_FOUND,
            "the provider %s answered with status %ld where its OpenID configuration "
            "should be",
            client->name, status);
    if (rc == MAUTH_OK) {
        rc = oidc_discovery_read(buf_slice(&body), client->issuer, &client->at, &why);
        if (rc)
            rc = mauth_fail(
                err, rc, "the provider %s cannot be used: %s", client->name, why.text);
    }
    buf_clear(&body);
    buf_clear(&url);
    return rc;
}

enum mauth_rc
oidc_client_post(const struct oidc_client *client, const char *url,
    const struct oidc_field *fields, long *status, struct buf *answer,
    struct mauth_err *err)
{
    struct fetch_request r = {
        .url = url,
        .method = "POST",
        .content_type = "application/x-www-form-urlencoded",
        .headers = headers,
    };
    struct buf body;
    enum mauth_rc rc;

    buf_init_secret(&body);
    oidc_fields_write(&body, fields);
    r.body = buf_slice(&body);
    if (buf_ok(&body))
        rc = ask(client, &r, status, answer, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    buf_clear(&body);
    return rc;
}
