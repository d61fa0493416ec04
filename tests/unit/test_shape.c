#include "saml/shape.h"
#include "tests/unit/saml_idp.h"

#define DIGEST "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define GOOD   "<a ID=\"_i\">" SIGNATURE("_i", "rsa-sha256") "</a>"
#define VALUE  "<ds:SignatureValue></ds:SignatureValue>"
#define METHOD "<ds:SignatureMethod Algorithm=\"" DSIG_MORE "rsa-sha256\"/>"
#define KEY    "<ds:KeyInfo><x><y/></x></ds:KeyInfo>"

/* Edits of a Signature that is good but for its value; whole attacks stand in
 * test_message.c. */
static const struct {
    const char *name, *find, *put;
    enum saml_refusal why;
} cases[] = {
    {"good", "", "", SAML_FINE},
    {"the longest ID", "_i", NULL, SAML_FINE},
    {"KeyInfo of anything", VALUE, VALUE KEY, SAML_FINE},
    {"white space in the value", "></ds:SignatureValue>",
        ">\n AQ\n== \n</ds:SignatureValue>", SAML_FINE},

    {"a digit first", "_i", "1i", SAML_FORM},
    {"no ID of the parent", " ID=", " Id=", SAML_FORM},
    {"an attribute of SignedInfo", "<ds:SignedInfo>", "<ds:SignedInfo Id=\"s\">",
        SAML_FORM},
    {"KeyInfo twice", VALUE, VALUE KEY KEY, SAML_FORM},
    {"KeyInfo first", VALUE, KEY VALUE, SAML_FORM},
    {"no value", VALUE, "", SAML_FORM},
    {"a value that is no base64", "></ds:SignatureValue>", ">A</ds:SignatureValue>",
        SAML_FORM},
    {"a value around an element", "></ds:SignatureValue>", "><x/></ds:SignatureValue>",
        SAML_FORM},
    {"no method", METHOD, "", SAML_ALG},
    {"two methods", METHOD, METHOD METHOD, SAML_FORM},
    {"a method without a name", " Algorithm=\"" DSIG_MORE "rsa-sha256\"", "", SAML_ALG},
    {"a method with a parameter", METHOD,
        "<ds:SignatureMethod Algorithm=\"" DSIG_MORE "rsa-sha256\"><x/>"
        "</ds:SignatureMethod>",
        SAML_ALG},
    {"a method with text", METHOD,
        "<ds:SignatureMethod Algorithm=\"" DSIG_MORE "rsa-sha256\">x"
        "</ds:SignatureMethod>",
        SAML_ALG},
    {"another namespace", "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"",
        "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig\"", SAML_FORM},
    {"a transform more", TRANSFORM(EXC_C14N), TRANSFORM(EXC_C14N) TRANSFORM(EXC_C14N),
        SAML_ALG},
    {"enveloped twice", TRANSFORM(EXC_C14N), TRANSFORM(ENVELOPED), SAML_ALG},
    {"prefixes with more beside", TRANSFORM(EXC_C14N),
        "<ds:Transform Algorithm=\"" EXC_C14N
        "\"><InclusiveNamespaces xmlns=\"" EXC_C14N
        "\" PrefixList=\"a\"/><x/></ds:Transform>",
        SAML_FORM},
    {"prefixes without their list", TRANSFORM(EXC_C14N),
        "<ds:Transform Algorithm=\"" EXC_C14N
        "\"><InclusiveNamespaces xmlns=\"" EXC_C14N "\"/></ds:Transform>",
        SAML_FORM},
    {"prefixes of SignedInfo",
        "<ds:CanonicalizationMethod Algorithm=\"" EXC_C14N "\"/>",
        "<ds:CanonicalizationMethod Algorithm=\"" EXC_C14N
        "\"><InclusiveNamespaces xmlns=\"" EXC_C14N
        "\" PrefixList=\"a\"/></ds:CanonicalizationMethod>",
        SAML_ALG},
    {"a digest of 33 bytes", DIGEST, "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB",
        SAML_FORM},
    {"the digest twice", "</ds:DigestValue>",
        "</ds:DigestValue><ds:DigestValue>" DIGEST "</ds:DigestValue>", SAML_FORM},
};

static char *
make(size_t i)
{
    char *good = idp_edit(GOOD, "<ds:DigestValue>", "<ds:DigestValue>" DIGEST), *xml;
    char longest[129];

    memset(longest, 'a', 128);
    longest[128] = '\0';
    if (cases[i].put) {
        xml = idp_edit(good, cases[i].find, cases[i].put);
        if (strcmp(cases[i].find, "_i") == 0) { /* the URI as well */
            char *both = idp_edit(xml, "#_i", "#1i");

            free(xml);
            xml = both;
        }
    } else {
        char *one = idp_edit(good, "ID=\"_i", "ID=\""), *two;

        two = idp_edit(one, "ID=\"", "ID=\"@");
        free(one);
        one = idp_edit(two, "@", longest);
        free(two);
        two = idp_edit(one, "#_i", "#@");
        free(one);
        xml = idp_edit(two, "@", longest);
        free(two);
    }
    free(good);
    return xml;
}

static void
judges_each(void **state)
{
    static const uint8_t ones[HASH_LEN] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *xml = make(i);
        xmlDoc *doc = idp_parse(xml);
        xmlNode *root = xmlDocGetRootElement(doc);
        enum saml_refusal why = SAML_FINE;
        struct shape shape;
        enum mauth_rc rc = shape_check(idp_find(root, "Signature"), &shape, &why, NULL);

        if (why != cases[i].why)
            fail_msg("%s: %d: %s", cases[i].name, why, xml);
        assert_int_equal(rc, why == SAML_FINE ? MAUTH_OK : MAUTH_MALFORMED);
        if (rc == MAUTH_OK) {
            assert_int_equal(shape.alg, KEY_RSA_SHA256);
            assert_ptr_equal(shape.id, root->properties);
            assert_memory_equal(shape.digest, ones, HASH_LEN);
        }
        xmlFreeDoc(doc);
        free(xml);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
