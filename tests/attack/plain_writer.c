#include "tests/attack/plain_writer.h"

#include <string.h>
#include <time.h>

#include <openssl/evp.h>

static void
put_time(struct buf *out, int64_t t_s)
{
    char text[64];
    time_t t = (time_t)t_s;
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    buf_str(out, text);
}

static void
put_base64(struct buf *out, const void *data, size_t len)
{
    unsigned char text[1024];

    EVP_EncodeBlock(text, data, (int)len);
    buf_str(out, (const char *)text);
}

static void
put_escaped(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '&')
            buf_str(out, "&amp;");
        else
            buf_u8(out, (uint8_t)*text);
    }
}

static void
put_signature(struct buf *out, const struct mauth_ticket *t)
{
    buf_str(out, "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">"
                 "<ds:SignedInfo>"
                 "<ds:CanonicalizationMethod"
                 " Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">"
                 "</ds:CanonicalizationMethod>"
                 "<ds:SignatureMethod"
                 " Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#");
    buf_str(out, t->says.alg == KEY_RSA_SHA256 ? "rsa-sha256" : "ecdsa-sha256");
    buf_printf(
        out, "\"></ds:SignatureMethod><ds:Reference URI=\"#%s\">", mauth_ticket_id(t));
    buf_str(out, "<ds:Transforms><ds:Transform"
                 " Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\">"
                 "</ds:Transform><ds:Transform"
                 " Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">"
                 "</ds:Transform></ds:Transforms><ds:DigestMethod"
                 " Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\">"
                 "</ds:DigestMethod><ds:DigestValue>");
    put_base64(out, t->says.digest, sizeof(t->says.digest));
    buf_str(out, "</ds:DigestValue></ds:Reference></ds:SignedInfo><ds:SignatureValue>");
    put_base64(out, t->says.signature.p, t->says.signature.len);
    buf_printf(out,
        "</ds:SignatureValue><ds:KeyInfo><ds:KeyName>%s</ds:KeyName></ds:KeyInfo>"
        "</ds:Signature>",
        mauth_ticket_key_id(t));
}

static void
put_confirmation(struct buf *out, const struct mauth_ticket *t)
{
    size_t len;
    const uint8_t *spki = mauth_ticket_holder_spki(t, &len);

    buf_str(out, "<saml:SubjectConfirmation"
                 " Method=\"urn:oasis:names:tc:SAML:2.0:cm:");
    if (spki) {
        buf_str(out, "holder-of-key\"><saml:SubjectConfirmationData"
                     " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
                     " xsi:type=\"saml:KeyInfoConfirmationDataType\"><ds:KeyInfo"
                     " xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">"
                     "<dsig11:DEREncodedKeyValue"
                     " xmlns:dsig11=\"http://www.w3.org/2009/xmldsig11#\">");
        put_base64(out, spki, len);
        buf_str(out, "</dsig11:DEREncodedKeyValue></ds:KeyInfo>");
    } else {
        buf_str(out, "bearer\"><saml:SubjectConfirmationData NotOnOrAfter=\"");
        put_time(out, mauth_ticket_not_on_or_after_s(t));
        buf_str(out, "\" Recipient=\"");
        put_escaped(out, mauth_ticket_audience(t, 0));
        buf_str(out, "\">");
    }
    buf_str(out,
        "</saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>");
}

static void
put_conditions(struct buf *out, const struct mauth_ticket *t)
{
    buf_str(out, "<saml:Conditions NotBefore=\"");
    put_time(out, mauth_ticket_not_before_s(t));
    buf_str(out, "\" NotOnOrAfter=\"");
    put_time(out, mauth_ticket_not_on_or_after_s(t));
    buf_str(out, "\"><saml:AudienceRestriction>");
    for (size_t i = 0; i < mauth_ticket_audience_count(t); i++) {
        buf_str(out, "<saml:Audience>");
        put_escaped(out, mauth_ticket_audience(t, i));
        buf_str(out, "</saml:Audience>");
    }
    buf_str(out, "</saml:AudienceRestriction></saml:Conditions>");
}

static void
put_authn(struct buf *out, const struct mauth_ticket *t)
{
    if (!mauth_ticket_is_identity(t))
        return;
    buf_str(out, "<saml:AuthnStatement AuthnInstant=\"");
    put_time(out, mauth_ticket_authn_instant_s(t));
    buf_printf(out,
        "\" SessionIndex=\"%s\"><saml:AuthnContext><saml:AuthnContextClassRef>",
        mauth_ticket_session(t));
    put_escaped(out, mauth_ticket_authn_class(t));
    buf_str(
        out, "</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>");
}

static void
put_action(struct buf *out, const char *name)
{
    static const char *const rwedc[][2] = {{"read", "Read"}, {"write", "Write"},
        {"delete", "Delete"}, {"control", "Control"}};

    for (size_t i = 0; i < 4; i++) {
        if (strcmp(rwedc[i][0], name) == 0) {
            buf_printf(out,
                "<saml:Action Namespace=\"urn:oasis:names:tc:SAML:1.0:action:rwedc\">"
                "%s</saml:Action>",
                rwedc[i][1]);
            return;
        }
    }
    buf_printf(
        out, "<saml:Action Namespace=\"urn:meshauth:action\">%s</saml:Action>", name);
}

static void
put_permits(struct buf *out, const struct mauth_ticket *t)
{
    for (size_t i = 0; i < mauth_ticket_permit_count(t); i++) {
        buf_str(out, "<saml:AuthzDecisionStatement Decision=\"Permit\" Resource=\"");
        put_escaped(out, mauth_ticket_permit_resource(t, i));
        buf_str(out, "\">");
        for (size_t j = 0; j < mauth_ticket_permit_action_count(t, i); j++)
            put_action(out, mauth_ticket_permit_action(t, i, j));
        buf_str(out, "</saml:AuthzDecisionStatement>");
    }
}

static void
put_facts(struct buf *out, const struct mauth_ticket *t)
{
    buf_str(out, "<saml:AttributeStatement>");
    for (size_t i = 0; i < mauth_ticket_fact_count(t); i++) {
        buf_printf(out,
            "<saml:Attribute Name=\"urn:meshauth:fact:%s\""
            " NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\">",
            mauth_ticket_fact_relation(t, i));
        for (size_t j = 0; j < mauth_ticket_fact_arity(t, i); j++) {
            buf_str(out, "<saml:AttributeValue>");
            put_escaped(out, mauth_ticket_fact_arg(t, i, j));
            buf_str(out, "</saml:AttributeValue>");
        }
        buf_str(out, "</saml:Attribute>");
    }
    buf_str(out, "</saml:AttributeStatement>");
}

void
plain_write(const struct mauth_ticket *t, struct buf *out)
{
    buf_printf(out,
        "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"%s\""
        " IssueInstant=\"",
        mauth_ticket_id(t));
    put_time(out, mauth_ticket_issued_s(t));
    buf_str(out, "\" Version=\"2.0\"><saml:Issuer>");
    put_escaped(out, mauth_ticket_issuer(t));
    buf_str(out, "</saml:Issuer>");
    put_signature(out, t);
    buf_printf(out,
        "<saml:Subject><saml:NameID"
        " Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\">"
        "%s</saml:NameID>",
        mauth_ticket_subject(t));
    put_confirmation(out, t);
    put_conditions(out, t);
    put_authn(out, t);
    put_permits(out, t);
    put_facts(out, t);
    buf_str(out, "</saml:Assertion>");
}
