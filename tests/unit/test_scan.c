#include "base/str.h"
#include "config/scan.h"
#include "tests/unit/unit.h"

static enum mauth_rc
scan(const char *text, struct mauth_err *err)
{
    return config_scan("x.conf", text_of(text), err);
}

static void
lets_good_files_pass(void **state)
{
    static const char *const good[] = {
        "",
        "\n",
        "a = 1;",
        "a = 2147483647; b = -2147483647; c = 0x7fffffff; d = 10L;",
        "a1_999999999999 = 1; # 99999999999",
        "// 99999999999\r\n/* 99999999999 \n @include \"x\" */ a = \"99999999999\";",
        "a = \"@include\"; b = \"\\\"\"; c = \"\\\\\"; d = \"/* # // \";",
        "a = \"gr\xc3\xbc\xc3\x9f\"; # gr\xc3\xbc\xc3\x9f",
        "/* one */ a = 1; /**/ b = 2; /***/",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;

        if (scan(good[i], &err) != MAUTH_OK)
            fail_msg("%s: %s", good[i], err.text);
    }
}

#define NUMBER  "a number larger than any setting takes"
#define CONTROL "a control byte; the file must be plain text"
#define QUOTE   "a text must end on its own line; its closing \" is missing"
#define COMMENT "this comment never ends; close it with */"
#define INCLUDE "there is no @include here; put all settings into this file"

static const struct {
    const char *name;
    const char *text;
    const char *want;
} refusals[] = {
    {"a number that wraps to 8443", "port = 4294975739;", "1: " NUMBER},
    {"one too many", "a = 1;\nb = 2147483648;", "2: " NUMBER},
    {"negative", "a = -4294967295;", "1: " NUMBER},
    {"long", "a = 99999999999999999999999999999999999999L;", "1: " NUMBER},
    {"hexadecimal", "a = 0x80000000;", "1: " NUMBER},
    {"hexadecimal, upper case", "a = 0XFFFFFFFFFFFFFFFFFF;", "1: " NUMBER},
    {"after a name with a digit", "a1=1;a2=99999999999;", "1: " NUMBER},
    {"comment to the end", "a = 1;\n/* b = 2;\nc = 3;\n", "2: " COMMENT},
    {"comment of a star", "/*/", "1: " COMMENT},
    {"string to the end", "a = \"x;\n", "1: " QUOTE},
    {"string over two lines", "a = 1;\nb = \"x\ny\";\n", "2: " QUOTE},
    {"string that ends in a backslash", "a = \"x\\\ny\";", "1: " QUOTE},
    {"string that ends in an escape", "a = \"x\\\";\n", "1: " QUOTE},
    {"a lone quote", "\"", "1: " QUOTE},
    {"zero in a string", "a = \"x\\x00y\";", "1: a text cannot hold \\x00"},
    {"include", "a = 1;\n@include \"/etc/passwd\"\n", "2: " INCLUDE},
    {"include, indented", " \t@include \"/etc/passwd\"\n", "1: " INCLUDE},
    {"include after a comment", "/* x */ @include \"/etc/passwd\"\n", "1: " INCLUDE},
    {"escape in a comment", "# \x1b[2J\n", "1: " CONTROL},
    {"form feed", "a = 1;\f\nb = 2;", "1: " CONTROL},
    {"delete in a string", "\n\na = \"\x7f\";", "3: " CONTROL},
    {"only the first is told", "a = \"\x01\";\n/*", "1: " CONTROL},
};

static void
refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        char want[128];

        if (scan(refusals[i].text, &err) != MAUTH_MALFORMED)
            fail_msg("taken: %s", refusals[i].name);
        snprintf(want, sizeof(want), "x.conf:%s", refusals[i].want);
        if (strcmp(err.text, want) != 0)
            fail_msg("%s: \"%s\"", refusals[i].name, err.text);
    }
}

static void
refuses_zero_bytes_everywhere(void **state)
{
    static const char good[] = "# x\n/* y */ abc = \"text\"; d = 12;\n";
    char bad[sizeof(good)];

    (void)state;
    for (size_t i = 0; i < sizeof(good) - 1; i++) {
        struct text text = {bad, sizeof(good) - 1};

        memcpy(bad, good, sizeof(good));
        bad[i] = '\0';
        if (config_scan("x.conf", text, NULL) != MAUTH_MALFORMED)
            fail_msg("taken: a zero byte at %zu", i);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_good_files_pass),
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_zero_bytes_everywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
