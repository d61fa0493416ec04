#include "base/fail.h"
#include "tests/unit/golden.h"
#include "tickets/decode.h"

static void
expect(const char *xml, size_t len, enum mauth_reason want, const char *what)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_ticket *t = NULL;
    enum mauth_rc rc = ticket_decode(xml, len, &t, &err);

    if (rc != mauth_reason_rc(want) || err.reason != want || t)
        fail_msg("%s: \"%s\" instead of \"%s\"", what, mauth_reason_name(err.reason),
            mauth_reason_name(want));
}

static bool
lies_in(struct text t, const char *xml, size_t len)
{
    return t.p >= xml && t.p + t.len <= xml + len;
}

/* Which bytes the digest and the signature are over, and that they fit. */
static void
decodes_every_golden_ticket(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(golden_kinds); k++) {
        for (size_t a = 0; a < COUNT(golden_algs); a++) {
            struct mauth_ticket *t = NULL;
            size_t len;
            char *xml = golden_xml(golden_kinds[k], golden_algs[a], &len);

            assert_int_equal(ticket_decode(xml, len, &t, NULL), MAUTH_OK);
            assert_memory_equal(t->digest, t->says.digest, HASH_LEN);
            assert_int_equal(t->asof, 4711);
            assert_ptr_equal(t->head.p, xml);
            assert_ptr_equal(t->tail.p + t->tail.len, xml + len);
            assert_true(lies_in(t->signed_info, xml, len));
            assert_int_equal(t->says.alg, a == 0 ? KEY_ECDSA_SHA256 : KEY_RSA_SHA256);
            ticket_forget_input(t);
            assert_int_equal(t->head.len + t->tail.len + t->signed_info.len, 0);
            mauth_ticket_free(t);
            free(xml);
        }
    }
}

/* '&' is written as &amp; and read as itself. */
static void
unescapes(void **state)
{
    struct mauth_ticket *t = NULL;
    size_t len;
    char *xml = golden_xml("bearer", "p256", &len);

    (void)state;
    assert_int_equal(mauth_ticket_read_untrusted(xml, len, &t, NULL), MAUTH_OK);
    assert_string_equal(mauth_ticket_permit_resource(t, 0),
        GOLDEN_ISSUER "/v1/mesh/folders/fld_0fffffffffffffffffffffffff/R&D/a'b(1)");
    assert_string_equal(mauth_ticket_permit_action(t, 0, 1), "subscribe");
    mauth_ticket_free(t);
    free(xml);
}

static void
refuses_every_cut_and_addition(void **state)
{
    size_t len;
    char *xml = golden_xml("rights", "p256", &len), *more = malloc(len + 2);

    (void)state;
    for (size_t i = 0; i < len; i++) {
        expect(xml, i, MAUTH_REASON_FORM, "cut short");
        memcpy(more, xml, i);
        more[i] = ' ';
        memcpy(more + i + 1, xml + i, len - i);
        expect(more, len + 1, MAUTH_REASON_FORM, "a space put in");
    }
    memcpy(more, xml, len);
    more[len] = '\n';
    expect(more, len + 1, MAUTH_REASON_FORM, "a newline behind");
    free(more);
    free(xml);
}

