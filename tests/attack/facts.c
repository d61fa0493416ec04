/* Facts: order, arity, kinds, counts; signed with the genuine key. */
#include "tests/attack/attack.h"

#define ORDER          "docs/tickets.md: AttributeStatement"
#define KINDS          "docs/tickets.md: facts"
#define BOUNDS         "docs/tickets.md: bounds"
#define ATTRIBUTES_END "</saml:AttributeStatement>"
#define FORMAT_URI     "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
#define OTHER_SESSION  "ses_0rrrrrrrrrrrrrrrrrrrrrrrrr"
#define SERVICE        "svc_0vvvvvvvvvvvvvvvvvvvvvvvvv"
#define DEVICE2        "dev_0yyyyyyyyyyyyyyyyyyyyyyyyy"

/* Before session, the last of all relations; behind all that golden tickets have. */
#define WITH(n, t, facts, r) MISMADE(n, t, FACT_SES, facts "$0", r, .on = SHORT)
#define ASOF(n, value)                                        \
    MISMADE("asof: " n, "docs/tickets.md: values", FACT_4711, \
        FACT("asof", VALUE(value)), FORM)
#define ROLE(n, value)                          \
    WITH("role: " n, "docs/tickets.md: values", \
        FACT("role", VALUE(ALICE) VALUE(value)), FORM)

/* So many facts in all, none of the ticket's own: the shortest, or 16 KiB were less. */
static void
many_facts(struct forgery *f, int count)
{
    const uint8_t *facts =
        memmem(f->xml.data, f->xml.len, ATTRIBUTES, strlen(ATTRIBUTES));

    assert_non_null(facts);
    f->xml.len = (size_t)(facts - f->xml.data);
    buf_str(&f->xml, ATTRIBUTES FACT_4711);
    for (int i = 0; i < count - 2; i++) /* all but asof and session */
        buf_printf(
            &f->xml, FACT("service", VALUE("svc_0vvvvvvvvvvvvvvvvvvvvvvv%02d")), i);
    buf_str(&f->xml, FACT_SES ATTRIBUTES_END "</saml:Assertion>");
}

