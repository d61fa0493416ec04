/* What a ticket that somebody shows is worth, as for the services that it is for. */
#include "authsvc/issue.h"
#include "authsvc/own_keys.h"
#include "authsvc/own_trust.h"
#include "authsvc/shown_ticket.h"
#include "tests/unit/golden.h"
#include "tests/unit/press.h"
#include <meshauth/credential.h>

enum {
    NOW_S = 1500,
    LIFE_S = 1000,
    ASOF = 3
};

struct world {
    struct press press;
    struct config config;
    struct service service;
    struct mauth_key *device;
    struct issued issued;
    char *credential;
};

static void
publish(struct world *w)
{
    w->press.o.now_s = NOW_S;
    assert_int_equal(
        publish_trust(w->press.s.kv, w->press.keys, &w->press.o, NULL), MAUTH_OK);
    assert_int_equal(own_trust_load(w->service.trust, w->press.path,
                         &w->press.authority.verifier, NULL),
        MAUTH_OK);
}

static void
issue(struct world *w)
{
    const struct issue_ground ground = {.service = &w->service,
        .now_s = NOW_S,
        .asof = ASOF,
        .subject_kind = ID_USER,
        .subject = {.b = {1}},
        .session = {.b = {2}},
        .authn_instant_s = NOW_S,
        .session_ends_s = NOW_S + LIFE_S,
        .holder = w->device,
        .client = "192.0.2.1",
        .request = "request-1"};

    assert_int_equal(issue_identity(&ground, &w->issued, NULL), MAUTH_OK);
    assert_int_equal(mauth_credential_encode(
                         w->issued.xml, w->issued.xml_len, false, &w->credential, NULL),
        MAUTH_OK);
}

static int
set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof(w));
    press_set_up(&w.press);
    w.config.issuer.url = w.press.o.issuer;
    w.config.tickets.identity_s = LIFE_S;
    w.service.config = &w.config;
    w.service.kv = w.press.s.kv;
    w.device = golden_key("device.pub.pem");
    assert_int_equal(
        own_keys_open(w.press.s.kv, w.press.seal, &w.service.keys, NULL), MAUTH_OK);
    assert_int_equal(own_trust_new(&w.service.trust, NULL), MAUTH_OK);
    publish(&w);
    issue(&w);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    free(w->credential);
    issued_clear(&w->issued);
    shared_free(w->service.trust);
    own_keys_close(w->service.keys);
    mauth_key_free(w->device);
    press_tear_down(&w->press);
    return 0;
}

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
