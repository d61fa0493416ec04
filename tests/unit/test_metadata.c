#include "saml/metadata.h"
#include "saml/xml.h"
#include "tests/unit/saml_idp.h"

#define NS    " xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\""
#define SAML2 "urn:oasis:names:tc:SAML:2.0:protocol"
#define KEY(use, name)                                                              \
    "<md:KeyDescriptor" use "><ds:KeyInfo xmlns:ds=\""                              \
    "http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>\n" name \
    "\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
#define SIGNING " use=\"signing\""
#define ROLE(keys)                                                        \
    "<md:IDPSSODescriptor protocolSupportEnumeration=\"" SAML2 "\">" keys \
    "</md:IDPSSODescriptor>"
#define ENTITY(attributes, signature, role)                                         \
    "<md:EntityDescriptor" NS " entityID=\"" IDP "\"" attributes ">" signature role \
    "</md:EntityDescriptor>"
#define GOOD ENTITY("", "", ROLE(KEY(SIGNING, "$RSA")))
#define MANY(attributes, content) \
    "<md:EntitiesDescriptor" NS attributes ">" content "</md:EntitiesDescriptor>"

/* $RSA and $EC in it become certificates of the golden keys; malloc'd. */
static char *
fill(const char *text)
{
    static const char *const keys[][2] = {
        {"$RSA", "signing-rsa2048.pem"}, {"$EC", "signing-p256.pem"}};
    char *out = strdup(text);

    for (size_t i = 0; i < COUNT(keys); i++) {
        char *certificate = idp_certificate(keys[i][1]);

        while (strstr(out, keys[i][0])) {
            char *next = idp_edit(out, keys[i][0], certificate);

            free(out);
            out = next;
        }
        free(certificate);
    }
    return out;
}

static const struct {
    const char *name, *xml;
    enum mauth_rc rc;
    size_t keys;
} cases[] = {
    {"one key", GOOD, MAUTH_OK, 1},
    {"a key of no use in particular", ENTITY("", "", ROLE(KEY("", "$EC"))), MAUTH_OK,
        1},
    {"two keys", ENTITY("", "", ROLE(KEY(SIGNING, "$EC") KEY(SIGNING, "$RSA"))),
        MAUTH_OK, 2},
    {"beside one to encrypt with",
        ENTITY("", "", ROLE(KEY(" use=\"encryption\"", "$EC") KEY(SIGNING, "$RSA"))),
        MAUTH_OK, 1},
    {"beside one of a kind that we do not take",
        ENTITY("", "", ROLE(KEY(SIGNING, "AAAA") KEY(SIGNING, "$RSA"))), MAUTH_OK, 1},
    {"nine keys, of which eight are taken",
        ENTITY("", "",
            ROLE(KEY("", "$EC") KEY("", "$EC") KEY("", "$EC") KEY("", "$EC") KEY("",
                "$EC") KEY("", "$EC") KEY("", "$EC") KEY("", "$EC") KEY("", "$EC"))),
        MAUTH_OK, METADATA_KEYS},
    {"among others", MANY("", "<md:EntityDescriptor entityID=\"x\"/>" GOOD), MAUTH_OK,
        1},
    {"in a group of them", MANY("", MANY("", GOOD)), MAUTH_OK, 1},
    {"with comments", "<!-- ours -->" ENTITY("", "<!-- ours -->", ROLE(KEY("", "$EC"))),
        MAUTH_OK, 1},
    {"with a byte order mark", "\xef\xbb\xbf" GOOD, MAUTH_OK, 1},
    {"until later",
        ENTITY(" validUntil=\"2026-11-22T10:00:31Z\"", "", ROLE(KEY("", "$EC"))),
        MAUTH_OK, 1},

    {"until now",
        ENTITY(" validUntil=\"2026-11-22T10:00:30Z\"", "", ROLE(KEY("", "$EC"))),
        MAUTH_EXPIRED, 0},
    {"until now, all of them", MANY(" validUntil=\"2026-11-22T10:00:30Z\"", GOOD),
        MAUTH_EXPIRED, 0},
    {"until whenever", ENTITY(" validUntil=\"soon\"", "", ROLE(KEY("", "$EC"))),
        MAUTH_MALFORMED, 0},
    {"another's",
        "<md:EntityDescriptor" NS
        " entityID=\"x\">" ROLE(KEY("", "$EC")) "</md:EntityDescriptor>",
        MAUTH_NOT_FOUND, 0},
    {"twice", MANY("", GOOD GOOD), MAUTH_NOT_FOUND, 0},
    {"no provider",
        ENTITY("", "",
            "<md:SPSSODescriptor protocolSupportEnumeration=\"" SAML2
            "\">" KEY("", "$EC") "</md:SPSSODescriptor>"),
        MAUTH_NOT_FOUND, 0},
    {"a provider of SAML 1.1",
        ENTITY("", "",
            "<md:IDPSSODescriptor "
            "protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:1.1:"
            "protocol " SAML2 "x\">" KEY("", "$EC") "</md:IDPSSODescriptor>"),
        MAUTH_NOT_FOUND, 0},
    {"no key", ENTITY("", "", ROLE("")), MAUTH_NOT_FOUND, 0},
    {"a key to encrypt with", ENTITY("", "", ROLE(KEY(" use=\"encryption\"", "$EC"))),
        MAUTH_NOT_FOUND, 0},
    {"a certificate around a comment", ENTITY("", "", ROLE(KEY("", "<!-- -->$EC"))),
        MAUTH_NOT_FOUND, 0},
    {"something else", "<html/>", MAUTH_MALFORMED, 0},
    {"nothing", "", MAUTH_MALFORMED, 0},
    {"a DTD", "<!DOCTYPE x []>" GOOD, MAUTH_MALFORMED, 0},
};