/* Forms that an XML parser takes for the same document; and some that it should not. */
static const struct spelling {
    const char *name, *what, *with;
} spellings[] = {
    {"declaration", "<saml:Assertion", "<?xml version=\"1.0\"?><saml:Assertion"},
    {"doctype", "<saml:Assertion", "<!DOCTYPE a><saml:Assertion"},
    {"comment in a value", ":storage", ":sto<!-- -->rage"},
    {"CDATA", ":storage", ":<![CDATA[storage]]>"},
    {"character reference", ":storage", ":st&#111;rage"},
    {"quotes", "Version=\"2.0\"", "Version='2.0'"},
    {"order of attributes",
        "Decision=\"Permit\" Resource=", "Resource=\"x:\" Decision="},
    {"empty element tag", "></ds:Transform>", "/>"},
    {"white space in a tag", "</saml:Issuer>", "</saml:Issuer >"},
    {"upper-case base64 padding", "</ds:DigestValue>", "=</ds:DigestValue>"},
    {"inclusive c14n", "xml-exc-c14n#\"></ds:C", "REC-xml-c14n-20010315\"></ds:C"},
    {"sha1", "xmlenc#sha256", "xmldsig#sha1"},
    {"hmac", "ecdsa-sha256", "hmac-sha256"},
    {"reference to nothing", "URI=\"#_0303", "URI=\"#_0304"},
    {"reference to all", "URI=\"#_03030303030303030303030303030303\"", "URI=\"\""},
    {"another namespace", "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0",
        "xmlns:saml=\"urn:oasis:names:tc:SAML:1.0"},
    {"version", "Version=\"2.0\"", "Version=\"2.1\""},
    {"deny", "Decision=\"Permit\"", "Decision=\"Deny\""},
    {"rwedc in our name", "rwedc\">Read", "rwedc\">read"},
    {"our name for read", "urn:oasis:names:tc:SAML:1.0:action:rwedc\">Read",
        "urn:meshauth:action\">read"},
    {"unknown relation", "fact:holder", "fact:keeper"},
    {"fact without its argument", "<saml:AttributeValue>4711</saml:AttributeValue>",
        ""},
    {"number with a zero before", "4711", "04711"},
    {"negative number", "4711", "-4711"},
    {"two asof", "<saml:Attribute Name=\"urn:meshauth:fact:claimed\"",
        "<saml:Attribute Name=\"urn:meshauth:fact:asof\" "
        "NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\">"
        "<saml:AttributeValue>4712</saml:AttributeValue></saml:Attribute>"
        "<saml:Attribute Name=\"urn:meshauth:fact:claimed\""},
    {"NameID of a device", ">usr_0aaaaaaaaaaaaaaaaaaaaaaaaa</saml:NameID>",
        ">dev_0aaaaaaaaaaaaaaaaaaaaaaaaa</saml:NameID>"},
    {"id beyond 128 bits", ">usr_0aaa", ">usr_8aaa"},
    {"time without Z", "10:10:00Z", "10:10:00"},
    {"fraction of a second", "10:10:00Z", "10:10:00.0Z"},
    {"leap second", "10:10:00Z", "10:09:60Z"},
    {"no such day", "NotOnOrAfter=\"2026-11-22", "NotOnOrAfter=\"2026-11-31"},
    {"NotBefore is NotOnOrAfter", "NotOnOrAfter=\"2026-11-22T10:10",
        "NotOnOrAfter=\"2026-11-22T10:00"},
    {"audience of no kind", ">urn:meshauth:service:storage<", ">urn:example:storage<"},
    {"audience twice", "</saml:Audience>",
        "</saml:Audience><saml:Audience>urn:meshauth:service:storage</saml:Audience>"},
    {"issuer as audience of a rights ticket", ">urn:meshauth:service:storage<",
        ">" GOLDEN_ISSUER "<"},
    {"no audience", "<saml:Audience>urn:meshauth:service:storage</saml:Audience>", ""},
    {"markup in a resource", "Resource=\"https://", "Resource=\"<https://"},
    {"percent without digits", "Resource=\"https://", "Resource=\"https://%zz"},
    {"ampersand bare", "Resource=\"https://", "Resource=\"https://a&b"},
    {"other entity", "Resource=\"https://", "Resource=\"https://a&lt;b"},
    {"key name too short", "<ds:KeyName>9f", "<ds:KeyName>9"},
    {"key name in upper case", "<ds:KeyName>9f", "<ds:KeyName>9F"},
    {"x509 in KeyInfo", "<ds:KeyName>", "<ds:X509Data></ds:X509Data><ds:KeyName>"},
    {"signature in two lines", "<ds:SignatureValue>", "<ds:SignatureValue>\n"},
    {"holder's key cut", "dsig11#\">MF", "dsig11#\">"},
    {"digest cut", "</ds:DigestValue>", "AAAA</ds:DigestValue>"},
    {"AuthnStatement behind a permit", "<saml:AttributeStatement>",
        "<saml:AuthnStatement AuthnInstant=\"2026-11-22T09:59:58Z\">"
        "<saml:AttributeStatement>"},
    {"two subjects", "<saml:Subject>", "<saml:Subject></saml:Subject><saml:Subject>"},
    {"a resource without an action",
        "<saml:Action Namespace=\"urn:oasis:names:tc:SAML:1.0:action:rwedc\">Read"
        "</saml:Action><saml:Action "
        "Namespace=\"urn:oasis:names:tc:SAML:1.0:action:rwedc\">Write</saml:Action>",
        ""},
    {"actions out of order", ">Read<", ">Write<"},
};

