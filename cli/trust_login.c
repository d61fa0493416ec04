#include "cli/trust_login.h"

#include <string.h>

#include "base/fail.h"
#include "cli/device_key.h"
#include "cli/token_post.h"

enum {
    LONGEST_WAIT_S = 90, /* that a request may take, during which it must stay valid */
    WAIT_PART = 4        /* of a ticket that does not live so much longer */
};

enum mauth_rc
trust_login_init(
    struct trust_login *l, const struct trust_home *home, struct mauth_err *err)
{
    memset(l, 0, sizeof(*l));
    l->home = home;
    return device_key_load(home->certificate_file, &l->key, err);
}

void
trust_login_clear(struct trust_login *l)
{
    grant_free(l->grant);
    mauth_key_free(l->key);
    memset(l, 0, sizeof(*l));
}

const char *
trust_login_credential(const struct trust_login *l)
{
    return grant_credential(l->grant, 0);
}

void
trust_login_drop(struct trust_login *l)
{
    grant_free(l->grant);
    l->grant = NULL;
}

static bool
is_due(const struct trust_login *l, int64_t now_s)
{
    const struct mauth_ticket *who = grant_ticket(l->grant, 0);
    int64_t ends_s = mauth_ticket_not_on_or_after_s(who);
    int64_t part_s = (ends_s - mauth_ticket_issued_s(who)) / WAIT_PART;

    return now_s + (part_s < LONGEST_WAIT_S ? part_s : LONGEST_WAIT_S) >= ends_s;
}

/* RFC 6749 4.4.2, and who the client is by its certificate (RFC 8705 2.2). */
static void
write_login(struct buf *form, const struct trust_login *l)
{
    token_put_field(form, "grant_type", "client_credentials");
    token_put_field(form, "client_id", l->home->service);
}

static enum mauth_rc
post(struct trust_login *l, struct fetch *f, const struct buf *form,
    struct mauth_err *err)
{
    const struct grant_owner owner = {l->home->url.text, l->key};
    struct mauth_err why = MAUTH_ERR_INIT;
    struct grant *grant = NULL;
    struct token_refusal no;
    struct buf answer;
    enum mauth_rc rc;

    buf_init_secret(&answer);
    rc = token_post(f, l->home->url.text, form, &answer, &no, &why);
    if (rc && strcmp(no.error, "invalid_client") == 0)
        rc = mauth_fail(err, rc,
            "login as %s: no such service is registered there, or not with the key "
            "that "
            "service.crt shows (%s)",
            l->home->service, no.error);
    else if (rc && no.error[0])
        rc = mauth_fail(err, rc, "login as %s: %.100s (%.32s)", l->home->service,
            no.text, no.error);
    else if (rc)
        rc = mauth_fail(err, rc, "login: %s", why.text);
    else
        rc = grant_from_answer(buf_slice(&answer), &owner, &grant, err);
    buf_clear(&answer);
    if (rc)
        return rc;
    grant_free(l->grant);
    l->grant = grant;
    return MAUTH_OK;
}

static enum mauth_rc
log_in(struct trust_login *l, struct fetch *f, bool renew, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf form;

    buf_init_secret(&form);
    if (renew)
        token_put_exchange(&form, trust_login_credential(l));
    else
        write_login(&form, l);
    rc = post(l, f, &form, err);
    buf_clear(&form);
    return rc;
}

enum mauth_rc
trust_login_keep_fresh(
    struct trust_login *l, struct fetch *f, int64_t now_s, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    enum mauth_rc rc = MAUTH_DENIED;

    if (l->grant && !is_due(l, now_s))
        return MAUTH_OK;
    if (l->grant && grant_is_valid(l->grant, now_s))
        rc = log_in(l, f, true, &why);
    if (rc != MAUTH_DENIED) { /* else that session is over: begin another */
        if (rc && err)
            *err = why;
        return rc;
    }
    trust_login_drop(l);
    return log_in(l, f, false, err);
}
