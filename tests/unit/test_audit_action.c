#include "audit/action.h"
#include "tests/unit/unit.h"

static void
knows_what_can_happen(void **state)
{
    static const char *const none[] = {
        "", "x", "Login", "login ", "ticket", "ticket.issue.x", "read", "user.creates"};

    (void)state;
    assert_true(audit_action_is("alarm.ticket")); /* the first and the last, too */
    assert_true(audit_action_is("login"));
    assert_true(audit_action_is("user.revoke"));
    for (size_t i = 0; i < COUNT(none); i++)
        assert_false(audit_action_is(none[i]));
}

static void
knows_what_may_be_meant(void **state)
{
    static const struct {
        const char *name, *near;
    } cases[] = {{"logn", "login"}, {"tickets.issue", "ticket.issue"},
        {"folder.created", "folder.create"}, {"weather", NULL}, {"", NULL}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *near = audit_action_near(cases[i].name);

        if (cases[i].near)
            assert_string_equal(near, cases[i].near);
        else
            assert_null(near);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_can_happen),
        cmocka_unit_test(knows_what_may_be_meant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
