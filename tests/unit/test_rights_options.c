#include "cli/rights_options.h"
#include "tests/unit/unit.h"

#define ISSUER "https://auth.example"
#define DEVICE "dev_0aaaaaaaaaaaaaaaaaaaaaaaaa"

enum {
    AUDIENCE,
    RESOURCE,
    ACTION
};

static const struct rights_numbers numbers = {AUDIENCE, RESOURCE, ACTION};

static enum mauth_rc
parse(const char *audience, const char *resource, const char *action,
    struct rights_options *out, struct mauth_err *err)
{
    const struct call call = {.option = {audience, resource, action}};

    return rights_options_read(&call, &numbers, out, err);
}

static void
takes_names_and_urns(void **state)
{
    struct rights_options o;

    (void)state;
    assert_int_equal(parse("storage", NULL, NULL, &o, NULL), MAUTH_OK);
    assert_string_equal(o.want.audience[0], "urn:meshauth:service:storage");
    assert_int_equal(o.want.audiences, 1);
    assert_int_equal(o.want.resources + o.want.actions, 0);
    assert_int_equal(
        parse("urn:meshauth:device:" DEVICE, "https://a.example/b", "read", &o, NULL),
        MAUTH_OK);
    assert_string_equal(o.want.audience[0], "urn:meshauth:device:" DEVICE);
    assert_string_equal(o.want.resource[0], "https://a.example/b");
    assert_string_equal(o.want.action[0], "read");
}

static void
takes_so_many(void **state)
{
    struct call call = {.option = {"storage", NULL, NULL}};
    struct rights_options o;

    (void)state;
    for (call.agains = 0; call.agains + 1 < RIGHTS_OPTIONS_MAX; call.agains++) {
        call.again[call.agains].option = AUDIENCE;
        call.again[call.agains].value = "relay";
    }
    assert_int_equal(rights_options_read(&call, &numbers, &o, NULL), MAUTH_OK);
    assert_int_equal(o.want.audiences, RIGHTS_OPTIONS_MAX);
    assert_string_equal(o.want.audience[1], "urn:meshauth:service:relay");
    call.again[call.agains].option = AUDIENCE;
    call.again[call.agains++].value = "one-too-many";
    assert_int_equal(rights_options_read(&call, &numbers, &o, NULL), MAUTH_INVALID);
}

static void
refuses_what_is_of_another_form(void **state)
{
    static const struct {
        const char *audience, *resource, *action, *says;
    } bad[] = {
        {"", NULL, NULL, "--audience"},
        {"Storage", NULL, NULL, "--audience"},
        {"https://auth.example", NULL, NULL, "--audience"},
        {"urn:other:service:storage", NULL, NULL, "--audience"},
        {"urn:meshauth:service:\033", NULL, NULL, "--audience"},
        {"urn:meshauth:service:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            NULL, NULL, "--audience"},
        {NULL, "", NULL, "--resource"},
        {NULL, "http://a.example/", NULL, "--resource"},
        {NULL, "https://a.example/b?c", NULL, "--resource"},
        {NULL, "https://a.example/../b", NULL, "--resource"},
        {NULL, DEVICE, NULL, "--resource"},
        {NULL, NULL, "", "--action"},
        {NULL, NULL, "Read", "--action"},
        {NULL, NULL, "read write", "--action"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        struct rights_options o;

        if (parse(bad[i].audience, bad[i].resource, bad[i].action, &o, &err) !=
                MAUTH_INVALID ||
            !strstr(err.text, bad[i].says))
            fail_msg("%zu: %s", i, err.text);
    }
}

static void
reads_devices(void **state)
{
    static const char *const good[] = {DEVICE, ISSUER "/v1/mesh/devices/" DEVICE};
    static const char *const bad[] = {"", "laptop", "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa",
        DEVICE "/", "https://other.example/v1/mesh/devices/" DEVICE,
        ISSUER "/v1/mesh/users/usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"};
    char id[ID_LEN + 1];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(rights_options_device(ISSUER, good[i], id));
        assert_string_equal(id, DEVICE);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(rights_options_device(ISSUER, bad[i], id));
}

static void
knows_whom_a_sync_is_for(void **state)
{
    struct rights_options o;

    (void)state;
    assert_int_equal(parse(NULL, NULL, NULL, &o, NULL), MAUTH_OK);
    assert_int_equal(rights_options_sync(&o, ISSUER, DEVICE, NULL), MAUTH_OK);
    assert_int_equal(o.want.audiences, 2);
    assert_string_equal(o.want.audience[0], "urn:meshauth:service:relay");
    assert_string_equal(o.want.audience[1], "urn:meshauth:device:" DEVICE);
    assert_string_equal(o.want.resource[0], ISSUER "/v1/mesh/devices/" DEVICE);
    assert_string_equal(o.want.action[0], "sync");
    assert_int_equal(parse("turn", NULL, NULL, &o, NULL), MAUTH_OK);
    assert_int_equal(rights_options_sync(&o, ISSUER, DEVICE, NULL), MAUTH_OK);
    assert_string_equal(o.want.audience[0], "urn:meshauth:service:turn");
    assert_int_equal(o.want.audiences, 2);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_names_and_urns),
        cmocka_unit_test(takes_so_many),
        cmocka_unit_test(refuses_what_is_of_another_form),
        cmocka_unit_test(reads_devices),
        cmocka_unit_test(knows_whom_a_sync_is_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
