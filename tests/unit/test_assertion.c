#include "saml/assertion.h"
#include "tests/unit/saml_idp.h"

static const struct assertion_expect want = {IDP, AUDIENCE, RECIPIENT, IDP_NOW_S, 600};

#define OTHER_CONFIRMATION       \
    "<saml:SubjectConfirmation " \
    "Method=\"urn:oasis:names:tc:SAML:2.0:cm:holder-of-key\"/>"
#define RESTRICTION(audience)                                               \
    "<saml:AudienceRestriction><saml:Audience>" audience "</saml:Audience>" \
    "</saml:AudienceRestriction>"

static const struct {
    const char *name, *find, *put;
    enum saml_refusal why;
    enum mauth_rc rc;
} cases[] = {
    {"good", "", "", SAML_FINE, MAUTH_OK},

    {"version", "Version=\"2.0\"", "Version=\"2.1\"", SAML_FORM, MAUTH_MALFORMED},
    {"no time of issue", " IssueInstant=", " Issue=", SAML_FORM, MAUTH_MALFORMED},
    {"time of issue in a zone", "00.123Z", "00+01:00", SAML_FORM, MAUTH_MALFORMED},
    {"no ID", " ID=\"_a1\"", "", SAML_FORM, MAUTH_MALFORMED},
    {"issued as late as may be", "10:00:00.123Z", "10:01:30.9Z", SAML_FINE, MAUTH_OK},
    {"issued later", "10:00:00.123Z", "10:01:31Z", SAML_NOT_YET, MAUTH_EXPIRED},
    {"as old as may be", "10:00:00.123Z", "09:49:31Z", SAML_FINE, MAUTH_OK},
    {"older", "10:00:00.123Z", "09:49:30Z", SAML_AGE, MAUTH_EXPIRED},

    {"another issuer", IDP "<", IDP "x<", SAML_ISSUER, MAUTH_UNTRUSTED},
    {"two issuers", ISSUER_TAG, ISSUER_TAG ISSUER_TAG, SAML_ISSUER, MAUTH_UNTRUSTED},

    {"no name", NAME_ID, "", SAML_SUBJECT, MAUTH_DENIED},
    {"two names", NAME_ID, NAME_ID NAME_ID, SAML_SUBJECT, MAUTH_DENIED},
    {"two subjects", "</saml:Subject>", "</saml:Subject><saml:Subject/>", SAML_SUBJECT,
        MAUTH_DENIED},
    {"an empty name", ">alice<", "><", SAML_SUBJECT, MAUTH_MALFORMED},
    {"a transient name", "persistent", "transient", SAML_SUBJECT, MAUTH_DENIED},

    {"no confirmation", CONFIRMATION, "", SAML_CONFIRMATION, MAUTH_DENIED},
    {"holder of a key", "cm:bearer", "cm:holder-of-key", SAML_CONFIRMATION,
        MAUTH_DENIED},
    {"holder of a key as well", CONFIRMATION, CONFIRMATION OTHER_CONFIRMATION,
        SAML_FINE, MAUTH_OK},
    {"two bearers", CONFIRMATION, CONFIRMATION CONFIRMATION, SAML_CONFIRMATION,
        MAUTH_DENIED},
    {"too many confirmations", CONFIRMATION,
        CONFIRMATION OTHER_CONFIRMATION OTHER_CONFIRMATION OTHER_CONFIRMATION
            OTHER_CONFIRMATION,
        SAML_CONFIRMATION, MAUTH_DENIED},
    {"a bearer without end", "NotOnOrAfter=\"2026-11-22T10:05:00Z\" Rec", "Rec",
        SAML_CONFIRMATION, MAUTH_DENIED},
    {"a bearer without recipient", " Recipient=\"" RECIPIENT "\"", "",
        SAML_CONFIRMATION, MAUTH_DENIED},
    {"a bearer with a begin",
        " Recipient=", " NotBefore=\"\" Recipient=", SAML_CONFIRMATION, MAUTH_DENIED},
    {"an answer", " Recipient=", " InResponseTo=\"_q\" Recipient=", SAML_SOLICITED,
        MAUTH_DENIED},
    {"another recipient", RECIPIENT "\"", RECIPIENT "/\"", SAML_RECIPIENT,
        MAUTH_DENIED},
    {"the bearer's last second", "T10:05:00Z\" Rec", "T09:59:31Z\" Rec", SAML_FINE,
        MAUTH_OK},
    {"the bearer is over", "T10:05:00Z\" Rec", "T09:59:30Z\" Rec", SAML_EXPIRED,
        MAUTH_EXPIRED},

    {"no conditions", CONDITIONS, "", SAML_AUDIENCE, MAUTH_DENIED},
    {"conditions twice", CONDITIONS, CONDITIONS CONDITIONS, SAML_AUDIENCE,
        MAUTH_DENIED},
    {"no audience", RESTRICTION(AUDIENCE), "", SAML_AUDIENCE, MAUTH_DENIED},
    {"another audience", ">" AUDIENCE "<", ">" AUDIENCE "/<", SAML_AUDIENCE,
        MAUTH_DENIED},
    {"one audience of two", "</saml:Audience>",
        "</saml:Audience><saml:Audience>x</saml:Audience>", SAML_FINE, MAUTH_OK},
    {"two restrictions, one of which is not ours", RESTRICTION(AUDIENCE),
        RESTRICTION(AUDIENCE) RESTRICTION("x"), SAML_AUDIENCE, MAUTH_DENIED},
    {"for one use", RESTRICTION(AUDIENCE), RESTRICTION(AUDIENCE) "<saml:OneTimeUse/>",
        SAML_FINE, MAUTH_OK},
    {"an unknown condition", RESTRICTION(AUDIENCE),
        RESTRICTION(AUDIENCE) "<saml:Condition/>", SAML_CONDITION, MAUTH_DENIED},
    {"begins as late as may be", "T09:59:30Z", "T10:01:30Z", SAML_FINE, MAUTH_OK},
    {"begins later", "T09:59:30Z", "T10:01:31Z", SAML_NOT_YET, MAUTH_EXPIRED},
    {"the last second", "T10:05:00Z\"><saml:Aud", "T09:59:31Z\"><saml:Aud", SAML_FINE,
        MAUTH_OK},
    {"over", "T10:05:00Z\"><saml:Aud", "T09:59:30Z\"><saml:Aud", SAML_EXPIRED,
        MAUTH_EXPIRED},
    {"no end", " NotOnOrAfter=\"2026-11-22T10:05:00Z\"><saml:Aud", "><saml:Aud",
        SAML_FINE, MAUTH_OK},

    {"no authentication", AUTHN, "", SAML_FORM, MAUTH_MALFORMED},
    {"two authentications", AUTHN, AUTHN AUTHN, SAML_FORM, MAUTH_MALFORMED},
    {"no time of authentication", " AuthnInstant=", " At=", SAML_FORM, MAUTH_MALFORMED},
    {"authentication to come", "T09:58:00Z", "T10:02:00Z", SAML_NOT_YET, MAUTH_EXPIRED},
    {"a session that is over", "T18:00:00Z", "T10:00:30Z", SAML_EXPIRED, MAUTH_EXPIRED},
    {"a session of one more second", "T18:00:00Z", "T10:00:31Z", SAML_FINE, MAUTH_OK},
};

