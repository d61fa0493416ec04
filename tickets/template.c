#include "tickets/template.h"

#include <string.h>

#include "base/id.h"
#include "base/str.h"

#define SAML "urn:oasis:names:tc:SAML:2.0:assertion"
#define DS   "http://www.w3.org/2000/09/xmldsig#"
#define EXC  "http://www.w3.org/2001/10/xml-exc-c14n#"
#define MORE "http://www.w3.org/2001/04/xmldsig-more#"

const char TEMPLATE_SIGNED_INFO[] = "<ds:SignedInfo xmlns:ds=\"" DS "\">";

/* What values may be. */

static bool
is_ticket_id(struct text t)
{
    struct text digits = {t.p + 1, TICKET_ID_LEN - 1};

    return t.len == TICKET_ID_LEN && t.p[0] == '_' &&
           str_is_hex(digits, TICKET_ID_LEN - 1);
}

static bool
is_key_id(struct text t)
{
    return str_is_hex(t, MAUTH_KEY_ID_LEN);
}

static bool
is_principal(struct text t)
{
    enum id_kind kind = id_kind_of(t.p, t.len);

    return kind == ID_USER || kind == ID_SERVICE;
}

static bool
is_session(struct text t)
{
    return id_kind_of(t.p, t.len) == ID_SESSION;
}

/* The parts of the form. */

void
template_head(struct pass *p, struct ticket *t)
{
    PASS_FIXED(p, "<saml:Assertion xmlns:saml=\"" SAML "\" ID=\"");
    pass_value(p, &t->id, is_ticket_id, '"');
    PASS_FIXED(p, " IssueInstant=\"");
    pass_instant(p, &t->issued_s, '"');
    PASS_FIXED(p, " Version=\"2.0\"><saml:Issuer>");
    pass_value(p, &t->issuer, str_is_uri, '<');
    PASS_FIXED(p, "/saml:Issuer>");
}

void
template_signature_open(struct pass *p)
{
    PASS_FIXED(p, "<ds:Signature xmlns:ds=\"" DS "\"><ds:SignedInfo>");
}

static void
digest(struct pass *p, struct ticket *t)
{
    struct text raw = {(const char *)t->digest, HASH_LEN};

    pass_bytes(p, &raw, '<');
    if (!p->reading)
        return;
    if (raw.len == HASH_LEN)
        memcpy(t->digest, raw.p, HASH_LEN);
    else
        p->failed = true;
}

