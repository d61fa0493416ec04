#include "base/str.h"
#include "net/form.h"
#include "tests/unit/unit.h"

static struct form *
parse(const char *text)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct form *f = NULL;

    if (form_parse(text_of(text), &f, &err) != MAUTH_OK)
        fail_msg("%s: %s", text, err.text);
    assert_non_null(f);
    return f;
}

static void
decodes(void **state)
{
    static const struct {
        const char *text;
        const char *name;
        const char *value;
    } good[] = {
        {"a=b", "a", "b"},
        {"a=b&", "a", "b"},
        {"&&a=b", "a", "b"},
        {"a=b=c", "a", "b=c"},
        {"a=%3D%26%2B%25", "a", "=&+%"},
        {"a=b+c%20d", "a", "b c d"},
        {"a+b=c", "a b", "c"},
        {"%61=%62", "a", "b"},
        {"a=%c3%A4", "a", "\xc3\xa4"},
        {"a=%c2%a0", "a", "\xc2\xa0"},
        {"a=%e2%82%ac", "a", "\xe2\x82\xac"},
        {"a=%ed%9f%bf%ee%80%80", "a", "\xed\x9f\xbf\xee\x80\x80"},
        {"a=%f0%90%80%80%f4%8f%bf%bf", "a", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        {"x=1&a=%7e&y=2", "a", "~"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct form *f = parse(good[i].text);

        assert_int_equal(form_count(f, good[i].name), 1);
        assert_string_equal(form_value(f, good[i].name, 0), good[i].value);
        assert_null(form_value(f, good[i].name, 1));
        form_free(f);
    }
}

static void
tells_repetitions(void **state)
{
    static const char *const none[] = {NULL};
    static const char *const some[] = {"a", "b", NULL};
    struct form *f = parse("a=1&c=3&%61=2&b=4&A=5&c=");

    (void)state;
    assert_int_equal(form_count(f, "a"), 2);
    assert_string_equal(form_value(f, "a", 0), "1");
    assert_string_equal(form_value(f, "a", 1), "2");
    assert_null(form_value(f, "a", 2));
    assert_string_equal(form_value(f, "A", 0), "5");
    assert_null(form_value(f, "d", 0));
    assert_int_equal(form_count(f, "d"), 0);
    assert_string_equal(form_repeated(f, none), "a");
    assert_null(form_repeated(f, some));
    form_free(f);
    f = parse("x=1&y=1&y=1&b=2&b=2");
    assert_string_equal(form_repeated(f, some), "y");
    form_free(f);
}

static void
tells_strangers(void **state)
{
    static const char *const some[] = {"a", "b", NULL};
    static const char *const good[] = {"", "a=1", "b=1&a=1&a=2", "c&d=", "%61=1"};
    static const char *const bad[] = {"c=1", "a=1&c=1", "c=1&d=", "A=3&a=3&c="};
    static const char *const said[] = {"c", "c", "c", "A"};
    struct form *f;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        f = parse(good[i]);
        assert_null(form_unknown(f, some));
        form_free(f);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        f = parse(bad[i]);
        assert_string_equal(form_unknown(f, some), said[i]);
        form_free(f);
    }
}

/* RFC 6749 3.1: "Parameters sent without a value MUST be treated as if omitted". */
static void
omits_what_has_no_value(void **state)
{
    static const char *const none[] = {NULL};
    static const char *const empty[] = {"", "a", "a=", "a&a=&a", "&", "=", "a=&=&"};

    (void)state;
    for (size_t i = 0; i < COUNT(empty); i++) {
        struct form *f = parse(empty[i]);

        assert_int_equal(form_count(f, "a"), 0);
        assert_null(form_value(f, "a", 0));
        assert_null(form_repeated(f, none));
        form_free(f);
    }
}

static const struct {
    const char *name;
    const char *text;
} refusals[] = {
    {"lone percent", "a=%"},
    {"one digit", "a=%4"},
    {"percent at the end of a name", "a%4=b"},
    {"no digit", "a=%4g"},
    {"no digit first", "a=%g4"},
    {"sign", "a=%+4"},
    {"zero byte", "a=b%00"},
    {"zero byte in a name", "a%00=b"},
    {"line feed", "a=%0a"},
    {"escape", "a=%1b[2J"},
    {"delete", "a=%7f"},
    {"C1 control", "a=%c2%85"},
    {"last C1 control", "a=%c2%9f"},
    {"raw space", "a=b c"},
    {"raw line feed", "a=b\n"},
    {"raw delete", "a=\x7f"},
    {"raw UTF-8", "a=\xc3\xa4"},
    {"control byte in an omitted parameter", "%01="},
    {"value without a name", "=b"},
    {"value without a name, later", "a=b&=c"},
    {"continuation alone", "a=%80"},
    {"overlong slash", "a=%c0%af"},
    {"overlong, three", "a=%e0%80%af"},
    {"overlong, four", "a=%f0%80%80%af"},
    {"surrogate", "a=%ed%a0%80"},
    {"beyond Unicode", "a=%f4%90%80%80"},
    {"five bytes", "a=%f8%88%80%80%80"},
    {"cut after one", "a=%c3"},
    {"cut after two", "a=%e2%82"},
    {"cut after three", "a=%f0%90%80"},
    {"cut by another field", "a=%c3&b=%a4"},
    {"third byte wrong", "a=%e2%82A"},
    {"fourth byte wrong", "a=%f0%90%80A"},
    {"0xff", "a=%ff"},
};

static void
refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        struct form *f = (struct form *)state;

        if (form_parse(text_of(refusals[i].text), &f, &err) != MAUTH_MALFORMED)
            fail_msg("taken: %s", refusals[i].name);
        assert_null(f);
        assert_int_equal(err.rc, MAUTH_MALFORMED);
        for (const char *p = err.text; *p; p++)
            assert_in_range(*p, 0x20, 0x7e);
    }
}

