#include "cli/command.h"
#include "tests/unit/unit.h"

enum {
    OPT_FILE,
    OPT_FORCE
};

static const struct command_option options[] = {
    [OPT_FILE] = {"file", 'f', "FILE", "a file"},
    [OPT_FORCE] = {"force", 0, NULL, "a switch"},
    {NULL, 0, NULL, NULL},
};

static struct call seen;
static size_t runs, rest_count;

static enum command_exit
note(const struct call *call)
{
    seen = *call;
    for (rest_count = 0; call->rest && call->rest[rest_count];)
        rest_count++;
    runs++;
    return COMMAND_REFUSED; /* handed through */
}

static const struct command command = {
    .noun = "thing",
    .verb = "do",
    .synopsis = "ARG [ARG] [-f FILE] [--force]",
    .summary = "does it",
    .about = "It does it.",
    .example = "  meshauth thing do x",
    .options = options,
    .args_min = 1,
    .args_max = 2,
    .run = note,
};

/* One that takes an option several times, and leaves what follows its argument alone. */
static const struct command open_ended = {
    .noun = "wrap",
    .synopsis = "ARG [REST ...]",
    .summary = "does it",
    .about = "It does it.",
    .example = "  meshauth wrap x",
    .options = options,
    .many = 1U << OPT_FILE,
    .args_min = 1,
    .args_max = 1,
    .rest = true,
    .run = note,
};

enum {
    WORDS = 8
};

/* getopt wants an array that it may reorder. */
static enum command_exit
run_as(const struct command *c, const char *const *words)
{
    char text[WORDS][16], *argv[WORDS + 1] = {NULL};
    int argc = 0;

    for (; words[argc]; argc++) {
        snprintf(text[argc], sizeof(text[argc]), "%s", words[argc]);
        argv[argc] = text[argc];
    }
    runs = 0;
    return command_run(c, argc, argv);
}

static enum command_exit
run(const char *const *words)
{
    return run_as(&command, words);
}

static void
takes_an_option_several_times(void **state)
{
    (void)state;
    assert_int_equal(run_as(&open_ended, (const char *const[]){"wrap", "-f", "a",
                                             "--file=b", "-fc", "x", NULL}),
        COMMAND_REFUSED);
    assert_int_equal(seen.agains, 2);
    assert_non_null(command_value(&seen, OPT_FILE, 0));
    assert_non_null(command_value(&seen, OPT_FILE, 2));
    assert_null(command_value(&seen, OPT_FILE, 3));
    assert_null(command_value(&seen, OPT_FORCE, 0));
    assert_null(command_value(&seen, OPT_FORCE, 1));
    assert_int_equal(run_as(&open_ended, (const char *const[]){"wrap", "--force",
                                             "--force", "x", NULL}),
        COMMAND_USAGE);
}

static void
leaves_the_rest_alone(void **state)
{
    (void)state;
    assert_int_equal(run_as(&open_ended, (const char *const[]){"wrap", "--force", "x",
                                             "--help", "-Q", "y", NULL}),
        COMMAND_REFUSED);
    assert_int_equal(runs, 1);
    assert_non_null(seen.option[OPT_FORCE]);
    assert_non_null(seen.rest);
    assert_int_equal(rest_count, 3);
    assert_int_equal(
        run_as(&open_ended, (const char *const[]){"wrap", "x", NULL}), COMMAND_REFUSED);
    assert_int_equal(rest_count, 0);
    assert_int_equal(
        run_as(&open_ended, (const char *const[]){"wrap", NULL}), COMMAND_USAGE);
    assert_int_equal(
        run_as(&open_ended, (const char *const[]){"wrap", "-Q", "x", NULL}),
        COMMAND_USAGE);
}

static void
reads_options_anywhere(void **state)
{
    static const char *const orders[][WORDS] = {
        {"do", "-f", "x", "--force", "--json", "one", "two"},
        {"do", "one", "--file=x", "two", "--json", "--force"},
        {"do", "one", "--force", "--file", "x", "--json", "two"},
        {"do", "--json", "--force", "-fx", "--", "one", "two"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(orders); i++) {
        assert_int_equal(run(orders[i]), COMMAND_REFUSED);
        assert_int_equal(runs, 1);
        assert_true(seen.json);
        assert_non_null(seen.option[OPT_FORCE]);
        assert_non_null(seen.option[OPT_FILE]);
        assert_non_null(seen.arg[1]);
    }
}

static void
leaves_out_what_is_not_there(void **state)
{
    static const char *const words[] = {"do", "-", NULL};

    (void)state;
    assert_int_equal(run(words), COMMAND_REFUSED);
    assert_false(seen.json);
    assert_null(seen.option[OPT_FILE]);
    assert_null(seen.option[OPT_FORCE]);
    assert_null(seen.arg[1]);
}

static void
refuses_what_it_does_not_know(void **state)
{
    static const struct {
        const char *name;
        const char *words[WORDS];
    } cases[] = {
        {"no argument", {"do"}},
        {"three arguments", {"do", "a", "b", "c"}},
        {"three, one behind --", {"do", "a", "b", "--", "c"}},
        {"unknown option", {"do", "a", "--fil3", "x"}},
        {"unknown letter", {"do", "a", "-x"}},
        {"no value", {"do", "a", "--file"}},
        {"no value for a letter", {"do", "a", "-f"}},
        {"value for a switch", {"do", "a", "--force=1"}},
        {"value for --json", {"do", "a", "--json=1"}},
        {"ambiguous", {"do", "a", "--f", "x"}},
        {"twice", {"do", "a", "-f", "x", "--file", "y"}},
        {"switch twice", {"do", "a", "--force", "--force"}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (run(cases[i].words) != COMMAND_USAGE || runs)
            fail_msg("%s", cases[i].name);
}

static void
helps(void **state)
{
    static const char *const words[][3] = {{"do", "--help"}, {"do", "-h"}};

    (void)state;
    for (size_t i = 0; i < COUNT(words); i++) {
        assert_int_equal(run(words[i]), COMMAND_DONE);
        assert_int_equal(runs, 0);
    }
}

static void
maps_failures_to_exit_codes(void **state)
{
    static const struct {
        enum mauth_rc rc;
        enum command_exit exit;
    } cases[] = {
        {MAUTH_INVALID, COMMAND_USAGE},
        {MAUTH_MALFORMED, COMMAND_REFUSED},
        {MAUTH_TOO_LARGE, COMMAND_REFUSED},
        {MAUTH_UNTRUSTED, COMMAND_REFUSED},
        {MAUTH_EXPIRED, COMMAND_REFUSED},
        {MAUTH_DENIED, COMMAND_REFUSED},
        {MAUTH_NOT_FOUND, COMMAND_REFUSED},
        {MAUTH_CONFLICT, COMMAND_REFUSED},
        {MAUTH_INTERNAL, COMMAND_FAILED},
        {MAUTH_NO_MEMORY, COMMAND_FAILED},
        {MAUTH_UNAVAILABLE, COMMAND_FAILED},
        {MAUTH_OK, COMMAND_FAILED},
    };
    struct call call = {.command = &command};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mauth_err err = {.rc = cases[i].rc, .text = "as it is"};

        assert_int_equal(command_failed(&call, &err), cases[i].exit);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_an_option_several_times),
        cmocka_unit_test(leaves_the_rest_alone),
        cmocka_unit_test(reads_options_anywhere),
        cmocka_unit_test(leaves_out_what_is_not_there),
        cmocka_unit_test(refuses_what_it_does_not_know),
        cmocka_unit_test(helps),
        cmocka_unit_test(maps_failures_to_exit_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
