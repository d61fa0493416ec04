/* What SignedInfo points to, and what is done to it before it is hashed. */
#include "tests/attack/attack.h"

#define URI    "<ds:Reference URI=\"#$I\">"
#define METHOD "<ds:CanonicalizationMethod Algorithm=\"" EXC_C14N "\">"
#define ENVELOPED \
    "<ds:Transform Algorithm=\"" DS_NS "enveloped-signature\"></ds:Transform>"
#define EXC "<ds:Transform Algorithm=\"" EXC_C14N "\"></ds:Transform>"
#define TRANSFORM(uri, content) \
    "<ds:Transform Algorithm=\"" uri "\">" content "</ds:Transform>"
#define C14N "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
#define PREFIXES(list)                                                     \
    "<ec:InclusiveNamespaces xmlns:ec=\"" EXC_C14N "\" PrefixList=\"" list \
    "\"></ec:InclusiveNamespaces>"
#define END_REFERENCE "</ds:Reference>"

/* Wrong digests. */
enum {
    OF_NOTHING,
    OF_ZEROS,
    OF_ALL,
    OF_31_BYTES,
    OF_33_BYTES,
    OF_SHA1,
    OF_NO_BYTES,
};

static void
put_digest(struct forgery *f, int which)
{
    static const size_t lengths[] = {32, 32, 32, 31, 33, 20, 0};
    uint8_t digest[33] = {0};

    if (which == OF_NOTHING)
        assert_int_equal(hash_bytes("", 0, digest, NULL), MAUTH_OK);
    if (which == OF_ALL)
        assert_int_equal(hash_bytes(f->xml.data, f->xml.len, digest, NULL), MAUTH_OK);
    forgery_put(f, "DigestValue", digest, lengths[which]);
}

