#include "cli/showing.h"
#include "tests/unit/unit.h"

static enum mauth_rc
complete(const char *url, const char *method, struct showing *s)
{
    memset(s, 0, sizeof(*s));
    s->url = url;
    s->method = method;
    s->rights.want.resource = s->rights.resource;
    s->rights.want.action = s->rights.action;
    return showing_complete(s, NULL);
}

static void
takes_the_action_from_the_method(void **state)
{
    static const struct {
        const char *method, *action; /* NULL: it does not tell */
    } cases[] = {{"GET", "read"}, {"HEAD", "read"}, {"PUT", "write"}, {"POST", "write"},
        {"PATCH", "write"}, {"DELETE", "delete"}, {"PURGE", NULL}, {"get", NULL},
        {"", NULL}};
    struct showing s;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum mauth_rc rc = complete("https://a.example/b", cases[i].method, &s);

        assert_int_equal(rc, cases[i].action ? MAUTH_OK : MAUTH_INVALID);
        if (cases[i].action)
            assert_string_equal(s.rights.want.action[0], cases[i].action);
    }
}

static void
takes_the_place_from_the_url(void **state)
{
    static const struct {
        const char *url, *place; /* NULL: refused */
    } cases[] = {
        {"https://a.example/b/c", "https://a.example/b/c"},
        {"https://a.example/b?c=d&e", "https://a.example/b"},
        {"https://a.example/b?c=/../", "https://a.example/b"},
        {"https://a.example/b?c#d", NULL},
        {"https://a.example/b#", NULL},
        {"https://a.example/b?c d", NULL},
        {"https://a.example/b?\n", NULL},
        {"https://a.example/b?\"", NULL},
        {"https://a.example/../b", NULL},
        {"https://a.example//b", NULL},
        {"https://A.example/b", NULL},
        {"https://u@a.example/b", NULL},
        {"http://a.example/b", NULL},
        {"file:///etc/passwd", NULL},
        {"", NULL},
        {"-L", NULL},
    };
    struct showing s;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (complete(cases[i].url, "GET", &s) !=
            (cases[i].place ? MAUTH_OK : MAUTH_INVALID))
            fail_msg("%s", cases[i].url);
        if (cases[i].place)
            assert_string_equal(s.rights.want.resource[0], cases[i].place);
    }
}

static void
leaves_what_was_typed(void **state)
{
    struct showing s = {.url = "https://a.example/b", .method = "PURGE"};

    (void)state;
    s.rights.resource[0] = "https://auth.example/v1/mesh/x";
    s.rights.action[0] = "control";
    s.rights.want = (struct token_rights){.resource = s.rights.resource,
        .resources = 1,
        .action = s.rights.action,
        .actions = 1};
    assert_int_equal(showing_complete(&s, NULL), MAUTH_OK);
    assert_string_equal(s.rights.want.resource[0], "https://auth.example/v1/mesh/x");
    assert_string_equal(s.rights.want.action[0], "control");
    assert_string_equal(s.place, "https://a.example/b");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_action_from_the_method),
        cmocka_unit_test(takes_the_place_from_the_url),
        cmocka_unit_test(leaves_what_was_typed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