void
template_signed_info(struct pass *p, struct ticket *t)
{
    struct text id = t->id;

    PASS_FIXED(p,
        "<ds:CanonicalizationMethod Algorithm=\"" EXC
        "\"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"" MORE);
    if (PASS_ANOTHER(p, t->alg == KEY_RSA_SHA256, "rsa-sha256")) {
        t->alg = KEY_RSA_SHA256;
    } else {
        PASS_FIXED(p, "ecdsa-sha256");
        t->alg = KEY_ECDSA_SHA256;
    }
    PASS_FIXED(p, "\"></ds:SignatureMethod><ds:Reference URI=\"#");
    pass_value(p, &id, is_ticket_id, '"');
    PASS_FIXED(p, "><ds:Transforms><ds:Transform Algorithm=\"" DS
                  "enveloped-signature\"></ds:Transform><ds:Transform Algorithm=\"" EXC
                  "\"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm=\""
                  "http://www.w3.org/2001/04/xmlenc#sha256"
                  "\"></ds:DigestMethod><ds:DigestValue>");
    digest(p, t);
    PASS_FIXED(p, "/ds:DigestValue></ds:Reference></ds:SignedInfo>");
}

void
template_signature_value(struct pass *p, struct ticket *t)
{
    PASS_FIXED(p, "<ds:SignatureValue>");
    pass_bytes(p, &t->signature, '<');
    PASS_FIXED(p, "/ds:SignatureValue><ds:KeyInfo><ds:KeyName>");
    pass_value(p, &t->key_id, is_key_id, '<');
    PASS_FIXED(p, "/ds:KeyName></ds:KeyInfo></ds:Signature>");
}

static void
confirmation(struct pass *p, struct ticket *t)
{
    struct text spki = {(const char *)t->holder_spki, t->holder_spki_len};
    struct text recipient = t->audience[0];
    int64_t until_s = t->not_on_or_after_s;

    PASS_FIXED(p, "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:");
    if (PASS_ANOTHER(p, t->holder_spki != NULL, "holder-of-key")) {
        PASS_FIXED(p, "\"><saml:SubjectConfirmationData"
                      " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
                      " xsi:type=\"saml:KeyInfoConfirmationDataType\">"
                      "<ds:KeyInfo xmlns:ds=\"" DS "\"><dsig11:DEREncodedKeyValue"
                      " xmlns:dsig11=\"http://www.w3.org/2009/xmldsig11#\">");
        pass_bytes(p, &spki, '<');
        if (!key_spki_is_well_formed((const uint8_t *)spki.p, spki.len))
            p->failed = true;
        t->holder_spki = (const uint8_t *)spki.p;
        t->holder_spki_len = spki.len;
        PASS_FIXED(p, "/dsig11:DEREncodedKeyValue></ds:KeyInfo>");
    } else {
        /* Recipient and NotOnOrAfter repeat what Conditions say: when they do
         * not, what is written again differs from what was read. */
        PASS_FIXED(p, "bearer\"><saml:SubjectConfirmationData NotOnOrAfter=\"");
        pass_instant(p, &until_s, '"');
        PASS_FIXED(p, " Recipient=\"");
        pass_value(p, &recipient, str_is_uri, '"');
        PASS_FIXED(p, ">");
    }
    PASS_FIXED(
        p, "</saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>");
}

static void
conditions(struct pass *p, struct ticket *t)
{
    size_t i = 0;

    PASS_FIXED(p, "<saml:Conditions NotBefore=\"");
    pass_instant(p, &t->not_before_s, '"');
    PASS_FIXED(p, " NotOnOrAfter=\"");
    pass_instant(p, &t->not_on_or_after_s, '"');
    PASS_FIXED(p, "><saml:AudienceRestriction>");
    for (; PASS_ANOTHER(p, i < t->audiences, "<saml:Audience>"); i++) {
        if (i == TICKET_AUDIENCES) {
            p->failed = true;
            return;
        }
        pass_value(p, &t->audience[i], str_is_uri, '<');
        PASS_FIXED(p, "/saml:Audience>");
    }
    t->audiences = i;
    PASS_FIXED(p, "</saml:AudienceRestriction></saml:Conditions>");
}

static void
authn(struct pass *p, struct ticket *t)
{
    struct text session = ticket_session(t); /* reading: it comes later, see above */

    t->has_authn =
        PASS_ANOTHER(p, t->has_authn, "<saml:AuthnStatement AuthnInstant=\"");
    if (!t->has_authn)
        return;
    pass_instant(p, &t->authn_instant_s, '"');
    PASS_FIXED(p, " SessionIndex=\"");
    pass_value(p, &session, is_session, '"');
    PASS_FIXED(p, "><saml:AuthnContext><saml:AuthnContextClassRef>");
    pass_value(p, &t->authn_class, str_is_uri, '<');
    PASS_FIXED(
        p, "/saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>");
}

/* Four actions have names in SAML (core 8.1.2); all others, never these, are ours. */
static const struct {
    const char *ours;
    const char *name;
} rwedc[] = {
    {"read", "Read"}, {"write", "Write"}, {"delete", "Delete"}, {"control", "Control"}};

enum {
    RWEDC = sizeof(rwedc) / sizeof(*rwedc)
};

static size_t
in_rwedc(struct text action)
{
    size_t i = 0;

    while (i < RWEDC && !text_is(action, rwedc[i].ours))
        i++;
    return i;
}

static bool
is_own_action(struct text t)
{
    return str_is_name(t) && in_rwedc(t) == RWEDC;
}

static bool
is_saml_action(struct text t)
{
    for (size_t i = 0; i < RWEDC; i++)
        if (text_is(t, rwedc[i].name))
            return true;
    return false;
}

/* The rest of <saml:Action Namespace=". */
static void
action(struct pass *p, struct text *name)
{
    size_t known = p->reading ? 0 : in_rwedc(*name);

    if (PASS_ANOTHER(p, known < RWEDC, "urn:oasis:names:tc:SAML:1.0:action:rwedc\">")) {
        struct text theirs = text_of(p->reading ? NULL : rwedc[known].name);

        pass_value(p, &theirs, is_saml_action, '<');
        for (known = 0; known < RWEDC && !text_is(theirs, rwedc[known].name);)
            known++;
        if (known < RWEDC)
            *name = text_of(rwedc[known].ours);
    } else {
        PASS_FIXED(p, "urn:meshauth:action\">");
        pass_value(p, name, is_own_action, '<');
    }
    PASS_FIXED(p, "/saml:Action>");
}

static void
permits(struct pass *p, struct ticket *t)
{
    size_t i = 0, next = 0;

    for (; PASS_ANOTHER(p, i < t->permits,
             "<saml:AuthzDecisionStatement Decision=\"Permit\" Resource=\"");
         i++) {
        struct ticket_permit *permit = &t->permit[i];
        size_t j = 0;

        if (i == TICKET_PERMITS) {
            p->failed = true;
            return;
        }
        pass_value(p, &permit->resource, str_is_uri, '"');
        PASS_FIXED(p, ">");
        if (p->reading)
            permit->first = next;
        for (; PASS_ANOTHER(p, j < permit->count, "<saml:Action Namespace=\""); j++) {
            if (next == TICKET_ACTIONS) {
                p->failed = true;
                return;
            }
            action(p, &t->action[permit->first + j]);
            next++;
        }
        permit->count = j;
        PASS_FIXED(p, "</saml:AuthzDecisionStatement>");
    }
    t->permits = i;
    t->actions = next;
}

/* The rest of <saml:Attribute Name="urn:meshauth:fact:. */
static void
fact(struct pass *p, struct ticket_fact *f)
{
    size_t r = p->reading ? 0 : f->relation;

    if (p->reading) {
        struct text name = reader_until(&p->in, '"');

        while (r < FACT_RELATIONS &&
               !text_is(name, ticket_relation_name((enum ticket_relation)r)))
            r++;
        if (r == FACT_RELATIONS) {
            p->failed = true;
            return;
        }
        f->relation = (enum ticket_relation)r;
    } else {
        buf_str(p->out, ticket_relation_name(f->relation));
        buf_u8(p->out, '"');
    }
    PASS_FIXED(p, " NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\">");
    for (size_t i = 0; i < ticket_relation_arity(f->relation); i++) {
        PASS_FIXED(p, "<saml:AttributeValue>");
        pass_value(p, &f->arg[i], ticket_relation_arg(f->relation, i), '<');
        PASS_FIXED(p, "/saml:AttributeValue>");
    }
    PASS_FIXED(p, "</saml:Attribute>");
}

static void
facts(struct pass *p, struct ticket *t)
{
    size_t i = 0;

    PASS_FIXED(p, "<saml:AttributeStatement>");
    for (; PASS_ANOTHER(p, i < t->facts, "<saml:Attribute Name=\"urn:meshauth:fact:");
         i++) {
        if (i == TICKET_FACTS) {
            p->failed = true;
            return;
        }
        fact(p, &t->fact[i]);
    }
    t->facts = i;
    PASS_FIXED(p, "</saml:AttributeStatement>");
}

void
template_tail(struct pass *p, struct ticket *t)
{
    PASS_FIXED(p, "<saml:Subject><saml:NameID"
                  " Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\">");
    pass_value(p, &t->subject, is_principal, '<');
    PASS_FIXED(p, "/saml:NameID>");
    confirmation(p, t);
    conditions(p, t);
    authn(p, t);
    permits(p, t);
    facts(p, t);
    PASS_FIXED(p, "</saml:Assertion>");
}