static const struct attack list[] = {
    /* The two that must be there. */
    MISMADE("no asof", ORDER, FACT_4711, "", FORM),
    MISMADE("no session", ORDER, FACT_SES, "", FORM),
    MISMADE("asof twice", ORDER, FACT_4711, "$0$0", FORM),
    MISMADE("two asofs", ORDER, FACT_4711, "$0" FACT("asof", VALUE("4712")), FORM),
    MISMADE("session twice", ORDER, FACT_SES, "$0$0", FORM, .on = SHORT),
    MISMADE("two sessions", ORDER, FACT_SES, FACT("session", VALUE(OTHER_SESSION)) "$0",
        FORM),
    MISMADE("no facts", ORDER, FACT_4711, "", FORM, .edit[1] = {FACT_SES, ""}),
    MISMADE("no AttributeStatement", "SAML core 2.7.3", ATTRIBUTES, "<x>", FORM),
    MISMADE("two AttributeStatements", "SAML core 2.7.3", ATTRIBUTES_END,
        "$0" ATTRIBUTES ATTRIBUTES_END, FORM),
    MISMADE("an empty AttributeStatement first", "SAML core 2.7.3", ATTRIBUTES,
        ATTRIBUTES ATTRIBUTES_END "$0", FORM),

    /* Order. */
    WITH("a fact more", "control", FACT("role", VALUE(ALICE) VALUE("publish")), NONE),
    WITH("a fact twice", ORDER,
        FACT("role", VALUE(ALICE) VALUE("a")) FACT("role", VALUE(ALICE) VALUE("a")),
        FORM),
    WITH("facts in descending order", ORDER,
        FACT("role", VALUE(ALICE) VALUE("b")) FACT("role", VALUE(ALICE) VALUE("a")),
        FORM),
    WITH("relations in descending order", ORDER,
        FACT("service", VALUE(SERVICE)) FACT("role", VALUE(ALICE) VALUE("a")), FORM),
    WITH("facts ordered by the last argument", ORDER,
        FACT("role", VALUE(BOB) VALUE("a")) FACT("role", VALUE(ALICE) VALUE("b")),
        FORM),
    WITH("facts in order, one argument a prefix", "control",
        FACT("role", VALUE(ALICE) VALUE("a")) FACT("role", VALUE(ALICE) VALUE("ab")),
        NONE),
    WITH("facts out of order, one argument a prefix", ORDER,
        FACT("role", VALUE(ALICE) VALUE("ab")) FACT("role", VALUE(ALICE) VALUE("a")),
        FORM),
    MISMADE("session first", ORDER, FACT_SES, "", FORM,
        .edit[1] = {ATTRIBUTES, ATTRIBUTES FACT_SES}),

    /* Relations. */
    WITH("an unknown relation", KINDS, FACT("owner", VALUE(ALICE)), FORM),
    WITH("a relation of the graph", KINDS, FACT("caller", VALUE(ALICE)), FORM),
    WITH("subject as a fact", KINDS, FACT("subject", VALUE(BOB)), FORM),
    WITH("permit as a fact", KINDS, FACT("permit", VALUE("read") VALUE("z:z")), FORM),
    WITH(
        "a relation in upper case", KINDS, FACT("ROLE", VALUE(ALICE) VALUE("a")), FORM),
    WITH("a relation's name and more", KINDS, FACT("roles", VALUE(ALICE) VALUE("a")),
        FORM),
    WITH("a prefix of a relation's name", KINDS, FACT("rol", VALUE(ALICE) VALUE("a")),
        FORM),
    WITH("a relation without a name", KINDS, FACT("", VALUE(ALICE)), FORM),
    WITH("another name space of facts", KINDS,
        "<saml:Attribute Name=\"urn:evil:fact:role\" NameFormat=\"" FORMAT_URI
        "\">" VALUE(ALICE) VALUE("a") "</saml:Attribute>",
        FORM),
    WITH("another NameFormat", "SAML core 8.2",
        "<saml:Attribute Name=\"urn:meshauth:fact:role\""
        " NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:basic\">" VALUE(
            ALICE) VALUE("a") "</saml:Attribute>",
        FORM),
    WITH("no NameFormat", "SAML core 2.7.3.1",
        "<saml:Attribute Name=\"urn:meshauth:fact:role\">" VALUE(ALICE)
            VALUE("a") "</saml:Attribute>",
        FORM),
    WITH("FriendlyName", "SAML core 2.7.3.1",
        "<saml:Attribute FriendlyName=\"x\" Name=\"urn:meshauth:fact:role\" "
        "NameFormat=\"" FORMAT_URI "\">" VALUE(ALICE) VALUE("a") "</saml:Attribute>",
        FORM),
    WITH("EncryptedAttribute", "SAML core 2.7.3.2",
        "<saml:EncryptedAttribute></saml:EncryptedAttribute>", FORM),
    WITH("an AttributeValue that is nil", "SAML core 2.7.3.1.1",
        FACT("role",
            VALUE(ALICE) "<saml:AttributeValue"
                         " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
                         " xsi:nil=\"true\"></saml:AttributeValue>"),
        FORM),
    WITH("an AttributeValue with a type", "SAML core 2.7.3.1.1",
        FACT("role",
            VALUE(ALICE) "<saml:AttributeValue"
                         " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
                         " xsi:type=\"xs:string\">a</saml:AttributeValue>"),
        FORM),
    WITH("an element in an AttributeValue", "CVE-2017-11430",
        FACT("role", VALUE(ALICE) VALUE("<x></x>")), FORM),

    /* Arity. */
    WITH("role of one", KINDS, FACT("role", VALUE(ALICE)), FORM),
    WITH(
        "role of three", KINDS, FACT("role", VALUE(ALICE) VALUE("a") VALUE("b")), FORM),
    WITH("role of none", KINDS, FACT("role", ""), FORM),
    WITH("service of two", KINDS, FACT("service", VALUE(SERVICE) VALUE(SERVICE)), FORM),
    MISMADE("asof of two", KINDS, FACT_4711, FACT("asof", VALUE("1") VALUE("2")), FORM),
    MISMADE("claimed of one", KINDS, FACT_4711, "$0" FACT("claimed", VALUE(DEVICE)),
        FORM, .on = BEARER),
    MISMADE("member of two", KINDS, FACT_4711,
        "$0" FACT("member", VALUE(ALICE) VALUE(FOLDER)), FORM, .on = BEARER),
    MISMADE("member of four", KINDS, FACT_4711,
        "$0" FACT("member", VALUE(ALICE) VALUE(FOLDER) VALUE("a") VALUE("b")), FORM,
        .on = BEARER),

    /* Kinds of values. */
    MISMADE("claimed(user, device)", KINDS, FACT_4711,
        "$0" FACT("claimed", VALUE(ALICE) VALUE(DEVICE)), FORM, .on = BEARER),
    MISMADE("claimed(device, service)", KINDS, FACT_4711,
        "$0" FACT("claimed", VALUE(DEVICE) VALUE(SERVICE)), FORM, .on = BEARER),
    MISMADE("mapped(folder, device)", KINDS, FACT_4711,
        "$0" FACT("mapped", VALUE(FOLDER) VALUE(DEVICE)), FORM, .on = BEARER),
    MISMADE("member(folder, user, role)", KINDS, FACT_4711,
        "$0" FACT("member", VALUE(FOLDER) VALUE(ALICE) VALUE("owner")), FORM,
        .on = BEARER),
    MISMADE("member(service, folder, role)", KINDS, FACT_4711,
        "$0" FACT("member", VALUE(SERVICE) VALUE(FOLDER) VALUE("owner")), FORM,
        .on = BEARER),
    MISMADE("holder(user)", KINDS, FACT_SES, FACT("holder", VALUE(ALICE)) "$0", FORM,
        .on = RIGHTS),
    WITH("role(device, name)", KINDS, FACT("role", VALUE(DEVICE) VALUE("a")), FORM),
    WITH("service(user)", KINDS, FACT("service", VALUE(ALICE)), FORM),
    MISMADE("session(user)", KINDS, FACT_SES, FACT("session", VALUE(ALICE)), FORM),
    MISMADE("session of nothing", KINDS, FACT_SES, FACT("session", VALUE("")), FORM),
    ROLE("none", ""),
    ROLE("in upper case", "Owner"),
    ROLE("a blank", "own er"),
    ROLE("an id is a name", "9wner"),
    ROLE("65 characters",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
    ROLE("another script", "own\xd0\xb5r"),
    ASOF("none", ""),
    ASOF("zeros in front", "004711"),
    ASOF("a sign", "+4711"),
    ASOF("below zero", "-1"),
    ASOF("hexadecimal", "0x1267"),
    ASOF("a fraction", "4711.0"),
    ASOF("an exponent", "4711e0"),
    ASOF("a blank", "4711 "),
    ASOF("19 digits", "1000000000000000000"),
    ASOF("2^64", "18446744073709551616"),
    MISMADE("asof: 18 digits", "control", FACT_4711,
        FACT("asof", VALUE("999999999999999999")), NONE),
    MISMADE("asof: 0", "control", FACT_4711, FACT("asof", VALUE("0")), NONE),

    /* Holders. */
    MISMADE("a holder in a bearer ticket", "docs/tickets.md: facts", FACT_SES,
        FACT("holder", VALUE(DEVICE)) "$0", FORM, .on = BEARER),
    MISMADE("two holders", "docs/tickets.md: facts", FACT("holder", VALUE(DEVICE)),
        "$0" FACT("holder", VALUE(DEVICE2)), FORM, .on = RIGHTS | P2P),
    MISMADE("a service's identity without its fact", "docs/tickets.md: facts", ALICE,
        SERVICE, FORM, .on = IDENTITY | P256),
    MISMADE("a service's identity with another's fact", "docs/tickets.md: facts", ALICE,
        SERVICE, FORM, .on = IDENTITY | P256,
        .edit[1] = {FACT_SES,
            FACT("service", VALUE("svc_0wwwwwwwwwwwwwwwwwwwwwwwww")) "$0"}),
    MISMADE("a service's identity with its fact", "control", ALICE, SERVICE, NONE,
        .on = IDENTITY | P256,
        .edit[1] = {FACT_SES, FACT("service", VALUE(SERVICE)) "$0"}),

    /* Bounds. */
    MADE(SIGNED, "64 facts", "control", many_facts, 64, NONE, .on = RIGHTS | BEARER),
    MADE(SIGNED, "65 facts", BOUNDS, many_facts, 65, FORM, .on = RIGHTS | BEARER),
};

const struct attack_group attacks_on_facts = {"Facts", list, COUNT(list)};
