/* <meshauth/ticket.h>: golden tickets, and all that is nearly one. */
#include "tests/unit/scene.h"

static void
verifies_all_golden_tickets(void **state)
{
    struct scene s = scene();

    (void)state;
    for (size_t k = 0; k < COUNT(golden_kinds); k++) {
        for (size_t a = 0; a < COUNT(golden_algs); a++) {
            size_t len;
            char *xml = golden_xml(golden_kinds[k], golden_algs[a], &len);
            bool revoked = strcmp(golden_kinds[k], "p2p-shared-folder") == 0;

            s.want.audience = golden_audiences[k];
            s.want.allow_bearer = true;
            expect(&s, xml, len, revoked ? MAUTH_REASON_REVOKED : MAUTH_REASON_NONE,
                golden_kinds[k]);
            free(xml);
        }
    }
    strike(&s);
}

static void
says_what_the_ticket_says(void **state)
{
    struct scene s = scene();
    struct mauth_ticket *t = NULL;
    size_t len;
    char *xml = golden_xml("rights", "p256", &len);

    (void)state;
    assert_int_equal(
        mauth_ticket_verify(xml, len, s.trust, &s.want, &t, NULL), MAUTH_OK);
    free(xml); /* nothing of it is kept */
    assert_string_equal(mauth_ticket_id(t), "_03030303030303030303030303030303");
    assert_string_equal(mauth_ticket_issuer(t), GOLDEN_ISSUER);
    assert_string_equal(mauth_ticket_subject(t), "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_string_equal(mauth_ticket_session(t), "ses_0sssssssssssssssssssssssss");
    assert_string_equal(mauth_ticket_holder(t), "dev_0xxxxxxxxxxxxxxxxxxxxxxxxx");
    assert_string_equal(mauth_ticket_key_id(t), "9feb3f281bcca060");
    assert_int_equal(mauth_ticket_asof(t), 4711);
    assert_int_equal(
        mauth_ticket_not_on_or_after_s(t), golden_time("2026-11-22T10:10:00Z"));
    assert_int_equal(mauth_ticket_issued_s(t), golden_time("2026-11-22T10:00:00Z"));
    assert_false(mauth_ticket_is_identity(t));
    assert_null(mauth_ticket_authn_class(t));
    assert_int_equal(mauth_ticket_audience_count(t), 1);
    assert_string_equal(mauth_ticket_audience(t, 0), "urn:meshauth:service:storage");
    assert_null(mauth_ticket_audience(t, 1));
    assert_int_equal(mauth_ticket_permit_count(t), 1);
    assert_string_equal(mauth_ticket_permit_resource(t, 0),
        GOLDEN_ISSUER "/v1/mesh/folders/fld_0fffffffffffffffffffffffff");
    assert_int_equal(mauth_ticket_permit_action_count(t, 0), 2);
    assert_string_equal(mauth_ticket_permit_action(t, 0, 0), "read");
    assert_string_equal(mauth_ticket_permit_action(t, 0, 1), "write");
    assert_null(mauth_ticket_permit_action(t, 0, 2));
    assert_null(mauth_ticket_permit_action(t, 1, 0));
    assert_int_equal(mauth_ticket_fact_count(t), 5);
    assert_string_equal(mauth_ticket_fact_relation(t, 3), "member");
    assert_int_equal(mauth_ticket_fact_arity(t, 3), 3);
    assert_string_equal(mauth_ticket_fact_arg(t, 3, 2), "contributor");
    assert_null(mauth_ticket_fact_arg(t, 3, 3));
    mauth_ticket_free(t);
    mauth_ticket_free(NULL);
    strike(&s);
}

/* ThreadSanitizer is slow, and has nothing to find here. */
#ifdef __SANITIZE_THREAD__
#define PATTERNS 3
#else
#define PATTERNS 255
#endif

/* Every byte of every golden ticket, with every bit pattern for one of them. */
static void
refuses_every_flipped_byte(void **state)
{
    struct scene s = scene();

    (void)state;
    s.want.allow_bearer = true;
    for (size_t k = 0; k < COUNT(golden_kinds); k++) {
        for (size_t a = 0; a < COUNT(golden_algs); a++) {
            size_t len;
            char *xml = golden_xml(golden_kinds[k], golden_algs[a], &len);
            unsigned last =
                strcmp(golden_kinds[k], "rights") == 0 && a == 0 ? PATTERNS : 1;

            s.want.audience = golden_audiences[k];
            for (size_t i = 0; i < len; i++) {
                for (unsigned x = 1; x <= last; x++) {
                    xml[i] = (char)(xml[i] ^ (char)x);
                    if (verdict(xml, len, &s) == MAUTH_REASON_NONE)
                        fail_msg("%s: byte %zu ^ %u accepted", golden_kinds[k], i, x);
                    xml[i] = (char)(xml[i] ^ (char)x);
                }
            }
            free(xml);
        }
    }
    strike(&s);
}

static void
refuses_every_byte_left_out(void **state)
{
    struct scene s = scene();
    size_t len;
    char *xml = golden_xml("rights", "p256", &len), *less = malloc(len);

    (void)state;
    for (size_t i = 0; i < len; i++) {
        memcpy(less, xml, i);
        memcpy(less + i, xml + i + 1, len - i - 1);
        if (verdict(less, len - 1, &s) == MAUTH_REASON_NONE)
            fail_msg("byte %zu left out", i);
    }
    free(less);
    free(xml);
    strike(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifies_all_golden_tickets),
        cmocka_unit_test(says_what_the_ticket_says),
        cmocka_unit_test(refuses_every_flipped_byte),
        cmocka_unit_test(refuses_every_byte_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
