/* What a ticket says: the accessors of <meshauth/ticket.h>. */
#include <stdlib.h>

#include "base/str.h"
#include "tickets/decode.h"

/* Values lie terminated in the ticket's pool. */
static const char *
string(struct text t)
{
    return t.len ? t.p : NULL;
}

void
mauth_ticket_free(struct mauth_ticket *ticket)
{
    free(ticket);
}

enum mauth_rc
mauth_ticket_read_untrusted(
    const char *xml, size_t len, struct mauth_ticket **out, struct mauth_err *err)
{
    enum mauth_rc rc = ticket_decode(xml, len, out, err);

    if (rc == MAUTH_OK)
        ticket_forget_input(*out);
    return rc;
}

const char *
mauth_ticket_id(const struct mauth_ticket *t)
{
    return string(t->says.id);
}

const char *
mauth_ticket_issuer(const struct mauth_ticket *t)
{
    return string(t->says.issuer);
}

const char *
mauth_ticket_subject(const struct mauth_ticket *t)
{
    return string(t->says.subject);
}

const char *
mauth_ticket_session(const struct mauth_ticket *t)
{
    return string(ticket_session(&t->says));
}

const char *
mauth_ticket_key_id(const struct mauth_ticket *t)
{
    return string(t->says.key_id);
}

const char *
mauth_ticket_holder(const struct mauth_ticket *t)
{
    return string(ticket_holder(&t->says));
}

uint64_t
mauth_ticket_asof(const struct mauth_ticket *t)
{
    return t->asof;
}

int64_t
mauth_ticket_issued_s(const struct mauth_ticket *t)
{
    return t->says.issued_s;
}

int64_t
mauth_ticket_not_before_s(const struct mauth_ticket *t)
{
    return t->says.not_before_s;
}

int64_t
mauth_ticket_not_on_or_after_s(const struct mauth_ticket *t)
{
    return t->says.not_on_or_after_s;
}

bool
mauth_ticket_is_identity(const struct mauth_ticket *t)
{
    return t->says.has_authn;
}

int64_t
mauth_ticket_authn_instant_s(const struct mauth_ticket *t)
{
    return t->says.authn_instant_s;
}

const char *
mauth_ticket_authn_class(const struct mauth_ticket *t)
{
    return string(t->says.authn_class);
}

const uint8_t *
mauth_ticket_holder_spki(const struct mauth_ticket *t, size_t *len)
{
    *len = t->says.holder_spki_len;
    return t->says.holder_spki;
}

const uint8_t *
mauth_ticket_digest(const struct mauth_ticket *t)
{
    return t->digest;
}

size_t
mauth_ticket_audience_count(const struct mauth_ticket *t)
{
    return t->says.audiences;
}

const char *
mauth_ticket_audience(const struct mauth_ticket *t, size_t i)
{
    return i < t->says.audiences ? string(t->says.audience[i]) : NULL;
}

size_t
mauth_ticket_permit_count(const struct mauth_ticket *t)
{
    return t->says.permits;
}

const char *
mauth_ticket_permit_resource(const struct mauth_ticket *t, size_t i)
{
    return i < t->says.permits ? string(t->says.permit[i].resource) : NULL;
}

size_t
mauth_ticket_permit_action_count(const struct mauth_ticket *t, size_t i)
{
    return i < t->says.permits ? t->says.permit[i].count : 0;
}

const char *
mauth_ticket_permit_action(const struct mauth_ticket *t, size_t i, size_t j)
{
    if (j >= mauth_ticket_permit_action_count(t, i))
        return NULL;
    return string(t->says.action[t->says.permit[i].first + j]);
}

size_t
mauth_ticket_fact_count(const struct mauth_ticket *t)
{
    return t->says.facts;
}

const char *
mauth_ticket_fact_relation(const struct mauth_ticket *t, size_t i)
{
    return i < t->says.facts ? ticket_relation_name(t->says.fact[i].relation) : NULL;
}

size_t
mauth_ticket_fact_arity(const struct mauth_ticket *t, size_t i)
{
    return i < t->says.facts ? ticket_relation_arity(t->says.fact[i].relation) : 0;
}

const char *
mauth_ticket_fact_arg(const struct mauth_ticket *t, size_t i, size_t j)
{
    return j < mauth_ticket_fact_arity(t, i) ? string(t->says.fact[i].arg[j]) : NULL;
}