static void
reads_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *xml = fill(cases[i].xml);
        struct mauth_err err = MAUTH_ERR_INIT;
        struct metadata *m = NULL;
        size_t count = 0;
        enum mauth_rc rc = metadata_parse(text_of(xml), IDP, NULL, IDP_NOW_S, &m, &err);

        if (rc != cases[i].rc || err.rc != rc)
            fail_msg("%s: %s: %s", cases[i].name, mauth_rc_name(rc), err.text);
        assert_true((rc == MAUTH_OK) == (m != NULL));
        if (m)
            metadata_keys(m, &count);
        assert_int_equal(count, cases[i].keys);
        metadata_free(m);
        free(xml);
    }
}

static void
says_until_when(void **state)
{
    char *xml = fill(MANY(" validUntil=\"2026-11-23T00:00:00Z\"",
        ENTITY(" validUntil=\"2026-11-24T00:00:00Z\"", "", ROLE(KEY("", "$EC")))));
    struct mauth_key *key = golden_key("signing-p256.pub.pem");
    struct metadata *m = NULL;
    size_t count;

    (void)state;
    assert_int_equal(
        metadata_parse(text_of(xml), IDP, NULL, IDP_NOW_S, &m, NULL), MAUTH_OK);
    assert_int_equal(metadata_valid_until_s(m), golden_time("2026-11-23T00:00:00Z"));
    assert_string_equal(mauth_key_id(metadata_keys(m, &count)[0]), mauth_key_id(key));
    metadata_free(m);
    mauth_key_free(key);
    free(xml);
}

#define SIGNED \
    ENTITY(" ID=\"_m\"", SIGNATURE("_m", "rsa-sha256"), ROLE(KEY(SIGNING, "$EC")))

/* Pinned is the golden RSA key. */
static void
believes_the_pinned_key(void **state)
{
    static const struct {
        const char *name, *xml, *key, *find, *put;
        enum mauth_rc rc;
    } each[] = {
        {"signed", SIGNED, "signing-rsa2048.pem", "", "", MAUTH_OK},
        {"all of them signed",
            MANY(" ID=\"_m\"", SIGNATURE("_m", "rsa-sha256")
                                   ENTITY("", "", ROLE(KEY(SIGNING, "$EC")))),
            "signing-rsa2048.pem", "", "", MAUTH_OK},
        {"not signed", GOOD, "signing-rsa2048.pem", "", "", MAUTH_UNTRUSTED},
        {"by a stranger", SIGNED, "../vectors/keys/stranger-rsa.pem", "", "",
            MAUTH_UNTRUSTED},
        {"changed", SIGNED, "signing-rsa2048.pem", SIGNING, "", MAUTH_UNTRUSTED},
        {"added to", SIGNED, "signing-rsa2048.pem", "</md:EntityDescriptor>",
            ROLE("") "</md:EntityDescriptor>", MAUTH_UNTRUSTED},
        {"only one of them signed", MANY("", SIGNED), "signing-rsa2048.pem", "", "",
            MAUTH_UNTRUSTED},
        {"one of them signed, and the signature taken to the front",
            MANY("", SIGNATURE("_m", "rsa-sha256")
                         ENTITY(" ID=\"_m\"", "", ROLE(KEY(SIGNING, "$EC")))),
            "signing-rsa2048.pem", "", "", MAUTH_MALFORMED},
    };
    struct mauth_key *pinned = golden_key("signing-rsa2048.pub.pem");

    (void)state;
    for (size_t i = 0; i < COUNT(each); i++) {
        char *filled = fill(each[i].xml), *made = idp_sign(filled, each[i].key);
        char *xml = idp_edit(made, each[i].find, each[i].put);
        struct metadata *m = NULL;
        enum mauth_rc rc =
            metadata_parse(text_of(xml), IDP, pinned, IDP_NOW_S, &m, NULL);

        if (rc != each[i].rc)
            fail_msg("%s: %s", each[i].name, mauth_rc_name(rc));
        assert_true((rc == MAUTH_OK) == (m != NULL));
        metadata_free(m);
        free(filled);
        free(made);
        free(xml);
    }
    mauth_key_free(pinned);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_each),
        cmocka_unit_test(says_until_when),
        cmocka_unit_test(believes_the_pinned_key),
    };

    return cmocka_run_group_tests(tests, idp_group_start, idp_group_end);
}
