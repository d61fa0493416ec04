#include <unistd.h>

#include "saml/xml.h"
#include "tests/unit/saml_idp.h"

static const struct {
    const char *name, *text;
    enum mauth_rc message, metadata;
} cases[] = {
    {"an element", "<a/>", MAUTH_OK, MAUTH_OK},
    {"a declaration", "<?xml version=\"1.0\"?><a/>", MAUTH_OK, MAUTH_OK},
    {"a byte order mark", "\xef\xbb\xbf<a/>", MAUTH_OK, MAUTH_OK},
    {"the five entities", "<a b=\"&lt;\">&amp;&gt;&quot;&apos;&#228;</a>", MAUTH_OK,
        MAUTH_OK},
    {"another encoding that says the same",
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>b</a>", MAUTH_OK, MAUTH_OK},
    {"a namespace taken back", "<a xmlns=\"a:b\"><c xmlns=\"\"/></a>", MAUTH_OK,
        MAUTH_OK},
    {"two IDs", "<a ID=\"x\"><b ID=\"y\"/></a>", MAUTH_OK, MAUTH_OK},
    {"a comment", "<a><!-- \"> --></a>", MAUTH_MALFORMED, MAUTH_OK},
    {"a comment in front", "<!-- ' --><a/>", MAUTH_MALFORMED, MAUTH_OK},
    {"a comment behind", "<a/><!-- -->", MAUTH_MALFORMED, MAUTH_OK},
    {"a processing instruction", "<a><?b \"?></a>", MAUTH_MALFORMED, MAUTH_OK},

    {"nothing", "", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"text", "a", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"white space in front", " <a/>", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"not closed", "<a>", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"a tag not closed", "<a", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"a quote not closed", "<a b=\">", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"a comment not closed", "<a><!--", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"two roots", "<a/><b/>", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"text behind", "<a/>b", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"a CDATA section", "<a><![CDATA[b]]></a>", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"a DTD", "<!DOCTYPE a><a/>", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"a DTD with a subset", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", MAUTH_MALFORMED,
        MAUTH_MALFORMED},
    {"a DTD of a file", "<!DOCTYPE a SYSTEM 'file:///etc/hostname'><a/>",
        MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"an entity", "<a>&b;</a>", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"an entity in an attribute", "<a b='&b;'/>", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"xml:id", "<a xml:id='b'/>", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"an ID twice", "<a ID='x'><b ID='x'/></a>", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"an ID by two names", "<a ID='x'><b Id='x'/></a>", MAUTH_MALFORMED,
        MAUTH_MALFORMED},
    {"an ID by two others", "<a id='x'><b AssertionID='x'/></a>", MAUTH_MALFORMED,
        MAUTH_MALFORMED},
    {"an unknown prefix", "<b:a/>", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"an unknown prefix of an attribute", "<a b:c=''/>", MAUTH_MALFORMED,
        MAUTH_MALFORMED},
    {"a relative namespace", "<a xmlns:b='c'/>", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"a relative path as a namespace", "<a xmlns='../c'/>", MAUTH_MALFORMED,
        MAUTH_MALFORMED},
    {"an attribute twice", "<a b='' b=''/>", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"a control character", "<a>\x01</a>", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"no UTF-8", "<a>\xe4</a>", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"too long UTF-8", "<a>\xc0\xbc</a>", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"a surrogate", "<a>\xed\xa0\x80</a>", MAUTH_MALFORMED, MAUTH_MALFORMED},
    {"UTF-7", "<?xml version='1.0' encoding='UTF-7'?><a>+ADw-</a>", MAUTH_OK, MAUTH_OK},
};

static void
parses_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (int kind = XML_MESSAGE; kind <= XML_METADATA; kind++) {
            enum mauth_rc want = kind ? cases[i].metadata : cases[i].message, rc;
            struct mauth_err err = MAUTH_ERR_INIT;
            xmlDoc *doc = (xmlDoc *)state;

            rc = xml_parse((enum xml_kind)kind, text_of(cases[i].text), &doc, &err);
            if (rc != want || err.rc != rc)
                fail_msg("%s: %s", cases[i].name, mauth_rc_name(rc));
            assert_true((rc == MAUTH_OK) == (doc != NULL));
            xmlFreeDoc(doc);
        }
    }
}

/* UTF-16, with and without its mark, has bytes that UTF-8 has not. */
static void
parses_no_utf16(void **state)
{
    static const char big[] = "\0<\0a\0/\0>", little[] = "<\0a\0/\0>\0";
    static const char marked[] = "\xff\xfe<\0a\0/\0>\0";
    const struct text texts[] = {{big, 8}, {little, 8}, {marked, 10}};
    xmlDoc *doc;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_int_equal(
            xml_parse(XML_METADATA, texts[i], &doc, NULL), MAUTH_MALFORMED);
}

