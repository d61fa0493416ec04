#include "cli/token_exchange.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "net/fetch.h"

#define TYPE_SAML2 "urn:ietf:params:oauth:token-type:saml2"

enum {
    STATUS_BUSY = 429,
    MARGIN_MAX_S = 60,
    MARGIN_PART = 4 /* of a ticket's life */
};

/* The form. */

static void
put_field(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "%s%s=", out->len ? "&" : "", name);
    fetch_form_escape(out, value, strlen(value));
}

static void
put_rights(struct buf *out, const struct token_rights *r)
{
    for (size_t i = 0; i < r->audiences; i++)
        put_field(out, "audience", r->audience[i]);
    for (size_t i = 0; i < r->resources; i++)
        put_field(out, "resource", r->resource[i]);
    for (size_t i = 0; i < r->actions; i++) {
        buf_str(out, i ? "+" : "&scope=");
        fetch_form_escape(out, r->action[i], strlen(r->action[i]));
    }
}

/* RFC 8693 2.1. */
static void
write_form(struct buf *out, const struct account *a, const struct token_rights *r)
{
    put_field(out, "grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
    put_field(out, "requested_token_type", TYPE_SAML2);
    put_field(out, "subject_token_type", TYPE_SAML2);
    put_field(out, "subject_token", grant_credential(account_grant(a), 0));
    if (r)
        put_rights(out, r);
}

/* One request. */

static enum mauth_rc
post(const struct account *a, struct text body, struct buf *answer, long *status,
    struct mauth_err *err)
{
    static const char *const headers[] = {"Accept: application/json", NULL};
    const struct fetch_options o = {
        .ca_file = account_ca_file(a),
        .cert_file = account_certificate_file(a),
        .key_file = account_key_file(a),
        .max_bytes = GRANT_MAX,
    };
    char url[SERVICE_URL_MAX + sizeof("/v1/token")];
    const struct fetch_request r = {.url = url,
        .method = "POST",
        .content_type = "application/x-www-form-urlencoded",
        .headers = headers,
        .body = body};
    struct fetch *f = NULL;
    enum mauth_rc rc = net_init(err);

    snprintf(url, sizeof(url), "%s/v1/token", account_url(a));
    if (rc == MAUTH_OK)
        rc = fetch_open(&o, &f, err);
    if (rc == MAUTH_OK)
        rc = fetch_do(f, &r, status, answer, err);
    fetch_close(f);
    return rc;
}

static void
copy_member(const json_t *o, const char *name, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(o, name));

    snprintf(out, size, "%s", text ? text : "");
}

/* RFC 6749 5.2. */
static enum mauth_rc
read_refusal(const struct account *a, const struct buf *answer,
    struct token_refusal *no, struct mauth_err *err)
{
    json_t *o = json_loadb(
        (const char *)answer->data, answer->len, JSON_REJECT_DUPLICATES, NULL);
    bool failed = no->status >= 500 || no->status == STATUS_BUSY;

    copy_member(o, "error", no->error, sizeof(no->error));
    copy_member(o, "error_description", no->text, sizeof(no->text));
    copy_member(o, "request_id", no->request, sizeof(no->request));
    json_decref(o);
    return mauth_fail(err, failed ? MAUTH_UNAVAILABLE : MAUTH_DENIED,
        "%.100s refused with status %ld", account_url(a), no->status);
}

enum mauth_rc
token_exchange(const struct account *a, const struct token_rights *rights,
    struct buf *answer, struct token_refusal *no, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf form;

    memset(no, 0, sizeof(*no));
    buf_init_secret(&form);
    write_form(&form, a, rights);
    if (buf_ok(&form))
        rc = post(a, (struct text){(const char *)form.data, form.len}, answer,
            &no->status, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    buf_clear(&form);
    if (rc == MAUTH_OK && no->status != 200)
        rc = read_refusal(a, answer, no, err);
    return rc;
}

/* Renewal. */

int64_t
token_margin_s(const struct mauth_ticket *t)
{
    int64_t part_s =
        (mauth_ticket_not_on_or_after_s(t) - mauth_ticket_issued_s(t)) / MARGIN_PART;

    return part_s < MARGIN_MAX_S ? part_s : MARGIN_MAX_S;
}

bool
token_is_due(const struct account *a, int64_t now_s)
{
    const struct mauth_ticket *who = grant_ticket(account_grant(a), 0);

    return !grant_is_valid(account_grant(a), now_s + token_margin_s(who));
}

enum mauth_rc
token_renew(struct account *a, struct token_refusal *no, struct mauth_err *err)
{
    const struct grant_owner owner = {account_url(a), account_key(a)};
    struct grant *grant = NULL;
    enum mauth_rc rc;
    struct buf answer;

    buf_init_secret(&answer);
    rc = token_exchange(a, NULL, &answer, no, err);
    if (rc == MAUTH_OK)
        rc = grant_from_answer(
            (struct text){(const char *)answer.data, answer.len}, &owner, &grant, err);
    if (rc == MAUTH_OK)
        rc = account_renew(a, grant, err);
    if (rc != MAUTH_OK)
        grant_free(grant);
    buf_clear(&answer);
    return rc;
}

enum mauth_rc
token_keep_fresh(
    struct account *a, int64_t now_s, struct token_refusal *no, struct mauth_err *err)
{
    enum mauth_rc rc;

    memset(no, 0, sizeof(*no));
    if (!token_is_due(a, now_s))
        return MAUTH_OK;
    rc = token_renew(a, no, err);
    if (rc != MAUTH_UNAVAILABLE || !grant_is_valid(account_grant(a), now_s))
        return rc;
    mauth_err_reset(err);
    return MAUTH_OK;
}
