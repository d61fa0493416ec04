#include <unistd.h>

#include "base/str.h"
#include "cli/output.h"
#include "tests/unit/unit.h"

#define BYTES(s) s, sizeof(s) - 1

static void
lets_nothing_steer_a_terminal(void **state)
{
    static const struct {
        const char *name, *in;
        size_t len;
        const char *out;
    } cases[] = {
        {"plain", BYTES("usr_0a (x) \"y\" \\"), "usr_0a (x) \"y\" \\"},
        {"letters of the world", BYTES("Zo\xc3\xab \xe6\x97\xa5 \xf0\x9f\x8c\x8d"),
            "Zo\xc3\xab \xe6\x97\xa5 \xf0\x9f\x8c\x8d"},
        {"escape sequence", BYTES("\033[2J\033]0;x\007"), "\\x1b[2J\\x1b]0;x\\x07"},
        {"newline, tab, return", BYTES("a\nb\tc\r"), "a\\x0ab\\x09c\\x0d"},
        {"NUL", BYTES("a\0b"), "a\\x00b"},
        {"DEL", BYTES("\x7f"), "\\x7f"},
        {"C1 in UTF-8",
            BYTES("\xc2\x9b"
                  "2J"),
            "\\xc2\\x9b2J"},
        {"C1 as a byte",
            BYTES("\x9b"
                  "2J"),
            "\\x9b2J"},
        {"right-to-left override",
            BYTES("\xe2\x80\xae"
                  "exe"),
            "\\xe2\\x80\\xaeexe"},
        {"isolate", BYTES("\xe2\x81\xa6"), "\\xe2\\x81\\xa6"},
        {"zero width",
            BYTES("a\xe2\x80\x8b"
                  "b"),
            "a\\xe2\\x80\\x8bb"},
        {"byte order mark", BYTES("\xef\xbb\xbf"), "\\xef\\xbb\\xbf"},
        {"overlong", BYTES("\xc0\xaf"), "\\xc0\\xaf"},
        {"overlong escape", BYTES("\xe0\x80\x9b"), "\\xe0\\x80\\x9b"},
        {"surrogate", BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80"},
        {"beyond Unicode", BYTES("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"},
        {"cut off", BYTES("a\xe6\x97"), "a\\xe6\\x97"},
        {"tag", BYTES("\xf3\xa0\x81\x81"), "\\xf3\\xa0\\x81\\x81"},
        {"nothing", BYTES(""), ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text in = {cases[i].in, cases[i].len};
        struct buf out;

        buf_init(&out);
        output_escape(&out, in);
        if (!buf_ok(&out) || out.len != strlen(cases[i].out) ||
            (out.len && memcmp(out.data, cases[i].out, out.len) != 0))
            fail_msg("%s", cases[i].name);
        buf_clear(&out);
    }
}

/* What print puts out, without terminal; the caller frees. */
static char *
capture(void (*print)(void))
{
    char *text = calloc(1, 4096);
    int out[2], keep = dup(STDOUT_FILENO);
    ssize_t n;

    assert_non_null(text);
    assert_int_equal(pipe(out), 0);
    fflush(stdout);
    dup2(out[1], STDOUT_FILENO);
    print();
    fflush(stdout);
    dup2(keep, STDOUT_FILENO);
    close(keep);
    close(out[1]);
    n = read(out[0], text, 4095);
    close(out[0]);
    assert_true(n >= 0);
    return text;
}

static void
print_table(void)
{
    static const char *const heads[] = {"name", "", "about"};
    struct table *t = table_new(3, heads);

    table_cell(t, STYLE_BOLD, "Zo\xc3\xab");
    table_cell(t, STYLE_GOOD, "yes");
    table_cell(t, STYLE_PLAIN, "%d", 1);
    table_cell(t, STYLE_PLAIN, "a\033b");
    table_cell(t, STYLE_PLAIN, "%s", "");
    table_cell(t, STYLE_PLAIN, "%s", "");
    assert_true(table_end(t));
}

static void
lines_columns_up(void **state)
{
    char *text = capture(print_table);

    (void)state;
    assert_string_equal(text, "  name         about\n"
                              "  Zo\xc3\xab     yes  1\n"
                              "  a\\x1bb\n");
    free(text);
}

static void
print_wide_table(void)
{
    /* Two columns each, none, and one. */
    static const char *const names[] = {"\xe6\x97\xa5\xe6\x9c\xac", "e\xcc\x81",
        "\xf0\x9f\x8c\x8d", "\xe2\x98\x83", "\xef\xbc\xa1"};
    struct table *t = table_new(2, NULL);

    for (size_t i = 0; i < COUNT(names); i++) {
        table_cell(t, STYLE_PLAIN, "%s", names[i]);
        table_cell(t, STYLE_PLAIN, "x");
    }
    assert_true(table_end(t));
}

static void
lines_up_what_is_wide(void **state)
{
    char *text = capture(print_wide_table);

    (void)state;
    assert_string_equal(text, "  \xe6\x97\xa5\xe6\x9c\xac  x\n"
                              "  e\xcc\x81     x\n"
                              "  \xf0\x9f\x8c\x8d    x\n"
                              "  \xe2\x98\x83     x\n"
                              "  \xef\xbc\xa1    x\n");
    free(text);
}

static void
print_torn_table(void)
{
    struct table *t = table_new(2, NULL);

    table_cell(t, STYLE_PLAIN, "alone");
    assert_false(table_end(t));
    assert_false(table_end(NULL));
    assert_false(output_json(NULL));
}

static void
prints_nothing_that_is_not_whole(void **state)
{
    char *text = capture(print_torn_table);

    (void)state;
    assert_string_equal(text, "");
    free(text);
}

static void
print_object(void)
{
    assert_true(output_json(json_pack("{s:i, s:s}", "b", 1, "a", "\033")));
}

static void
prints_compact_json(void **state)
{
    char *text = capture(print_object);

    (void)state;
    assert_string_equal(text, "{\"a\":\"\\u001B\",\"b\":1}\n");
    free(text);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_nothing_steer_a_terminal),
        cmocka_unit_test(lines_columns_up),
        cmocka_unit_test(lines_up_what_is_wide),
        cmocka_unit_test(prints_nothing_that_is_not_whole),
        cmocka_unit_test(prints_compact_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
