#include "cli/token_exchange.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "net/fetch.h"

enum {
    MARGIN_MAX_S = 60,
    MARGIN_PART = 4 /* of a ticket's life */
};

static void
put_rights(struct buf *out, const struct token_rights *r)
{
    for (size_t i = 0; i < r->audiences; i++)
        token_put_field(out, "audience", r->audience[i]);
    for (size_t i = 0; i < r->resources; i++)
        token_put_field(out, "resource", r->resource[i]);
    for (size_t i = 0; i < r->actions; i++) {
        buf_str(out, i ? "+" : "&scope=");
        fetch_form_escape(out, r->action[i], strlen(r->action[i]));
    }
}

static enum mauth_rc
post(const struct account *a, const struct buf *form, struct buf *answer,
    struct token_refusal *no, struct mauth_err *err)
{
    const struct fetch_options o = {
        .ca_file = account_ca_file(a),
        .cert_file = account_certificate_file(a),
        .key_file = account_key_file(a),
        .max_bytes = GRANT_MAX,
    };
    struct fetch *f = NULL;
    enum mauth_rc rc = net_init(err);

    if (rc == MAUTH_OK)
        rc = fetch_open(&o, &f, err);
    if (rc == MAUTH_OK)
        rc = token_post(f, account_url(a), form, answer, no, err);
    fetch_close(f);
    return rc;
}

enum mauth_rc
token_exchange(const struct account *a, const struct token_rights *rights,
    struct buf *answer, struct token_refusal *no, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf form;

    memset(no, 0, sizeof(*no));
    buf_init_secret(&form);
    token_put_exchange(&form, grant_credential(account_grant(a), 0));
    if (rights)
        put_rights(&form, rights);
    rc = post(a, &form, answer, no, err);
    buf_clear(&form);
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
        rc = grant_from_answer(buf_slice(&answer), &owner, &grant, err);
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
