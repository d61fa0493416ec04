#include "cli/grant.h"
#include "tests/unit/login_answer.h"

static struct mauth_key *device;

static int
load_device(void **state)
{
    (void)state;
    device = golden_key("device.pub.pem");
    return 0;
}

static int
free_device(void **state)
{
    (void)state;
    mauth_key_free(device);
    return 0;
}

static enum mauth_rc
parse(const json_t *answer, struct grant **out, struct mauth_err *err)
{
    const struct grant_owner owner = {GOLDEN_ISSUER, device};
    char *text = json_dumps(answer, JSON_ENCODE_ANY);
    enum mauth_rc rc;

    assert_non_null(text);
    rc = grant_from_answer(text_of(text), &owner, out, err);
    free(text);
    return rc;
}

static void
takes_a_good_answer(void **state)
{
    json_t *answer = answer_make(GOLDEN_ISSUER, device);
    int64_t end_s = golden_time("2026-11-22T11:00:00Z");
    struct grant *g = NULL;

    (void)state;
    assert_int_equal(parse(answer, &g, NULL), MAUTH_OK);
    assert_int_equal(grant_count(g), 2);
    assert_true(mauth_ticket_is_identity(grant_ticket(g, 0)));
    assert_null(grant_ticket(g, 2));
    assert_non_null(strstr(grant_mesh(g), "/v1/mesh/users/usr_"));
    assert_true(grant_is_valid(g, end_s - 1));
    assert_false(grant_is_valid(g, end_s));
    grant_free(g);

    json_decref(answer);
}

static void
needs_no_mesh(void **state) /* a service has none */
{
    const struct grant_owner owner = {GOLDEN_ISSUER, device};
    json_t *answer = answer_make(GOLDEN_ISSUER, device), *kept;
    struct grant *g = NULL, *back = NULL;

    (void)state;
    json_object_del(answer, "mesh");
    assert_int_equal(parse(answer, &g, NULL), MAUTH_OK);
    assert_null(grant_mesh(g));
    kept = grant_json(g);
    assert_int_equal(grant_from_json(kept, &owner, &back, NULL), MAUTH_OK);
    assert_null(grant_mesh(back));
    json_decref(kept);
    grant_free(back);
    grant_free(g);
    json_decref(answer);
}

static void
is_kept_and_read_back(void **state)
{
    const struct grant_owner owner = {GOLDEN_ISSUER, device};
    json_t *answer = answer_make(GOLDEN_ISSUER, device), *kept, *again, *shown;
    struct grant *g = NULL, *back = NULL;
    char *text;

    (void)state;
    assert_int_equal(parse(answer, &g, NULL), MAUTH_OK);
    kept = grant_json(g);
    assert_int_equal(grant_from_json(kept, &owner, &back, NULL), MAUTH_OK);
    again = grant_json(back);
    assert_true(json_equal(kept, again));
    shown = grant_json_public(g, golden_time("2026-11-22T10:30:00Z"));
    text = json_dumps(shown, 0);
    assert_null(strstr(text, "credential"));
    assert_true(json_is_true(json_object_get(
        json_array_get(json_object_get(shown, "tickets"), 0), "valid")));
    assert_true(json_is_false(json_object_get(
        json_array_get(json_object_get(shown, "tickets"), 1), "valid")));
    free(text);
    json_decref(shown);
    json_decref(again);
    json_decref(kept);
    grant_free(back);
    grant_free(g);
    json_decref(answer);
}

/* Each makes a good answer bad. */

static json_t *
ticket(json_t *answer, size_t i)
{
    return json_array_get(json_object_get(answer, "tickets"), i);
}

static void
replace(json_t *answer, size_t i, json_t *item)
{
    assert_int_equal(
        json_array_set_new(json_object_get(answer, "tickets"), i, item), 0);
}

static void
no_access_token(json_t *o)
{
    json_object_del(o, "access_token");
}

static void
access_token_of_the_second(json_t *o)
{
    json_object_set(o, "access_token", json_object_get(ticket(o, 1), "credential"));
}

static void
access_token_garbled(json_t *o)
{
    json_object_set_new(o, "access_token", json_string("!"));
}

static void
access_token_number(json_t *o)
{
    json_object_set_new(o, "access_token", json_integer(1));
}

static void
other_token_type(json_t *o)
{
    json_object_set_new(o, "issued_token_type",
        json_string("urn:ietf:params:oauth:token-type:access_token"));
}

static void
mac_token(json_t *o)
{
    json_object_set_new(o, "token_type", json_string("mac"));
}

static void
expired(json_t *o)
{
    json_object_set_new(o, "expires_in", json_integer(0));
}

static void
expires_as_text(json_t *o)
{
    json_object_set_new(o, "expires_in", json_string("3600"));
}

static void
mesh_elsewhere(json_t *o)
{
    json_object_set_new(o, "mesh", json_string("https://auth.mesh.example.evil/x"));
}

static void
mesh_with_controls(json_t *o)
{
    json_object_set_new(o, "mesh", json_string(GOLDEN_ISSUER "/\033[2J"));
}