static const struct attack list[] = {
    /* Other references. */
    MISMADE("an empty URI: the whole document", "XML-DSig 4.4.3.2", "\"#$I\"", "\"\"",
        FORM),
    MISMADE("no URI", "XML-DSig 4.4.3.1", " URI=\"#$I\"", "", FORM),
    MISMADE("a URI without '#'", "XML-DSig 4.4.3.1", "\"#$I\"", "\"$I\"", FORM),
    MISMADE("'#' alone", "RFC 3986 4.4", "\"#$I\"", "\"#\"", FORM),
    MISMADE("two '#'", "RFC 3986 3.5", "\"#$I\"", "\"##$I\"", FORM),
    MISMADE("#xpointer(/)", "XML-DSig 4.4.3.2", "\"#$I\"", "\"#xpointer(/)\"", FORM),
    MISMADE("#xpointer(id('ID'))", "CVE-2013-2154", "\"#$I\"",
        "\"#xpointer(id('$I'))\"", FORM),
    MISMADE(
        "#element(/1)", "XPointer element scheme", "\"#$I\"", "\"#element(/1)\"", FORM),
    MISMADE("#xmlns(...)xpointer(...)", "XPointer xmlns scheme", "\"#$I\"",
        "\"#xmlns(s=" SAML_NS ")xpointer(//s:Subject)\"", FORM),
    MISMADE("an injected XPointer", "xmlsec id('%s')", "\"#$I\"", "\"#$I') | id('$J\"",
        FORM),
    MISMADE("an escaped ID", "XML 1.0 4.1", "\"#$I\"", "\"#&#95;$J\"", FORM),
    MISMADE("a percent-encoded ID", "RFC 3986 2.1", "\"#$I\"", "\"#%5F$J\"", FORM),
    MISMADE(
        "https:", "CVE-2021-40690", "\"#$I\"", "\"https://evil.example/a.xml\"", FORM),
    MISMADE("https: with the ID", "CVE-2021-40690", "\"#$I\"",
        "\"https://evil.example/a.xml#$I\"", FORM),
    MISMADE("file:", "CVE-2021-40690", "\"#$I\"", "\"file:///etc/passwd\"", FORM),
    MISMADE("cid:", "SOAP attachments", "\"#$I\"", "\"cid:ticket\"", FORM),
    MISMADE("a blank behind the ID", "XML 1.0 3.3.3", "#$I\"", "#$I \"", FORM),
    MISMADE("a blank before the ID", "XML 1.0 3.3.3", "\"#$I\"", "\" #$I\"", FORM),
    MISMADE("Type of an Object", "XML-DSig 4.4.3.1", URI,
        "<ds:Reference Type=\"" DS_NS "Object\" URI=\"#$I\">", FORM),
    MISMADE("Type of a Manifest", "XML-DSig 5.1", URI,
        "<ds:Reference Type=\"" DS_NS "Manifest\" URI=\"#$I\">", FORM),
    MISMADE("the Reference twice", "CVE-2013-2153", END_REFERENCE,
        "$0<ds:Reference URI=\"#$I\"></ds:Reference>", FORM),
    MISMADE("a Reference to another ID first", "CVE-2013-2153", URI,
        "<ds:Reference URI=\"#$J\"></ds:Reference>$0", FORM),
    MISMADE("a Reference to the Signature itself", "XML-DSig 4.4.3", END_REFERENCE,
        "$0<ds:Reference URI=\"\"></ds:Reference>", FORM),

    /* Transforms. */
    MISMADE("no Transforms", "implicit c14n, XML-DSig 4.4.3.2",
        "<ds:Transforms>" ENVELOPED EXC "</ds:Transforms>", "", FORM),
    MISMADE("empty Transforms", "XML-DSig 4.4.3.4", ENVELOPED EXC, "", FORM),
    MISMADE("only the enveloped signature", "implicit c14n, XML-DSig 4.4.3.2", EXC, "",
        FORM),
    MISMADE("no enveloped signature", "XML-DSig 6.6.4", ENVELOPED, "", FORM),
    MISMADE("transforms in the other order", "XML-DSig 4.4.3.4", ENVELOPED EXC,
        EXC ENVELOPED, FORM),
    MISMADE("enveloped signature twice", "CVE-2021-39171", ENVELOPED, "$0$0", FORM),
    MISMADE("canonical twice", "CVE-2021-39171", EXC, "$0$0", FORM),
    MISMADE("a hundred transforms", "CVE-2021-39171", EXC, "$0$0$0$0$0$0$0$0$0$0", FORM,
        .edit[1] = {EXC, "$0$0$0$0$0$0$0$0$0$0"}),
    MISMADE(
        "inclusive canonical XML", "XML-DSig 6.5.1", EXC, TRANSFORM(C14N, ""), FORM),
    MISMADE("inclusive canonical XML 1.1", "XML-DSig 6.5.2", EXC,
        TRANSFORM("http://www.w3.org/2006/12/xml-c14n11", ""), FORM),
    MISMADE("canonical with comments", "CVE-2017-11427", EXC,
        TRANSFORM(EXC_C14N "WithComments", ""), FORM),
    MISMADE("inclusive prefixes", "exc-c14n 3", EXC,
        TRANSFORM(EXC_C14N, PREFIXES("saml")), FORM),
    MISMADE("inclusive prefixes, none of them", "The Fragile Lock 2025", EXC,
        TRANSFORM(EXC_C14N, PREFIXES("")), FORM),
    MISMADE("canonicalisation that fails", "CVE-2025-66568", "<saml:Subject>",
        "<saml:Subject xmlns:r=\"relative/uri\">", FORM),
    MISMADE("XPath that leaves nothing", "McIntosh & Austel 2005", ENVELOPED,
        TRANSFORM(
            "http://www.w3.org/TR/1999/REC-xpath-19991116", "<ds:XPath>0</ds:XPath>"),
        FORM),
    MISMADE("XPath that leaves the Subject out", "McIntosh & Austel 2005", EXC,
        TRANSFORM("http://www.w3.org/TR/1999/REC-xpath-19991116",
            "<ds:XPath>not(ancestor-or-self::*[local-name()='Subject'])</"
            "ds:XPath>") "$0",
        FORM),
    MISMADE("XPath Filter 2", "XPath Filter 2.0", EXC,
        TRANSFORM("http://www.w3.org/2002/06/xmldsig-filter2", "") "$0", FORM),
    MISMADE("XSLT", "CVE-2022-47966", EXC,
        TRANSFORM("http://www.w3.org/TR/1999/REC-xslt-19991116",
            "<xsl:stylesheet xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\""
            " version=\"1.0\"></xsl:stylesheet>") "$0",
        FORM),
    MISMADE("base64", "XML-DSig 6.6.2", EXC, TRANSFORM(DS_NS "base64", ""), FORM),
    MISMADE("decryption", "Decryption Transform", EXC,
        TRANSFORM("http://www.w3.org/2002/07/decrypt#XML", ""), FORM),
    MISMADE("STR-Transform", "WS-Security 8.3", EXC,
        TRANSFORM("http://docs.oasis-open.org/wss/2004/01/"
                  "oasis-200401-wss-soap-message-security-1.0#STR-Transform",
            ""),
        FORM),
    MISMADE("an unknown transform", "XML-DSig 6.1", EXC, TRANSFORM("urn:x", ""), FORM),
    MISMADE("a transform without Algorithm", "XML-DSig 4.4.3.4", EXC,
        "<ds:Transform></ds:Transform>", FORM),
    MISMADE("a parameter in the enveloped signature", "XML-DSig 6.6.4",
        "enveloped-signature\"></ds:Transform>",
        "enveloped-signature\"><ds:XPath>1</ds:XPath></ds:Transform>", FORM),

    /* How SignedInfo itself is made canonical. */
    MISMADE("SignedInfo in inclusive canonical XML", "XML-DSig 4.4.1", METHOD,
        "<ds:CanonicalizationMethod Algorithm=\"" C14N "\">", FORM),
    MISMADE("SignedInfo with comments", "CVE-2017-11427", METHOD,
        "<ds:CanonicalizationMethod Algorithm=\"" EXC_C14N "WithComments\">", FORM),
    MISMADE("an arbitrary CanonicalizationMethod", "CVE-2013-2172", METHOD,
        "<ds:CanonicalizationMethod Algorithm=\"urn:x\">", FORM),
    MISMADE("an empty CanonicalizationMethod", "CVE-2013-2172", METHOD,
        "<ds:CanonicalizationMethod Algorithm=\"\">", FORM),
    MISMADE("no CanonicalizationMethod", "CVE-2013-2172",
        METHOD "</ds:CanonicalizationMethod>", "", FORM),
    MISMADE("two of them", "CVE-2013-2172", METHOD "</ds:CanonicalizationMethod>",
        "$0$0", FORM),
    MISMADE("prefixes in CanonicalizationMethod", "The Fragile Lock 2025", METHOD,
        "$0" PREFIXES("ds saml #default"), FORM),
    MISMADE("XSLT as CanonicalizationMethod", "CVE-2013-2172", METHOD,
        "<ds:CanonicalizationMethod"
        " Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\">",
        FORM),
    MISMADE("the name spaces declared in SignedInfo", "exc-c14n 2", "<ds:SignedInfo>",
        "<ds:SignedInfo xmlns:ds=\"" DS_NS "\">", FORM),

    /* DigestValue. */
    FORGED("DigestValue of nothing", "CVE-2025-66568", "<ds:DigestValue>",
        "$047DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=</ds:DigestValue><x>", FORM),
    MADE(RESIGNED, "DigestValue of nothing, signed", "CVE-2025-66568", put_digest,
        OF_NOTHING, SIGNATURE),
    MADE(RESIGNED, "DigestValue of zeros, signed", "XML-DSig 3.2.1", put_digest,
        OF_ZEROS, SIGNATURE),
    MADE(RESIGNED, "DigestValue over the Signature too, signed", "XML-DSig 6.6.4",
        put_digest, OF_ALL, SIGNATURE),
    MADE(RESIGNED, "DigestValue of 31 bytes, signed", "XML-DSig 4.4.3.6", put_digest,
        OF_31_BYTES, FORM),
    MADE(RESIGNED, "DigestValue of 33 bytes, signed", "XML-DSig 4.4.3.6", put_digest,
        OF_33_BYTES, FORM),
    MADE(RESIGNED, "DigestValue of SHA-1, signed", "XML-DSig 6.2.1", put_digest,
        OF_SHA1, FORM),
    MADE(RESIGNED, "DigestValue empty, signed", "XML-DSig 4.4.3.6", put_digest,
        OF_NO_BYTES, FORM),
    FORGED("a comment in DigestValue", "CVE-2025-29775", "<ds:DigestValue>",
        "$0<!-- 47DEQpj8HBSa -->", FORM),
    MISMADE("a DigestValue before the signed one", "CVE-2024-45409", "<ds:DigestMethod",
        "<ds:DigestValue>AAAA</ds:DigestValue>$0", FORM),
    MISMADE("two DigestValues", "CVE-2024-45409", END_REFERENCE,
        "<ds:DigestValue>AAAA</ds:DigestValue>$0", FORM),
    MISMADE("a DigestValue elsewhere in the assertion", "CVE-2024-45409",
        "<saml:Conditions",
        "<ds:DigestValue xmlns:ds=\"" DS_NS "\">AAAA</ds:DigestValue>$0", FORM),
};

const struct attack_group attacks_on_references = {
    "References, transforms, digests", list, COUNT(list)};
