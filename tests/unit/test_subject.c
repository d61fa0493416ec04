#include "saml/subject.h"
#include "tests/unit/saml_idp.h"

#define OF(format) " Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:" format "\""
#define BY(who)    " NameQualifier=\"" who "\""
#define TO(who)    " SPNameQualifier=\"" who "\""

static const struct {
    const char *attributes, *name;
    enum mauth_rc rc;
    const char *want;
} cases[] = {
    {"", "alice", MAUTH_OK, "alice"},
    {OF("persistent"), "alice", MAUTH_OK, "alice"},
    {" Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\"",
        "alice@example.org", MAUTH_OK, "alice@example.org"},
    {BY(IDP) TO(AUDIENCE), "alice", MAUTH_OK, "alice"},
    {BY("https://other"), "alice", MAUTH_OK, "https://other!!alice"},
    {TO("urn:group"), "alice", MAUTH_OK, "!urn:group!alice"},
    {BY("a!b") TO("c%"), "d", MAUTH_OK, "a%21b!c%25!d"},
    {"", "https://other!!alice", MAUTH_OK, "https://other%21%21alice"},
    {"", "Al Ice", MAUTH_OK, "Al Ice"},
    {"", "j&#xfc;rgen", MAUTH_OK, "j%C3%BCrgen"},

    {OF("transient"), "alice", MAUTH_DENIED, ""},
    {OF("entity"), "alice", MAUTH_DENIED, ""},
    {OF("encrypted"), "alice", MAUTH_DENIED, ""},
    {"", "", MAUTH_MALFORMED, ""},
    {"", " alice", MAUTH_MALFORMED, ""},
    {"", "alice ", MAUTH_MALFORMED, ""},
    {"", "\nalice", MAUTH_MALFORMED, ""},
    {"", "al&#9;ice", MAUTH_MALFORMED, ""},
    {"", "al<!-- -->ice", MAUTH_MALFORMED, ""},
    {"", "al<x/>ice", MAUTH_MALFORMED, ""},
};

static void
names_each_by_one_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char xml[512], out[SUBJECT_MAX + 1] = "x";
        enum mauth_rc rc;
        xmlDoc *doc;

        snprintf(xml, sizeof(xml), "<n%s>%s</n>", cases[i].attributes, cases[i].name);
        doc = idp_parse(xml);
        rc = subject_read(xmlDocGetRootElement(doc), IDP, AUDIENCE, out, NULL);
        if (rc != cases[i].rc || strcmp(out, cases[i].want) != 0)
            fail_msg("%s: %s, %s", xml, mauth_rc_name(rc), out);
        xmlFreeDoc(doc);
    }
}

static void
has_a_bound(void **state)
{
    char xml[SUBJECT_MAX + 9], out[SUBJECT_MAX + 1];

    (void)state;
    for (int more = 0; more < 2; more++) {
        xmlDoc *doc;

        snprintf(xml, sizeof(xml), "<n>%0*d</n>", SUBJECT_MAX + more, 7);
        doc = idp_parse(xml);
        assert_int_equal(
            subject_read(xmlDocGetRootElement(doc), IDP, AUDIENCE, out, NULL),
            more ? MAUTH_MALFORMED : MAUTH_OK);
        assert_int_equal(strlen(out), more ? 0 : SUBJECT_MAX);
        xmlFreeDoc(doc);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_each_by_one_text),
        cmocka_unit_test(has_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