/* One tag of so many bytes, and others behind it. */
static enum mauth_rc
parse_tag(size_t bytes)
{
    struct buf b;
    xmlDoc *doc;
    enum mauth_rc rc;

    buf_init(&b);
    buf_str(&b, "<r><a b='");
    while (b.len < bytes) /* as many are around it as stand before it */
        buf_str(&b, ">");
    buf_str(&b, "'/></r>");
    rc = xml_parse(XML_METADATA, (struct text){(char *)b.data, b.len}, &doc, NULL);
    xmlFreeDoc(doc);
    buf_clear(&b);
    return rc;
}

static void
has_a_bound_for_tags(void **state)
{
    (void)state;
    assert_int_equal(parse_tag(XML_TAG_MAX), MAUTH_OK);
    assert_int_equal(parse_tag(XML_TAG_MAX + 1), MAUTH_TOO_LARGE);
}

static void
reads_what_is_there(void **state)
{
    static const char xml[] = "<a xmlns='u:a' xmlns:b='u:b' b:x='1' x='2'> "
                              "<b:c>t&amp;x</b:c>\n<c/><b:c/></a>";
    const char *text;
    xmlNode *root, *c;
    xmlDoc *doc;

    (void)state;
    assert_int_equal(xml_parse(XML_MESSAGE, text_of(xml), &doc, NULL), MAUTH_OK);
    root = xmlDocGetRootElement(doc);
    assert_true(xml_is(root, "u:a", "a"));
    assert_false(xml_is(root, "u:b", "a") || xml_is(root, "u:a", "b"));
    assert_false(xml_is(NULL, "u:a", "a"));
    assert_string_equal(xml_attribute(root, "x"), "2");
    assert_null(xml_attribute(root, "y"));
    assert_int_equal(xml_attributes(root), 2);
    assert_true(xml_holds_elements(root));
    c = xml_first(root);
    assert_true(xml_is(c, "u:b", "c") && xml_text(c, &text));
    assert_string_equal(text, "t&x");
    assert_false(xml_holds_elements(c));
    assert_false(xml_text(root, &text));
    assert_true(xml_is(xml_next(c), "u:a", "c") && xml_text(xml_next(c), &text));
    assert_string_equal(text, "");
    assert_null(xml_only(root, "u:b", "c")); /* there are two */
    assert_ptr_equal(xml_only(root, "u:a", "c"), xml_next(c));
    assert_null(xml_first(NULL));
    assert_ptr_equal(xml_walk(root), c);
    assert_null(xml_walk(xml_next(xml_next(c))));
    xmlFreeDoc(doc);
}

static void
reads_times(void **state)
{
    static const struct {
        const char *text, *want; /* NULL: refused */
    } times[] = {
        {"2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"},
        {"2026-11-22T10:00:00.9Z", "2026-11-22T10:00:00Z"},
        {"2026-11-22T10:00:00.123456789Z", "2026-11-22T10:00:00Z"},
        {"2026-11-22T10:00:00.1234567890Z", NULL},
        {"2026-11-22T10:00:00.Z", NULL},
        {"2026-11-22T10:00:00", NULL},
        {"2026-11-22T10:00:00+01:00", NULL},
        {"2026-11-22T10:00:00.5", NULL},
        {"2026-11-22T10:00:00ZZ", NULL},
        {"2026-11-31T10:00:00Z", NULL},
        {" 2026-11-22T10:00:00Z", NULL},
        {"", NULL},
        {NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(times); i++) {
        int64_t t_s = -1;
        bool taken = xml_time(times[i].text, &t_s);

        if (taken != (times[i].want != NULL))
            fail_msg("%s", times[i].text);
        assert_int_equal(t_s, taken ? golden_time(times[i].want) : 0);
    }
}

/* Errors quote what strangers sent. */
static void
says_nothing_on_standard_error(void **state)
{
    FILE *heard = tmpfile();
    int saved = dup(STDERR_FILENO);
    xmlDoc *doc;

    (void)state;
    assert_true(heard && saved >= 0);
    fflush(stderr);
    dup2(fileno(heard), STDERR_FILENO);
    for (size_t i = 0; i < COUNT(cases); i++)
        if (xml_parse(XML_MESSAGE, text_of(cases[i].text), &doc, NULL) == MAUTH_OK)
            xmlFreeDoc(doc);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    fseek(heard, 0, SEEK_END);
    assert_int_equal(ftell(heard), 0);
    fclose(heard);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_each),
        cmocka_unit_test(parses_no_utf16),
        cmocka_unit_test(has_a_bound_for_tags),
        cmocka_unit_test(reads_what_is_there),
        cmocka_unit_test(reads_times),
        cmocka_unit_test(says_nothing_on_standard_error),
    };

    return cmocka_run_group_tests(tests, idp_group_start, idp_group_end);
}
