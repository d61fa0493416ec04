/* What a ticket that somebody shows is worth, as for the services that it is for. */
#include "authsvc/shown_ticket.h"
#include "tests/unit/issued_world.h"

static enum shown_worth
worth_at(struct world *w, int64_t now_s, int32_t skew_s)
{
    struct shown_ticket t;
    enum shown_worth worth;

    assert_int_equal(
        shown_ticket_read(&w->service, text_of(w->credential), now_s, skew_s, &t, NULL),
        MAUTH_OK);
    assert_non_null(t.ticket);
    worth = t.worth;
    if (worth == SHOWN_DEAD)
        assert_string_equal(t.reason, "expired");
    shown_ticket_clear(&t);
    return worth;
}

/* Somewhere a service takes it still: until then it can be revoked. */
static void
lives_as_long_as_anywhere(void **state)
{
    struct world *w = *state;
    int64_t end_s = NOW_S + LIFE_S;

    assert_int_equal(worth_at(w, end_s + 59, MAUTH_SKEW_DEFAULT_S), SHOWN_LIVE);
    assert_int_equal(worth_at(w, end_s + 60, MAUTH_SKEW_DEFAULT_S), SHOWN_DEAD);
    assert_int_equal(worth_at(w, end_s + 179, MAUTH_SKEW_MAX_S), SHOWN_LIVE);
    assert_int_equal(worth_at(w, end_s + 180, MAUTH_SKEW_MAX_S), SHOWN_DEAD);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lives_as_long_as_anywhere, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
