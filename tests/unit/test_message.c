/*
 * All that is known to have been done to SAML logins. Wrapping: Somorovsky et al., "On
 * Breaking SAML: Be Whoever You Want to Be", 2012.
 */
#include <time.h>

#include "saml/xml.h"
#include "tests/unit/saml_forge.h"

#define XPATH             "http://www.w3.org/TR/1999/REC-xpath-19991116"
#define XSLT              "http://www.w3.org/TR/1999/REC-xslt-19991116"
#define C14N              "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
#define DS_SHA1           "http://www.w3.org/2000/09/xmldsig#sha1"
#define XML_SHA           "http://www.w3.org/2001/04/xmlenc#sha"
#define EMPTY             "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define SIG_END           "</ds:Signature>"
#define VALUE_END         "</ds:SignatureValue>"
#define RSA_ALG           DSIG_MORE "rsa-sha256"
#define DOCTYPE(inside)   "<!DOCTYPE a [" inside "]>$M"
#define KEY_INFO(content) VALUE_END "<ds:KeyInfo>" content "</ds:KeyInfo>"
#define X509(certificate)                                                   \
    "<ds:X509Data><ds:X509Certificate>" certificate "</ds:X509Certificate>" \
    "</ds:X509Data>"
#define PREFIXES(list)                                                        \
    "<ds:Transform Algorithm=\"" EXC_C14N                                     \
    "\"><ec:InclusiveNamespaces xmlns:ec=\"" EXC_C14N "\" PrefixList=\"" list \
    "\"/></ds:Transform>"