static void
judges_each(void **state)
{
    static const struct assertion zero;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *xml = idp_edit(ASSERTION(""), cases[i].find, cases[i].put);
        struct mauth_err err = MAUTH_ERR_INIT;
        xmlDoc *doc = idp_parse(xml);
        enum saml_refusal why = SAML_STATUS;
        struct assertion said;
        enum mauth_rc rc;

        memset(&said, 0xff, sizeof(said));
        rc = assertion_check(xmlDocGetRootElement(doc), &want, &said, &why, &err);
        if (rc != cases[i].rc || why != cases[i].why || err.rc != rc)
            fail_msg("%s: %s, %d: %s", cases[i].name, mauth_rc_name(rc), why, err.text);
        if (rc != MAUTH_OK)
            assert_memory_equal(&said, &zero, sizeof(zero));
        else
            assert_string_equal(said.subject, "alice");
        xmlFreeDoc(doc);
        free(xml);
    }
}

static struct assertion
read_with(const char *find, const char *put)
{
    char *xml = idp_edit(ASSERTION(""), find, put);
    xmlDoc *doc = idp_parse(xml);
    enum saml_refusal why;
    struct assertion said;

    assert_int_equal(
        assertion_check(xmlDocGetRootElement(doc), &want, &said, &why, NULL), MAUTH_OK);
    xmlFreeDoc(doc);
    free(xml);
    return said;
}

/* When the ID may be forgotten: whichever bound is the first. */
static void
is_too_old_by_the_first_bound(void **state)
{
    static const struct {
        const char *find, *put, *end;
    } bounds[] = {
        {"10:00:00.123Z", "09:52:00Z", "2026-11-22T10:03:00Z"}, /* issue and 600 s */
        {"T10:05:00Z\" Rec", "T10:03:00Z\" Rec", "2026-11-22T10:04:00Z"},
        {"T10:05:00Z\"><saml:Aud", "T10:02:00Z\"><saml:Aud", "2026-11-22T10:03:00Z"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bounds); i++)
        assert_int_equal(read_with(bounds[i].find, bounds[i].put).too_old_s,
            golden_time(bounds[i].end));
}

static void
takes_one_address(void **state)
{
    static const struct {
        const char *find, *put, *email;
    } mails[] = {
        {"", "", "alice@example.org"},
        {"urn:oid:0.9.2342.19200300.100.1.3", "mail", "alice@example.org"},
        {"urn:oid:0.9.2342.19200300.100.1.3", "email", ""},
        {MAIL("alice@example.org"), "", ""},
        {MAIL("alice@example.org"), MAIL("a@example.org") MAIL("b@example.org"), ""},
        {MAIL("alice@example.org"),
            MAIL("a@example.org</saml:AttributeValue><saml:AttributeValue>b@x"), ""},
        {MAIL("alice@example.org"), MAIL("<saml:b/>"), ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(mails); i++)
        assert_string_equal(
            read_with(mails[i].find, mails[i].put).email, mails[i].email);
}

static void
needs_no_end_of_a_session(void **state)
{
    (void)state;
    assert_int_equal(
        read_with(" SessionNotOnOrAfter=\"2026-11-22T18:00:00Z\"", "").session_ends_s,
        INT64_MAX);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_each),
        cmocka_unit_test(is_too_old_by_the_first_bound),
        cmocka_unit_test(takes_one_address),
        cmocka_unit_test(needs_no_end_of_a_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