/* The same for other kinds of tickets. */
static const struct {
    const char *kind;
    struct spelling s;
} of_kinds[] = {
    {"bearer", {"another Recipient", "Recipient=\"urn:meshauth:service:storage\"",
                   "Recipient=\"urn:meshauth:service:relay\""}},
    {"bearer",
        {"another end in the confirmation",
            "<saml:SubjectConfirmationData NotOnOrAfter=\"2026-11-22T10:10:00Z\"",
            "<saml:SubjectConfirmationData NotOnOrAfter=\"2026-11-22T10:10:01Z\""}},
    {"bearer", {"a bearer ticket with two audiences", "</saml:Audience>",
                   "</saml:Audience><saml:Audience>urn:meshauth:service:relay</"
                   "saml:Audience>"}},
    {"bearer",
        {"a holder in a bearer ticket",
            "<saml:Attribute Name=\"urn:meshauth:fact:member\"",
            "<saml:Attribute Name=\"urn:meshauth:fact:holder\" "
            "NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\">"
            "<saml:AttributeValue>dev_0xxxxxxxxxxxxxxxxxxxxxxxxx</saml:AttributeValue>"
            "</saml:Attribute><saml:Attribute Name=\"urn:meshauth:fact:member\""}},
    {"identity",
        {"another SessionIndex", "SessionIndex=\"ses_0s", "SessionIndex=\"ses_0t"}},
    {"identity", {"an identity ticket for a service", "<saml:Audience>" GOLDEN_ISSUER,
                     "<saml:Audience>urn:meshauth:service:storage"}},
    {"identity", {"an identity ticket for two", "</saml:Audience>",
                     "</saml:Audience><saml:Audience>urn:meshauth:service:relay</"
                     "saml:Audience>"}},
    {"identity", {"an identity ticket that permits", "<saml:AttributeStatement>",
                     "<saml:AuthzDecisionStatement Decision=\"Permit\" Resource=\"x:\">"
                     "<saml:Action Namespace=\"urn:meshauth:action\">sync</saml:Action>"
                     "</saml:AuthzDecisionStatement><saml:AttributeStatement>"}},
    {"identity", {"a class that is no URI",
                     "AuthnContextClassRef>urn:", "AuthnContextClassRef>urn;"}},
    {"service", {"a service without its fact", "fact:service", "fact:sezvice"}},
    {"service", {"a service with another's fact", "<saml:AttributeValue>svc_0v",
                    "<saml:AttributeValue>svc_0w"}},
};

static char *
respell(const char *xml, const struct spelling *c, size_t *len)
{
    const char *at = strstr(xml, c->what);
    size_t room = strlen(xml) + strlen(c->with) + 1;
    char *made = malloc(room);

    if (!at)
        fail_msg("%s: \"%s\" is not there", c->name, c->what);
    *len = (size_t)snprintf(
        made, room, "%.*s%s%s", (int)(at - xml), xml, c->with, at + strlen(c->what));
    return made;
}

static void
refuse(const char *kind, const struct spelling *c)
{
    size_t len;
    char *xml = golden_xml(kind, "p256", &len), *made = respell(xml, c, &len);

    expect(made, len, MAUTH_REASON_FORM, c->name);
    free(made);
    free(xml);
}

static void
refuses_every_other_spelling(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(spellings); i++)
        refuse("rights", &spellings[i]);
    for (size_t i = 0; i < COUNT(of_kinds); i++)
        refuse(of_kinds[i].kind, &of_kinds[i].s);
}

static void
bounds_its_size(void **state)
{
    char *xml = calloc(1, MAUTH_TICKET_MAX + 1);

    (void)state;
    memset(xml, '<', MAUTH_TICKET_MAX + 1);
    expect(xml, MAUTH_TICKET_MAX + 1, MAUTH_REASON_SIZE, "too large");
    expect(xml, MAUTH_TICKET_MAX, MAUTH_REASON_FORM, "just not too large");
    expect(xml, 0, MAUTH_REASON_FORM, "empty");
    free(xml);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_every_golden_ticket),
        cmocka_unit_test(unescapes),
        cmocka_unit_test(refuses_every_cut_and_addition),
        cmocka_unit_test(refuses_every_other_spelling),
        cmocka_unit_test(bounds_its_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
