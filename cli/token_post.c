#include "cli/token_post.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/fail.h"
#include "cli/service_url.h"
#include "net/fetch.h"

#define TYPE_SAML2 "urn:ietf:params:oauth:token-type:saml2"

enum {
    STATUS_BUSY = 429
};

void
token_put_field(struct buf *form, const char *name, const char *value)
{
    buf_printf(form, "%s%s=", form->len ? "&" : "", name);
    fetch_form_escape(form, value, strlen(value));
}

void
token_put_exchange(struct buf *form, const char *credential)
{
    token_put_field(
        form, "grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
    token_put_field(form, "requested_token_type", TYPE_SAML2);
    token_put_field(form, "subject_token_type", TYPE_SAML2);
    token_put_field(form, "subject_token", credential);
}

static void
copy_member(const json_t *o, const char *name, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(o, name));

    snprintf(out, size, "%s", text ? text : "");
}

/* RFC 6749 5.2. */
static enum mauth_rc
read_refusal(const char *url, const struct buf *answer, struct token_refusal *no,
    struct mauth_err *err)
{
    json_t *o = json_loadb(
        (const char *)answer->data, answer->len, JSON_REJECT_DUPLICATES, NULL);
    bool failed = no->status >= 500 || no->status == STATUS_BUSY;

    copy_member(o, "error", no->error, sizeof(no->error));
    copy_member(o, "error_description", no->text, sizeof(no->text));
    copy_member(o, "request_id", no->request, sizeof(no->request));
    json_decref(o);
    return mauth_fail(err, failed ? MAUTH_UNAVAILABLE : MAUTH_DENIED,
        "%.100s refused with status %ld", url, no->status);
}

enum mauth_rc
token_post(struct fetch *f, const char *url, const struct buf *form, struct buf *answer,
    struct token_refusal *no, struct mauth_err *err)
{
    static const char *const headers[] = {"Accept: application/json", NULL};
    char endpoint[SERVICE_URL_MAX + sizeof("/v1/token")];
    const struct fetch_request r = {.url = endpoint,
        .method = "POST",
        .content_type = "application/x-www-form-urlencoded",
        .headers = headers,
        .body = buf_slice(form)};
    enum mauth_rc rc;

    memset(no, 0, sizeof(*no));
    if (!buf_ok(form))
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    snprintf(endpoint, sizeof(endpoint), "%s/v1/token", url);
    rc = fetch_do(f, &r, &no->status, answer, err);
    if (rc == MAUTH_OK && no->status != 200)
        rc = read_refusal(url, answer, no, err);
    return rc;
}
