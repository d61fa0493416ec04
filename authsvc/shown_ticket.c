#include "authsvc/shown_ticket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/own_trust.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include <meshauth/credential.h>

const char *
shown_ticket_parameter(const struct form *f, struct text *out)
{
    static const char *const nothing[] = {NULL};
    const char *token = form_value(f, "token", 0);

    if (form_repeated(f, nothing))
        return "ticket-repeated";
    if (!token)
        return "ticket-missing";
    *out = text_of(token);
    return strchr(token, '~') ? "ticket-set" : NULL;
}

static enum shown_worth
worth_of(const struct mauth_err *err)
{
    switch (err->reason) {
    case MAUTH_REASON_NONE:
    case MAUTH_REASON_TRUST_EXPIRED:
    case MAUTH_REASON_CLOCK: return SHOWN_UNSURE;
    case MAUTH_REASON_EXPIRED:
    case MAUTH_REASON_REVOKED: return SHOWN_DEAD;
    default: return SHOWN_FORGED;
    }
}

/* With what the ticket itself names, only its signature and its times count. */
static void
find_worth(const struct service *service, struct text xml, struct shown_ticket *t,
    int64_t now_s, int32_t skew_s)
{
    struct mauth_expect want = {.size = sizeof(want),
        .audience = mauth_ticket_audience(t->ticket, 0),
        .now_s = now_s,
        .skew_s = skew_s,
        .allow_bearer = true};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_ticket *verified = NULL;
    struct shared_ref *trust = NULL;
    enum mauth_rc rc = own_trust_take(service->trust, &trust, &err);

    if (rc == MAUTH_OK) {
        want.holder_spki = mauth_ticket_holder_spki(t->ticket, &want.holder_spki_len);
        rc = mauth_ticket_verify(
            xml.p, xml.len, own_trust_of(trust), &want, &verified, &err);
        shared_drop(trust);
    }
    mauth_ticket_free(verified);
    t->worth = rc == MAUTH_OK ? SHOWN_LIVE : worth_of(&err);
    if (rc != MAUTH_OK)
        t->reason = mauth_reason_name(err.reason);
}

static bool
read_names(struct shown_ticket *t)
{
    const char *subject = mauth_ticket_subject(t->ticket);
    const char *session = mauth_ticket_session(t->ticket);
    size_t len;
    const uint8_t *spki = mauth_ticket_holder_spki(t->ticket, &len);

    t->kind = id_kind_of(subject, strlen(subject));
    snprintf(t->key, sizeof(t->key), "none");
    if (spki) {
        if (hash_bytes(spki, len, t->key_hash, NULL) != MAUTH_OK)
            return false;
        str_hex(t->key_hash, MAUTH_KEY_ID_LEN / 2, t->key);
    }
    return (t->kind == ID_USER || t->kind == ID_SERVICE) &&
           id_parse(t->kind, subject, strlen(subject), &t->subject) &&
           id_parse(ID_SESSION, session, strlen(session), &t->session);
}

static bool
is_ours(const struct service *service, struct shown_ticket *t)
{
    const char *issuer = mauth_ticket_issuer(t->ticket);

    return strcmp(issuer, service->config->issuer.url) == 0 && read_names(t);
}

enum mauth_rc
shown_ticket_read(const struct service *service, struct text credential, int64_t now_s,
    int32_t skew_s, struct shown_ticket *out, struct mauth_err *err)
{
    char *xml = malloc(MAUTH_TICKET_MAX);
    struct mauth_err why = MAUTH_ERR_INIT;
    struct text text = {xml, 0};
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    if (!xml)
        return mauth_fail(err, MAUTH_NO_MEMORY, "ticket: no memory");
    rc = mauth_credential_decode(credential.p, credential.len, xml, &text.len, &why);
    if (rc == MAUTH_OK)
        rc = mauth_ticket_read_untrusted(xml, text.len, &out->ticket, &why);
    out->reason = mauth_reason_name(why.reason);
    if (rc == MAUTH_OK && is_ours(service, out)) {
        find_worth(service, text, out, now_s, skew_s);
    } else if (rc == MAUTH_OK) {
        shown_ticket_clear(out);
        out->reason = mauth_reason_name(MAUTH_REASON_ISSUER);
    }
    free(xml);
    if (rc == MAUTH_NO_MEMORY || rc == MAUTH_INTERNAL)
        return mauth_fail(err, rc, "%s", why.text);
    return MAUTH_OK;
}

void
shown_ticket_clear(struct shown_ticket *t)
{
    mauth_ticket_free(t->ticket);
    t->ticket = NULL;
}