static void
does_not_say_the_value(void **state)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct form *f;

    (void)state;
    assert_int_equal(
        form_parse(text_of("subject_token=eyJsecret%"), &f, &err), MAUTH_MALFORMED);
    assert_non_null(strstr(err.text, "subject_token"));
    assert_null(strstr(err.text, "eyJ"));
}

static void
refuses_zero_bytes_and_cuts(void **state)
{
    static const char good[] = "grant_type=a%c3%a4b&x=y";
    char bad[sizeof(good)];
    struct form *f;

    (void)state;
    for (size_t i = 0; i < sizeof(good) - 1; i++) {
        struct text text = {bad, sizeof(good) - 1};

        memcpy(bad, good, sizeof(good));
        bad[i] = '\0';
        if (form_parse(text, &f, NULL) != MAUTH_MALFORMED)
            fail_msg("taken: a zero byte at %zu", i);
        assert_null(f);
    }
}

static void
is_bounded(void **state)
{
    char text[4 * FORM_FIELDS + 16] = "";
    struct form *f;

    (void)state;
    for (size_t i = 0; i < FORM_FIELDS; i++)
        strcat(text, "a=b&");
    f = parse(text);
    assert_int_equal(form_count(f, "a"), FORM_FIELDS);
    assert_string_equal(form_value(f, "a", FORM_FIELDS - 1), "b");
    form_free(f);
    strcat(text, "c=&d&"); /* not sent */
    form_free(parse(text));
    strcat(text, "e=f");
    assert_int_equal(form_parse(text_of(text), &f, NULL), MAUTH_TOO_LARGE);
    assert_null(f);
}

static void
copies_the_text(void **state)
{
    char text[] = "a=b";
    struct form *f = parse(text);

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    assert_string_equal(form_value(f, "a", 0), "b");
    form_free(f);
    form_free(NULL);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes),
        cmocka_unit_test(tells_repetitions),
        cmocka_unit_test(tells_strangers),
        cmocka_unit_test(omits_what_has_no_value),
        cmocka_unit_test(refuses),
        cmocka_unit_test(does_not_say_the_value),
        cmocka_unit_test(refuses_zero_bytes_and_cuts),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(copies_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