static const struct forge_case cases[] = {
    /* Good ones, so that the others are refused for what they are. */
    {"bare", BARE, SAML_FINE, .key = NULL},
    {"in a Response", INSIDE, SAML_FINE, .key = NULL},
    {"a signed Response around", AROUND, SAML_FINE, .key = NULL},
    {"both signed", BOTH, SAML_FINE, .key = NULL},
    {"by ECDSA", BOTH, SAML_FINE,
        .before = {{RSA_ALG, DSIG_MORE "ecdsa-sha256"},
            {RSA_ALG, DSIG_MORE "ecdsa-sha256"}},
        .key = "signing-p256.pem"},
    {"with namespaces included", BARE, SAML_FINE,
        .before = {{TRANSFORM(EXC_C14N), PREFIXES("xs #default")}}},
    {"with an XML declaration", BARE, SAML_FINE,
        .after = {{NULL, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n$M"}}},
    {"with another's certificate, which is not read", BARE, SAML_FINE,
        .after = {{VALUE_END, KEY_INFO(X509("$K"))}}},
    {"with the certificate missing", BARE, SAML_FINE,
        .after = {{VALUE_END, KEY_INFO("<ds:KeyName>idp</ds:KeyName>")}}},

    /* Wrapping. */
    {"XSW1: own Response, signed one in an Object of its Signature", AROUND, SAML_FORM,
        .after = {{NULL, "$X"}, {ISSUER_TAG, "$0$R"},
            {SIG_END, "<ds:Object>$W</ds:Object>$0"}}},
    {"XSW2: own Response, signed one before the Signature", AROUND, SAML_FORM,
        .after = {{NULL, "$X"}, {ISSUER_TAG, "$0$W$R"}}},
    {"XSW3: own Assertion before the signed one", INSIDE, SAML_FORM,
        .after = {{"$A", "$E$A"}}},
    {"XSW3, own Assertion last", INSIDE, SAML_FORM, .after = {{"$A", "$A$E"}}},
    {"XSW4: own Assertion around the signed one", INSIDE, SAML_FORM,
        .after = {{"$A", "$E"}, {"</saml:Assertion>", "$A$0"}}},
    {"XSW5: own Assertion with the Signature, signed one behind", INSIDE, SAML_FORM,
        .after = {{"$A", "$G$U"}}},
    {"XSW6: signed Assertion in its own Signature", INSIDE, SAML_FORM,
        .after = {{"$A", "$G"}, {VALUE_END, "$0$U"}}},
    {"XSW7: own Assertion in Extensions", INSIDE, SAML_FORM,
        .after = {{"<samlp:Status>", "<samlp:Extensions>$E</samlp:Extensions>$0"}}},
    {"XSW8: signed Assertion in an Object", INSIDE, SAML_FORM,
        .after = {{"$A", "$G"}, {VALUE_END, "$0<ds:Object>$U</ds:Object>"}}},
    {"XSW4, bare", BARE, SAML_FORM,
        .after = {{NULL, "$E"}, {"</saml:Assertion>", "$A$0"}}},
    {"XSW6, bare", BARE, SAML_FORM, .after = {{NULL, "$G"}, {VALUE_END, "$0$U"}}},
    {"XSW8, bare", BARE, SAML_FORM,
        .after = {{NULL, "$G"}, {VALUE_END, "$0<ds:Object>$U</ds:Object>"}}},
    {"signed Assertion in Advice", INSIDE, SAML_FORM,
        .after = {{"$A", "$E"},
            {"</saml:Conditions>", "$0<saml:Advice>$A</saml:Advice>"}}},
    {"the same ID twice, own one first", INSIDE, SAML_FORM, .after = {{"$A", "$F$A"}}},
    {"the same ID twice, own one last", INSIDE, SAML_FORM, .after = {{"$A", "$A$F"}}},
    {"own Assertion under the Signature", INSIDE, SAML_FORM, .after = {{"$A", "$G"}}},
    {"own Assertion of the same ID", INSIDE, SAML_SIGNATURE, .after = {{"$A", "$H"}}},
    {"own Assertion of the same ID, bare", BARE, SAML_SIGNATURE,
        .after = {{NULL, "$H"}}},
    {"own Assertion in the signed Response", AROUND, SAML_SIGNATURE,
        .after = {{"$A", "$F"}}},
    {"own Response around the signed Assertion, its Signature kept", BOTH,
        SAML_SIGNATURE,
        .after = {{" Version=\"2.0\" ", " Version=\"2.0\" Consent=\"x\" "}}},
    {"own Assertion in a Response, both Signatures kept", BOTH, SAML_SIGNATURE,
        .after = {{">alice<", ">mallory<"}}},
    {"Signature of the Assertion on the Response", INSIDE, SAML_FORM,
        .after = {{"$A", "$E"}, {ISSUER_TAG, "$0$S"}}},
    {"Signature of the Response on the Assertion", AROUND, SAML_FORM,
        .after = {{"$R", ""}, {"$U", "$H"}, {"<saml:Subject>", "$R$0"}}},
    {"Signature at the end", BARE, SAML_FORM,
        .after = {{"$S", ""}, {"</saml:Assertion>", "$S$0"}}},
    {"two Signatures", BARE, SAML_FORM, .after = {{"$S", "$S$S"}}},
    {"no Signature", BARE, SAML_UNSIGNED, .after = {{"$S", ""}}},
    {"no Signature, in a Response", INSIDE, SAML_UNSIGNED, .after = {{"$S", ""}}},
    {"in an element of another's", BARE, SAML_FORM, .after = {{NULL, "<x>$M</x>"}}},
    {"twice", BARE, SAML_FORM, .after = {{NULL, "$M$M"}}},
    {"a Response in a Response", BOTH, SAML_FORM, .after = {{"$A", "$A$W"}}},
    {"nothing", BARE, SAML_FORM, .after = {{NULL, ""}}},
    {"text", BARE, SAML_FORM, .after = {{NULL, "alice"}}},
    {"cut", BARE, SAML_FORM, .after = {{"</saml:Assertion>", ""}}},
    {"another namespace", BARE, SAML_FORM,
        .before = {{"urn:oasis:names:tc:SAML:2.0:assertion\"", "urn:x:assertion\""}}},
    {"SAML 1.1", BARE, SAML_FORM, .before = {{"Version=\"2.0\"", "Version=\"1.1\""}}},

    /* What is signed. */
    {"XPointer injection", BARE, SAML_FORM,
        .before = {{"URI=\"#_a1\"", "URI=\"#_a1') | id('_a1\""}}},
    {"XPointer", BARE, SAML_FORM,
        .before = {{"URI=\"#_a1\"", "URI=\"#xpointer(id('_a1'))\""}}},
    {"XPointer of all", BARE, SAML_FORM,
        .before = {{"URI=\"#_a1\"", "URI=\"#xpointer(/)\""}}},
    {"the whole document", BARE, SAML_FORM, .before = {{"URI=\"#_a1\"", "URI=\"\""}}},
    {"no URI", BARE, SAML_FORM, .after = {{" URI=\"#_a1\"", ""}}},
    {"a URI of the network", BARE, SAML_FORM,
        .after = {{"URI=\"#_a1\"", "URI=\"http://127.0.0.1:1/\""}}},
    {"a URI of a file", BARE, SAML_FORM,
        .after = {{"URI=\"#_a1\"", "URI=\"file:///etc/hostname\""}}},
    {"a child alone", BARE, SAML_FORM,
        .before = {{"<saml:Subject>", "<saml:Subject ID=\"_b\">"},
            {"URI=\"#_a1\"", "URI=\"#_b\""}}},
    {"an ID that is XPath", BARE, SAML_FORM,
        .after = {{" ID=\"_a1\"", " ID=\"_a1')|id('x\""},
            {"URI=\"#_a1\"", "URI=\"#_a1')|id('x\""}}},
    {"two References", BARE, SAML_FORM,
        .after = {{"</ds:Reference>", "$0" REFERENCE("#_a1")}}},
    {"a Reference of a type", BARE, SAML_FORM,
        .after = {{"<ds:Reference ", "<ds:Reference Type=\"x\" "}}},
    {"no c14n", BARE, SAML_ALG, .before = {{TRANSFORM(EXC_C14N), ""}}},
    {"not enveloped", BARE, SAML_ALG, .after = {{TRANSFORM(ENVELOPED), ""}}},
    {"no Transforms", BARE, SAML_ALG,
        .after = {{"<ds:Transforms>\n" TRANSFORM(ENVELOPED)
                       TRANSFORM(EXC_C14N) "</ds:Transforms>",
            ""}}},
    {"transforms the other way round", BARE, SAML_ALG,
        .after = {{TRANSFORM(ENVELOPED), ""},
            {TRANSFORM(EXC_C14N), "$0" TRANSFORM(ENVELOPED)}}},
    {"XPath", BARE, SAML_ALG,
        .after = {{TRANSFORM(EXC_C14N),
            "<ds:Transform Algorithm=\"" XPATH
            "\"><ds:XPath>true()</ds:XPath></ds:Transform>$0"}}},
    {"XPath in place of enveloped", BARE, SAML_ALG,
        .after = {{TRANSFORM(ENVELOPED),
            "<ds:Transform Algorithm=\"" XPATH
            "\"><ds:XPath>true()</ds:XPath></ds:Transform>"}}},
    {"XPath inside c14n", BARE, SAML_FORM,
        .after = {{TRANSFORM(EXC_C14N),
            "<ds:Transform Algorithm=\"" EXC_C14N
            "\"><ds:XPath>true()</ds:XPath></ds:Transform>"}}},
    {"XSLT", BARE, SAML_ALG, .after = {{TRANSFORM(EXC_C14N), TRANSFORM(XSLT) "$0"}}},
    {"base64", BARE, SAML_ALG,
        .after = {{TRANSFORM(EXC_C14N),
            TRANSFORM("http://www.w3.org/2000/09/xmldsig#base64") "$0"}}},
    {"c14n with comments", BARE, SAML_ALG,
        .before = {{TRANSFORM(EXC_C14N), TRANSFORM(EXC_C14N "WithComments")}}},
    {"inclusive c14n", BARE, SAML_ALG,
        .before = {{TRANSFORM(EXC_C14N), TRANSFORM(C14N)}}},
    {"inclusive c14n of SignedInfo", BARE, SAML_ALG,
        .before = {{"Method Algorithm=\"" EXC_C14N, "Method Algorithm=\"" C14N}}},
    {"an Object", BARE, SAML_FORM, .after = {{SIG_END, "<ds:Object>x</ds:Object>$0"}}},
    {"a Manifest", BARE, SAML_FORM,
        .after = {{SIG_END,
            "<ds:Object><ds:Manifest>" REFERENCE("") "</ds:Manifest></ds:Object>$0"}}},
    {"text in the Signature", BARE, SAML_FORM, .after = {{SIG_END, "x$0"}}},
    {"an Id of the Signature", BARE, SAML_FORM,
        .after = {{"<ds:Signature ", "<ds:Signature Id=\"s\" "}}},

    /* How it is signed. */
    {"RSA with SHA-1", BARE, SAML_ALG,
        .before = {{RSA_ALG, "http://www.w3.org/2000/09/xmldsig#rsa-sha1"}}},
    {"RSA with SHA-512", BARE, SAML_ALG, .before = {{RSA_ALG, DSIG_MORE "rsa-sha512"}}},
    {"a digest by SHA-1", BARE, SAML_ALG, .before = {{XML_SHA "256", DS_SHA1}}},
    {"a digest by SHA-512", BARE, SAML_ALG, .before = {{XML_SHA "256", XML_SHA "512"}}},
    {"HMAC, with the public key as its secret", BARE, SAML_ALG,
        .after = {{RSA_ALG, DSIG_MORE "hmac-sha256"}}},
    {"HMAC cut to nothing", BARE, SAML_ALG,
        .after = {{"rsa-sha256\"/>", "hmac-sha256\"><ds:HMACOutputLength>0"
                                     "</ds:HMACOutputLength></ds:SignatureMethod>"}}},
    {"RSA that says ECDSA", BARE, SAML_SIGNATURE,
        .after = {{RSA_ALG, DSIG_MORE "ecdsa-sha256"}}},
    {"ECDSA that says RSA", BARE, SAML_SIGNATURE,
        .before = {{RSA_ALG, DSIG_MORE "ecdsa-sha256"}},
        .after = {{DSIG_MORE "ecdsa-sha256", RSA_ALG}}, .key = "signing-p256.pem"},
    {"the digest of nothing", BARE, SAML_FORM, .after = {{"$D", EMPTY}}},
    {"the digest of nothing, with what cannot be canonical", BARE, SAML_FORM,
        .after = {{"$D", EMPTY},
            {"<saml:Subject>", "<saml:Subject xmlns:r=\"rel/ns\">"}}},
    {"a relative namespace", BARE, SAML_FORM,
        .after = {{"<saml:Subject>", "<saml:Subject xmlns:r=\"rel/ns\">"}}},
    {"no digest", BARE, SAML_FORM, .after = {{"$D", ""}}},
    {"a short digest", BARE, SAML_FORM, .after = {{"$D", "AAAA"}}},
    {"another digest", BARE, SAML_SIGNATURE,
        .after = {{"$D", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}},
    {"no value", BARE, SAML_FORM, .after = {{VALUE_END, "!$0"}}},
    {"a stranger's key", BARE, SAML_SIGNATURE,
        .before = {{RSA_ALG, DSIG_MORE "ecdsa-sha256"}}, .key = "device.pem"},
    {"a stranger's key, and its certificate", BARE, SAML_SIGNATURE,
        .before = {{RSA_ALG, DSIG_MORE "ecdsa-sha256"}},
        .after = {{VALUE_END, KEY_INFO(X509("$K"))}}, .key = "device.pem"},
    {"a stranger's key, brought along", BARE, SAML_SIGNATURE,
        .before = {{VALUE_END, KEY_INFO("<ds:KeyValue/>")}},
        .key = "../vectors/keys/stranger-rsa.pem"},
    {"a RetrievalMethod", BARE, SAML_SIGNATURE,
        .after =
            {{VALUE_END, KEY_INFO("<ds:RetrievalMethod URI=\"http://127.0.0.1:1/\"/>")},
                {">alice<", ">mallory<"}}},

    /* How it is written. */
    {"a comment in the name", BARE, SAML_FORM,
        .after = {{">alice<", ">al<!-- -->ice<"}}},
    {"a comment in the name that was signed", BARE, SAML_FORM,
        .before = {{">alice<", ">alice<!-- -->.evil<"}}},
    {"a comment anywhere", BARE, SAML_FORM,
        .after = {{"<saml:Subject>", "<!-- -->$0"}}},
    {"a comment in front", BARE, SAML_FORM, .after = {{NULL, "<!-- -->$M"}}},
    {"a processing instruction", BARE, SAML_FORM,
        .after = {{">alice<", ">al<?x?>ice<"}}},
    {"a CDATA section", BARE, SAML_FORM, .after = {{">alice<", "><![CDATA[alice]]><"}}},
    {"a DTD", BARE, SAML_FORM, .after = {{NULL, DOCTYPE("")}}},
    {"a DTD of a file", BARE, SAML_FORM,
        .after = {{NULL, "<!DOCTYPE a SYSTEM \"file:///etc/hostname\">$M"}}},
    {"an ID by DTD", BARE, SAML_FORM,
        .after = {{NULL, DOCTYPE("<!ATTLIST a b ID #IMPLIED>")}}},
    {"an entity", BARE, SAML_FORM,
        .after = {{NULL, DOCTYPE("<!ENTITY x \"mallory\">")}, {">alice<", ">&x;<"}}},
    {"an entity that nobody declared", BARE, SAML_FORM,
        .after = {{">alice<", ">&x;<"}}},
    {"a file as an entity", BARE, SAML_FORM,
        .after = {{NULL, DOCTYPE("<!ENTITY x SYSTEM \"file:///etc/hostname\">")},
            {">alice<", ">&x;<"}}},
    {"a billion laughs", BARE, SAML_FORM,
        .after =
            {{NULL, DOCTYPE("<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
                            "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">")},
                {">alice<", ">&c;<"}}},
    {"xml:id", BARE, SAML_FORM,
        .after = {{"<saml:Subject>", "<saml:Subject xml:id=\"_a2\">"}}},
    {"an ID twice, of other names", BARE, SAML_FORM,
        .after = {{"<saml:Subject>", "<saml:Subject Id=\"_a1\">"}}},
    {"a prefix that nobody declared", BARE, SAML_FORM,
        .after = {{"<saml:Subject>", "<x:y/>$0"}}},
    {"an attribute twice", BARE, SAML_FORM,
        .after = {{" Version=\"2.0\"", " Version=\"2.0\" Version=\"2.0\""}}},
    {"Latin 1", BARE, SAML_FORM,
        .after = {{NULL, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>$M"},
            {">alice<", ">\xe4<"}}},
    {"no UTF-8", BARE, SAML_FORM, .after = {{">alice<", ">\xc0\x80<"}}},
    {"white space in front", BARE, SAML_FORM, .after = {{NULL, "\n$M"}}},

    /* What the Response says, whoever says it. */
    {"a login that failed", INSIDE, SAML_STATUS,
        .before = {{"status:Success", "status:AuthnFailed"}}},
    {"a login that failed, signed", AROUND, SAML_STATUS,
        .before = {{"status:Success", "status:AuthnFailed"}}},
    {"no Assertion", AROUND, SAML_STATUS, .after = {{"$A", ""}}},
    {"no Status", INSIDE, SAML_FORM, .before = {{STATUS, ""}}},
    {"another destination", INSIDE, SAML_RECIPIENT,
        .before = {{"Destination=\"" RECIPIENT,
            "Destination=\"https://other.example/"}}},
    {"another destination, signed", BOTH, SAML_RECIPIENT,
        .before = {{"Destination=\"" RECIPIENT,
            "Destination=\"https://other.example/"}}},
    {"no destination", BOTH, SAML_FINE,
        .before = {{" Destination=\"" RECIPIENT "\"", ""}}},
    {"an answer", AROUND, SAML_SOLICITED,
        .before = {{" Destination", " InResponseTo=\"_q\" Destination"}}},
    {"an answer, not signed", INSIDE, SAML_SOLICITED,
        .before = {{" Destination", " InResponseTo=\"_q\" Destination"}}},
    {"another issuer", INSIDE, SAML_ISSUER,
        .after = {{ISSUER_TAG, "<saml:Issuer>https://other.example</saml:Issuer>"}}},
    {"no issuer", INSIDE, SAML_FINE, .after = {{ISSUER_TAG, ""}}},
    {"an encrypted Assertion", AROUND, SAML_ENCRYPTED,
        .after = {{"$A", "<saml:EncryptedAssertion/>"}}},
    {"an encrypted name", BARE, SAML_ENCRYPTED,
        .before = {{NAME_ID, "<saml:EncryptedID/>"}}},
    {"text in the Response", INSIDE, SAML_FORM, .after = {{"<samlp:Status>", "x$0"}}},

    /* One of each kind of what the Assertion says; test_assertion.c has the others. */
    {"another issuer of the Assertion", BARE, SAML_ISSUER,
        .before = {{IDP "</saml:Issuer>", IDP "/</saml:Issuer>"}}},
    {"another audience", BOTH, SAML_AUDIENCE,
        .before = {{">" AUDIENCE "<", ">https://other<"}}},
    {"another recipient", AROUND, SAML_RECIPIENT,
        .before = {{" Recipient=\"" RECIPIENT, " Recipient=\"https://other"}}},
    {"over", BARE, SAML_EXPIRED, .before = {{"T10:05:00Z\" Rec", "T09:00:00Z\" Rec"}}},
    {"not yet", BARE, SAML_NOT_YET, .before = {{"T09:59:30Z", "T10:09:00Z"}}},
    {"a name that does not last", BOTH, SAML_SUBJECT,
        .before = {{"persistent", "transient"}}},
};

static void
judges_each(void **state)
{
    struct assertion said;
    size_t refused = 0, wrong = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *xml = forge_make(&cases[i]);
        clock_t start = clock();
        enum saml_refusal why = forge_try(xml, strlen(xml), &said);

        if (why != cases[i].why) {
            print_error("%s: %d, not %d: %s\n", cases[i].name, why, cases[i].why, xml);
            wrong++;
        }
        if ((clock() - start) / CLOCKS_PER_SEC >= 1)
            fail_msg("%s: takes long", cases[i].name);
        refused += why != SAML_FINE;
        free(xml);
    }
    assert_int_equal(wrong, 0);
    assert_true(refused > 100);
}

static void
reads_what_was_signed(void **state)
{
    struct assertion said;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        char *xml = forge_make(&cases[i]);

        assert_int_equal(forge_try(xml, strlen(xml), &said), SAML_FINE);
        assert_string_equal(said.id, "_a1");
        assert_string_equal(said.subject, "alice");
        assert_string_equal(said.email, "alice@example.org");
        assert_int_equal(said.authn_s, golden_time("2026-11-22T09:58:00Z"));
        assert_int_equal(said.session_ends_s, golden_time("2026-11-22T18:00:00Z"));
        assert_int_equal(said.too_old_s, golden_time("2026-11-22T10:06:00Z"));
        free(xml);
    }
}

/* Whatever is changed, it is refused, or it was nothing that is read. */
static void
believes_no_change(void **state)
{
    struct assertion good, said;
    uint32_t random = 1;
    char *xml = forge_make(&cases[BOTH]);
    size_t len = strlen(xml), refused = 0;

    (void)state;
    assert_int_equal(forge_try(xml, len, &good), SAML_FINE);
    for (size_t i = 0; i < 3000; i++) {
        static const char put[] = "<>\"'&/= \n#xA0";
        char *at, was;

        random = random * 1664525 + 1013904223;
        at = xml + random % len;
        was = *at;
        if (random & 0x80000000)
            *at = put[(random >> 8) % (sizeof(put) - 1)];
        else
            *at = (char)(was ^ (1 << (random >> 8) % 7));
        if (forge_try(xml, len, &said) == SAML_FINE)
            assert_memory_equal(&said, &good, sizeof(said));
        else
            refused++;
        *at = was;
    }
    assert_true(refused > 2500);
    free(xml);
}

/* In front of Subject: so many times each, in which # is a number. */
static char *
inflate(const char *begin, const char *each, size_t count, const char *end)
{
    struct buf b;
    char *good = forge_make(&cases[BARE]), *xml, *put;
    size_t len;

    buf_init(&b);
    buf_str(&b, begin);
    for (size_t i = 0; i < count; i++) {
        size_t before = strcspn(each, "#");

        buf_put(&b, each, before);
        buf_printf(&b, "%zu", i + 10000);
        buf_str(&b, each + before + 1);
    }
    buf_str(&b, end);
    buf_str(&b, "<saml:Subject>");
    put = buf_detach(&b, &len);
    xml = idp_edit(good, "<saml:Subject>", put);
    free(put);
    free(good);
    return xml;
}

static void
is_done_with_bombs_soon(void **state)
{
    static const struct {
        const char *name, *begin, *each;
        size_t count;
        const char *end;
        enum saml_refusal why;
    } bombs[] = {
        {"20,000 attributes", "<x", " a#=''", 20000, "/>", SAML_FORM},
        {"quotes around the end of the tag", "<x", " a#='>'", 20000, "/>", SAML_FORM},
        {"20,000 namespaces", "<x", " xmlns:a#='a:b'", 10000, "/>", SAML_FORM},
        {"namespaces, a few in each", "", "<x xmlns:a#='a:b'/>", 9000, "", SAML_FORM},
        {"elements", "", "<x n='#'/>", 10000, "", SAML_FORM},
        {"elements, as many as there may be", "", "<x n='#'/>", 8000, "",
            SAML_SIGNATURE},
        {"300 deep", "", "<x n='#'>", 300, "", SAML_FORM},
        {"more than a message has", "<x>", "#           ", 17000, "</x>", SAML_FORM},
        {"as much as a message has", "<x>", "#           ", 16000, "</x>",
            SAML_SIGNATURE},
    };
    struct assertion said;

    (void)state;
    for (size_t i = 0; i < COUNT(bombs); i++) {
        char *xml =
            inflate(bombs[i].begin, bombs[i].each, bombs[i].count, bombs[i].end);
        clock_t start = clock();

        if (forge_try(xml, strlen(xml), &said) != bombs[i].why)
            fail_msg("%s", bombs[i].name);
        if ((clock() - start) / (CLOCKS_PER_SEC / 10) >= 5)
            fail_msg("%s: takes long", bombs[i].name);
        free(xml);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_each),
        cmocka_unit_test(reads_what_was_signed),
        cmocka_unit_test(believes_no_change),
        cmocka_unit_test(is_done_with_bombs_soon),
    };

    return cmocka_run_group_tests(tests, idp_group_start, idp_group_end);
}
