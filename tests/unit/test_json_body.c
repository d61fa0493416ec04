#include <string.h>

#include "authsvc/json_body.h"
#include "base/str.h"
#include "tests/unit/unit.h"

static const struct json_member members[] = {
    {"name", JSON_BODY_TEXT, true},
    {"count", JSON_BODY_NUMBER, false},
    {"open", JSON_BODY_BOOL, false},
    {"for", JSON_BODY_TEXT | JSON_BODY_OBJECT, false},
    {"actions", JSON_BODY_LIST, false},
    {NULL, 0, false},
};
static const struct json_member inner[] = {
    {"email", JSON_BODY_TEXT, true},
    {NULL, 0, false},
};

static void
test_good(void **state)
{
    static const char text[] = "{\"name\":\"a\",\"count\":7,\"open\":true,"
                               "\"actions\":[\"x\",\"y\"],\"for\":{\"email\":\"e\"}}";
    struct json_body b;

    (void)state;
    assert_null(json_body_parse(text_of(text), members, &b));
    assert_string_equal(json_body_text(b.root, "name"), "a");
    assert_int_equal(json_body_number(b.root, "count", 0), 7);
    assert_true(json_body_bool(b.root, "open", false));
    assert_null(json_body_check(&b, json_object_get(b.root, "for"), inner, "for"));
    json_body_clear(&b);
    assert_null(json_body_parse(text_of("{\"name\":\"a\"}"), members, &b));
    assert_int_equal(json_body_number(b.root, "count", 5), 5);
    assert_true(json_body_bool(b.root, "open", true));
    assert_null(json_body_text(b.root, "for"));
    json_body_clear(&b);
}

static const struct {
    const char *name, *text, *problem, *detail;
} refusals[] = {
    {"empty", "", "body", "one JSON object"},
    {"no JSON", "name", "body", "one JSON object"},
    {"a list", "[]", "body", "one JSON object"},
    {"a number", "7", "body", "one JSON object"},
    {"more behind it", "{\"name\":\"a\"} {}", "body", "one JSON object"},
    {"a byte order mark", "\xef\xbb\xbf{\"name\":\"a\"}", "body", "one JSON object"},
    {"not UTF-8", "{\"name\":\"\xff\"}", "body", "one JSON object"},
    {"half a surrogate", "{\"name\":\"\\ud800\"}", "body", "one JSON object"},
    {"NUL", "{\"name\":\"\\u0000\"}", "body", "one JSON object"},
    {"unknown", "{\"name\":\"a\",\"nane\":1}", "body", "no member \"nane\""},
    {"unknown and ugly", "{\"name\":\"a\",\"\\u001b[2J\":1}", "body", "\\x1b[2J"},
    {"twice", "{\"name\":\"a\",\"name\":\"b\"}", "body", "stands twice"},
    {"missing", "{\"count\":1}", "body", "\"name\" is missing"},
    {"number for text", "{\"name\":1}", "body", "\"name\" must be text"},
    {"null for text", "{\"name\":null}", "body", "\"name\" must be text"},
    {"text for bool", "{\"name\":\"a\",\"open\":\"yes\"}", "body", "true or false"},
    {"fraction", "{\"name\":\"a\",\"count\":1.5}", "body", "a whole number"},
    {"below zero", "{\"name\":\"a\",\"count\":-1}", "body", "a whole number"},
    {"too big", "{\"name\":\"a\",\"count\":99999999999999999999}", "body", "one JSON"},
    {"list of numbers", "{\"name\":\"a\",\"actions\":[1]}", "body", "a list of texts"},
    {"too deep", "{\"name\":[[[[1]]]]}", "body", "too deep"},
    {"PEM", "{\"name\":\"-----BEGIN PRIVATE KEY-----\\n\"}", "private-key",
        "private key"},
    {"RSA PEM", "{\"name\":\"-----BEGIN RSA PRIVATE KEY-----\"}", "private-key", "pri"},
    {"JWK", "{\"name\":\"a\",\"key\":{\"kty\":\"EC\",\"d\":\"AA\"}}", "private-key",
        "pri"},
    {"PEM in a list",
        "{\"name\":\"a\",\"list\":[\"x\",\"-----BEGIN PRIVATE KEY-----\"]}",
        "private-key", "private key"},
    {"JWK in a list", "{\"name\":\"a\",\"keys\":[{\"kty\":\"EC\",\"d\":\"AA\"}]}",
        "private-key", "private key"},
    {"by name", "{\"name\":\"a\",\"privateKeyPem\":\"x\"}", "private-key",
        "private key"},
};

static void
test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
        struct json_body b;
        const char *problem = json_body_parse(text_of(refusals[i].text), members, &b);

        if (!problem || strcmp(problem, refusals[i].problem) != 0 ||
            !strstr(b.detail, refusals[i].detail))
            fail_msg(
                "%s: %s: %s", refusals[i].name, problem ? problem : "taken", b.detail);
        json_body_clear(&b);
    }
}

static void
test_bytes_that_end_early(void **state)
{
    static const char text[] = "{\"name\":\"a\",\"for\":{\"email\":\"[{\\\"\"}}";
    struct json_body b;

    (void)state;
    for (size_t len = 0; len + 1 < sizeof(text); len++) {
        struct text cut = {text, len};

        if (!json_body_parse(cut, members, &b))
            fail_msg("%zu bytes", len);
        json_body_clear(&b);
    }
    assert_null(json_body_parse(text_of(text), members, &b));
    json_body_clear(&b);
}

static void
test_what_lies_within(void **state)
{
    struct json_body b;

    (void)state;
    assert_null(json_body_parse(
        text_of("{\"name\":\"a\",\"for\":{\"mail\":\"e\"}}"), members, &b));
    assert_string_equal(
        json_body_check(&b, json_object_get(b.root, "for"), inner, "for"), "body");
    assert_non_null(strstr(b.detail, "no member \"mail\""));
    json_body_clear(&b);
    assert_null(json_body_parse(text_of("{\"name\":\"a\",\"for\":{}}"), members, &b));
    assert_string_equal(
        json_body_check(&b, json_object_get(b.root, "for"), inner, "for"), "body");
    assert_non_null(strstr(b.detail, "\"email\" is missing in for"));
    json_body_clear(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_bytes_that_end_early),
        cmocka_unit_test(test_what_lies_within),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
