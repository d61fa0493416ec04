#include "saml/signature.h"
#include "tests/unit/saml_idp.h"

#define SIGNED(alg)                                                     \
    "<x:a xmlns:x=\"u:x\" xmlns:unused=\"u:u\" z='1' ID='_i'  y=\"2\">" \
    "<x:b/>&#228;" SIGNATURE("_i", alg) "</x:a>"
/* What exclusive c14n makes of it, without its Signature. */
#define CANONICAL \
    "<x:a xmlns:x=\"u:x\" ID=\"_i\" y=\"2\" z=\"1\"><x:b></x:b>\xc3\xa4</x:a>"

/* The answer of the golden keys named, to xml. */
static enum mauth_rc
verify(const char *xml, const char *const *files, size_t count, struct buf *out,
    enum saml_refusal *why)
{
    const struct mauth_key *keys[4];
    struct mauth_key *owned[4];
    xmlDoc *doc = idp_parse(xml);
    enum mauth_rc rc;

    for (size_t i = 0; i < count; i++)
        keys[i] = owned[i] = golden_key(files[i]);
    rc = signature_verify(
        idp_find(xmlDocGetRootElement(doc), "Signature"), keys, count, out, why, NULL);
    for (size_t i = 0; i < count; i++)
        mauth_key_free(owned[i]);
    xmlFreeDoc(doc);
    return rc;
}

static void
gives_the_bytes_that_were_signed(void **state)
{
    static const struct {
        const char *xml, *key;
    } each[] = {{SIGNED("rsa-sha256"), "signing-rsa2048.pem"},
        {SIGNED("ecdsa-sha256"), "signing-p256.pem"}};
    /* Whichever it is, and the others do no harm. */
    static const char *const files[] = {"device.pub.pem", "signing-rsa2048.pub.pem",
        "../vectors/keys/stranger-rsa.pub.pem", "signing-p256.pub.pem"};

    (void)state;
    for (size_t i = 0; i < COUNT(each); i++) {
        char *xml = idp_sign(each[i].xml, each[i].key);
        enum saml_refusal why = SAML_FORM;
        struct buf out;

        buf_init(&out);
        buf_str(&out, "before ");
        assert_int_equal(verify(xml, files, COUNT(files), &out, &why), MAUTH_OK);
        assert_int_equal(why, SAML_FINE);
        assert_string_equal(buf_cstr(&out), "before " CANONICAL);
        buf_clear(&out);
        free(xml);
    }
}

static void
refuses_and_gives_nothing(void **state)
{
    static const char rsa[] = "signing-rsa2048.pub.pem", ec[] = "signing-p256.pub.pem";
    static const struct {
        const char *name, *find, *put, *key;
        enum saml_refusal why;
        enum mauth_rc rc;
    } each[] = {
        {"no key", "", "", NULL, SAML_SIGNATURE, MAUTH_UNTRUSTED},
        {"a key of another kind", "", "", ec, SAML_SIGNATURE, MAUTH_UNTRUSTED},
        {"another key", "", "", "../vectors/keys/stranger-rsa.pub.pem", SAML_SIGNATURE,
            MAUTH_UNTRUSTED},
        {"an attribute more", " z=", " w=\"\" z=", rsa, SAML_SIGNATURE,
            MAUTH_UNTRUSTED},
        {"a letter less", "\xc3\xa4<ds:", "<ds:", rsa, SAML_SIGNATURE, MAUTH_UNTRUSTED},
        {"SignedInfo with a space more", "<ds:Transforms>", "<ds:Transforms> ", rsa,
            SAML_SIGNATURE, MAUTH_UNTRUSTED},
        {"another ID", "ID=\"_i\"", "ID=\"_j\"", rsa, SAML_FORM, MAUTH_MALFORMED},
        {"another algorithm", "rsa-sha256", "rsa-sha512", rsa, SAML_ALG,
            MAUTH_MALFORMED},
    };
    char *good = idp_sign(SIGNED("rsa-sha256"), "signing-rsa2048.pem");

    (void)state;
    for (size_t i = 0; i < COUNT(each); i++) {
        char *xml = idp_edit(good, each[i].find, each[i].put);
        enum saml_refusal why;
        struct buf out;

        buf_init(&out);
        if (verify(xml, &each[i].key, each[i].key != NULL, &out, &why) != each[i].rc ||
            why != each[i].why)
            fail_msg("%s: %d", each[i].name, why);
        assert_int_equal(out.len, 0);
        buf_clear(&out);
        free(xml);
    }
    free(good);
}

/* xmlsec1 is asked about the ID, and an ID of the document is one element's. */
static void
refuses_an_id_that_is_taken(void **state)
{
    char *good = idp_sign(SIGNED("rsa-sha256"), "signing-rsa2048.pem");
    char *xml = idp_edit(good, "<x:b/>", "<x:b ID=\"_i\"/>");
    struct mauth_key *key = golden_key("signing-rsa2048.pub.pem");
    const struct mauth_key *keys[] = {key};
    xmlDoc *doc = idp_parse(xml);
    xmlNode *b = idp_find(xmlDocGetRootElement(doc), "b");
    enum saml_refusal why;
    struct buf out;

    (void)state;
    buf_init(&out);
    assert_non_null(xmlAddID(NULL, doc, (const xmlChar *)"_i", b->properties));
    assert_int_equal(signature_verify(idp_find(xmlDocGetRootElement(doc), "Signature"),
                         keys, 1, &out, &why, NULL),
        MAUTH_MALFORMED);
    assert_int_equal(why, SAML_FORM);
    assert_int_equal(out.len, 0);
    mauth_key_free(key);
    xmlFreeDoc(doc);
    free(good);
    free(xml);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_bytes_that_were_signed),
        cmocka_unit_test(refuses_and_gives_nothing),
        cmocka_unit_test(refuses_an_id_that_is_taken),
    };

    return cmocka_run_group_tests(tests, idp_group_start, idp_group_end);
}
