#include "base/str.h"
#include "store/graph_label.h"
#include "tests/unit/unit.h"

struct label {
    const char *name;
    const char *text;
    bool ok;
};

static const struct label labels[] = {
    {"plain", "Alice's PC", true},
    {"markup is only text", "<b>&amp;</b>", true},
    {"many scripts", "Žofka’s 电脑 \xe0\xa4\x85", true},
    {"one outside of the basic plane", "\xf0\x9f\x93\xb7", true},
    {"empty", "", false},
    {"escape", "a\033[2J", false},
    {"line end", "a\nb", false},
    {"delete", "a\x7f", false},
    {"C1 control", "a\xc2\x9b", false},
    {"soft hyphen", "a\xc2\xad", false},
    {"right-to-left override", "a\xe2\x80\xae", false},
    {"isolate", "a\xe2\x81\xa6", false},
    {"Arabic letter mark", "a\xd8\x9c", false},
    {"zero width space", "a\xe2\x80\x8b", false},
    {"zero width joiner", "a\xe2\x80\x8d", false},
    {"word joiner", "a\xe2\x81\xa0", false},
    {"line separator", "a\xe2\x80\xa8", false},
    {"byte order mark",
        "\xef\xbb\xbf"
        "a",
        false},
    {"tag", "a\xf3\xa0\x81\x81", false},
    {"Hangul filler", "\xe3\x85\xa4", false},
    {"overlong", "a\xc0\xaf", false},
    {"surrogate", "\xed\xa0\x80", false},
    {"cut off", "a\xe2\x80", false},
};

static void
knows_what_may_be_shown(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(labels); i++)
        if (graph_label_ok(text_of(labels[i].text)) != labels[i].ok)
            fail_msg("%s", labels[i].name);
    assert_false(graph_label_ok((struct text){"a\0b", 3}));
}

static void
bounds_bytes(void **state)
{
    char text[GRAPH_LABEL_MAX + 1];

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_true(graph_label_ok((struct text){text, GRAPH_LABEL_MAX}));
    assert_false(graph_label_ok((struct text){text, GRAPH_LABEL_MAX + 1}));
    assert_true(graph_text_ok((struct text){text, GRAPH_LABEL_MAX + 1}));
    assert_true(graph_text_ok((struct text){"", 0}));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_may_be_shown),
        cmocka_unit_test(bounds_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