static void
mesh_with_nul(json_t *o)
{
    static const char mesh[] = GOLDEN_ISSUER "/v1\0x";

    json_object_set_new(o, "mesh", json_stringn(mesh, sizeof(mesh) - 1));
}

static void
no_tickets(json_t *o)
{
    json_array_clear(json_object_get(o, "tickets"));
}

static void
tickets_in_an_object(json_t *o)
{
    json_object_set_new(o, "tickets", json_object());
}

static void
too_many_tickets(json_t *o)
{
    json_t *list = json_object_get(o, "tickets");

    while (json_array_size(list) <= GRANT_TICKETS)
        json_array_append(list, ticket(o, 1));
}

static void
ticket_of_no_object(json_t *o)
{
    replace(o, 1, json_string("x"));
}

static void
ticket_without_credential(json_t *o)
{
    json_object_del(ticket(o, 1), "credential");
}

static void
ticket_without_audience(json_t *o)
{
    json_object_del(ticket(o, 1), "audience");
}

static void
ticket_with_garbled_credential(json_t *o)
{
    json_object_set_new(ticket(o, 1), "credential", json_string("AAAA"));
}

static void
ticket_for_another_audience(json_t *o)
{
    json_object_set_new(
        ticket(o, 1), "audience", json_string("urn:meshauth:service:relay"));
}

static void
ticket_of_another_issuer(json_t *o)
{
    replace(o, 1,
        answer_item("urn:meshauth:service:storage", "rights",
            "https://other.mesh.example", device));
}

static void
ticket_of_another_device(json_t *o)
{
    struct mauth_key *other = golden_key("signing-p256.pub.pem");

    replace(o, 1,
        answer_item("urn:meshauth:service:storage", "rights", GOLDEN_ISSUER, other));
    mauth_key_free(other);
}

static void
bearer_ticket(json_t *o)
{
    replace(o, 1,
        answer_item("urn:meshauth:service:storage", "bearer", GOLDEN_ISSUER, NULL));
}

static void
ticket_of_another_subject(json_t *o)
{
    replace(o, 0, answer_item(GOLDEN_ISSUER, "service", GOLDEN_ISSUER, device));
}

static void
rights_first(json_t *o)
{
    replace(o, 0, json_deep_copy(ticket(o, 1)));
}

static void
identity_twice(json_t *o)
{
    replace(o, 1, json_deep_copy(ticket(o, 0)));
}

static void
refuses_bad_answers(void **state)
{
    static const struct {
        const char *name;
        void (*spoil)(json_t *answer);
    } cases[] = {
        {"no access_token", no_access_token},
        {"access_token of the second", access_token_of_the_second},
        {"access_token garbled", access_token_garbled},
        {"access_token a number", access_token_number},
        {"other issued_token_type", other_token_type},
        {"other token_type", mac_token},
        {"expires_in zero", expired},
        {"expires_in text", expires_as_text},
        {"mesh elsewhere", mesh_elsewhere},
        {"mesh with control characters", mesh_with_controls},
        {"mesh with NUL", mesh_with_nul},
        {"no tickets", no_tickets},
        {"tickets in an object", tickets_in_an_object},
        {"too many tickets", too_many_tickets},
        {"ticket of no object", ticket_of_no_object},
        {"ticket without credential", ticket_without_credential},
        {"ticket without audience", ticket_without_audience},
        {"credential garbled", ticket_with_garbled_credential},
        {"ticket for another audience", ticket_for_another_audience},
        {"ticket of another issuer", ticket_of_another_issuer},
        {"ticket of another device", ticket_of_another_device},
        {"bearer ticket", bearer_ticket},
        {"ticket of another subject", ticket_of_another_subject},
        {"rights ticket first", rights_first},
        {"identity ticket twice", identity_twice},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *answer = answer_make(GOLDEN_ISSUER, device);
        struct mauth_err err = MAUTH_ERR_INIT;
        struct grant *g = NULL;

        cases[i].spoil(answer);
        if (parse(answer, &g, &err) != MAUTH_MALFORMED || g || !err.text[0])
            fail_msg("%s: %s", cases[i].name, err.text);
        json_decref(answer);
    }
}

static void
refuses_what_is_not_an_object(void **state)
{
    static const char *const bad[] = {
        "", "null", "[]", "\"x\"", "{", "{} {}", "{\"a\":1,\"a\":1}"};
    const struct grant_owner owner = {GOLDEN_ISSUER, device};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct grant *g = NULL;

        assert_int_equal(
            grant_from_answer(text_of(bad[i]), &owner, &g, NULL), MAUTH_MALFORMED);
        assert_null(g);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_good_answer),
        cmocka_unit_test(needs_no_mesh),
        cmocka_unit_test(is_kept_and_read_back),
        cmocka_unit_test(refuses_bad_answers),
        cmocka_unit_test(refuses_what_is_not_an_object),
    };

    return cmocka_run_group_tests(tests, load_device, free_device);
}
