#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "cli/browser.h"
#include "tests/unit/unit.h"

#define URL "https://login.example/auth?a=b&c=$(id);`id`"

static void
takes_words(void **state)
{
    static const struct {
        const char *command;
        const char *words[BROWSER_WORDS + 1]; /* none: refused */
    } cases[] = {
        {"firefox", {"firefox", URL}},
        {"  firefox   --new-window ", {"firefox", "--new-window", URL}},
        {"w3m %s -o a=b", {"w3m", URL, "-o", "a=b"}},
        {"a '%s'", {"a", "'%s'", URL}}, /* no shell reads it */
        {"", {NULL}},
        {" ", {NULL}},
        {"%s", {NULL}}, /* what a page says is no command */
        {"a b c d e f g", {"a", "b", "c", "d", "e", "f", "g", URL}},
        {"a b c d e f g h", {NULL}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *words[BROWSER_WORDS + 1];
        char command[64];
        bool good;

        snprintf(command, sizeof(command), "%s", cases[i].command);
        good = browser_words(command, URL, words);
        if (good != (cases[i].words[0] != NULL))
            fail_msg("\"%s\"", cases[i].command);
        for (size_t k = 0; good && k < COUNT(words); k++) {
            if (!cases[i].words[k]) {
                assert_null(words[k]);
                break;
            }
            assert_string_equal(words[k], cases[i].words[k]);
        }
    }
}

static void
clear(void)
{
    static const char *const names[] = {
        "BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "SSH_TTY"};

    for (size_t i = 0; i < COUNT(names); i++)
        unsetenv(names[i]);
}

static void
knows_where_it_is(void **state)
{
    (void)state;
    clear();
    assert_false(browser_is_there());
    setenv("DISPLAY", "", 1);
    assert_false(browser_is_there());
    setenv("DISPLAY", ":0", 1);
    assert_true(browser_is_there());
    setenv("SSH_TTY", "/dev/pts/0", 1);
    assert_false(browser_is_there());
    setenv("BROWSER", "w3m", 1);
    assert_true(browser_is_there());
    clear();
    setenv("WAYLAND_DISPLAY", "wayland-0", 1);
    assert_true(browser_is_there());
    setenv("SSH_CONNECTION", "127.0.0.1 1 127.0.0.1 22", 1);
    assert_false(browser_is_there());
}

/* The URL arrives as it is, one word; the first command that starts is the one. */
static void
opens(void **state)
{
    char dir[] = "/tmp/mauth-browser-XXXXXX", script[64], seen[64], list[256];
    int64_t end_ms = time_monotonic_ms() + 10000;
    char text[256] = "";
    FILE *f;

    (void)state;
    clear();
    assert_non_null(mkdtemp(dir));
    snprintf(script, sizeof(script), "%s/b", dir);
    snprintf(seen, sizeof(seen), "%s/seen", dir);
    f = fopen(script, "w");
    assert_non_null(f);
    fprintf(f,
        "#!/bin/sh\nprintf '%%s|' \"$#\" \"$1\" \"$2\" >%s.new && mv %s.new %s\n", seen,
        seen, seen);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(script, 0700), 0);
    snprintf(
        list, sizeof(list), "/nowhere/a:%%s:%s/c --x:%s --y:/nowhere/d", dir, script);
    setenv("BROWSER", list, 1);
    assert_true(browser_open(URL));
    while (access(seen, F_OK) != 0 && time_monotonic_ms() < end_ms)
        usleep(10000);
    f = fopen(seen, "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof(text), f));
    fclose(f);
    assert_string_equal(text, "2|--y|" URL "|");
    setenv("BROWSER", "/nowhere/a:/nowhere/b", 1);
    assert_false(browser_open(URL));
    unlink(seen);
    unlink(script);
    rmdir(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_words),
        cmocka_unit_test(knows_where_it_is),
        cmocka_unit_test(opens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
