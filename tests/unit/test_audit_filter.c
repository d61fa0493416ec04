#include "audit/filter.h"
#include "tests/unit/unit.h"

#define ALICE  "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define LAPTOP "dev_0bbbbbbbbbbbbbbbbbbbbbbbbb"
#define TRIP   "fld_0cccccccccccccccccccccccc1"

static const struct {
    const char *name, *id;
} ids[] = {
    {"folder", "fld_0123456789abcdefghjkmnpqrs"},
    {"service", "svc_0123456789abcdefghjkmnpqrs"},
    {"session", "ses_0123456789abcdefghjkmnpqrs"},
    {"user", "usr_0123456789abcdefghjkmnpqrs"},
};

static void
knows_its_filters(void **state)
{
    struct audit_filter f = {0};

    (void)state;
    for (size_t i = 0; audit_filter_names[i]; i++) {
        const char *name = audit_filter_names[i], *value = "x";

        if (strcmp(name, "since") == 0 || strcmp(name, "until") == 0)
            value = "1970-01-01T00:00:01Z";
        if (strcmp(name, "limit") == 0)
            value = "10000";
        if (strcmp(name, "outcome") == 0)
            value = "deny";
        if (strcmp(name, "order") == 0)
            value = "oldest";
        if (strcmp(name, "after") == 0 || strcmp(name, "sequence") == 0)
            value = "0";
        if (strcmp(name, "action") == 0)
            value = "login";
        if (strcmp(name, "archive") == 0)
            value = "true";
        for (size_t k = 0; k < COUNT(ids); k++)
            if (strcmp(name, ids[k].name) == 0)
                value = ids[k].id;
        assert_int_equal(audit_filter_set(&f, name, value, NULL), MAUTH_OK);
    }
    assert_int_equal(f.since_us, 1000000);
    assert_int_equal(f.until_us, 1000000);
    assert_int_equal(f.limit, 10000);
    assert_true(f.archive);
    assert_string_equal(f.value[AUDIT_ACTOR], "x");
    assert_string_equal(f.value[AUDIT_ACTION], "login");
    assert_string_equal(f.value[AUDIT_OUTCOME], "deny");
    assert_string_equal(f.value[AUDIT_REASON], "x");
    assert_string_equal(f.value[AUDIT_TICKET], "x");
    assert_string_equal(f.value[AUDIT_SESSION], "ses_0123456789abcdefghjkmnpqrs");
}

/* The texts of rules have quotes, and records escape them. */
static void
finds_a_rule_by_its_text(void **state)
{
    static const char rule[] = "allow publish(\"urn:x\\y\") if subject(S).";
    const struct audit_record record = {.action = "decision", .rule = rule};
    struct audit_filter f = {0}, other = {0};
    char longest[AUDIT_FIELD_MAX + 4], longer[4 * AUDIT_FIELD_MAX];
    struct audit_entry *e = NULL;
    struct audit_terms terms;
    struct buf json;

    (void)state;
    assert_int_equal(audit_entry_new(&record, &e, NULL), MAUTH_OK);
    buf_init(&json);
    audit_entry_write(e, 7, &json);
    audit_entry_free(e);
    assert_true(audit_terms_read(buf_slice(&json), &terms));
    assert_int_equal(audit_filter_set(&f, "rule", rule, NULL), MAUTH_OK);
    assert_true(audit_filter_fits(&f, &terms));
    assert_non_null(memmem(json.data, json.len, f.value[AUDIT_RULE],
        strlen(f.value[AUDIT_RULE]))); /* which is looked for first */
    assert_int_equal(audit_filter_set(&other, "rule", "allow publish", NULL), MAUTH_OK);
    assert_false(audit_filter_fits(&other, &terms));
    buf_clear(&json);

    memset(longest, '"', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(audit_filter_set(&f, "rule", longest, NULL), MAUTH_OK);
    assert_int_equal(strlen(f.value[AUDIT_RULE]), 2 * strlen(longest));
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(audit_filter_set(&f, "rule", longer, NULL), MAUTH_INVALID);
}

static void
refuses_values_of_another_form(void **state)
{
    static const struct {
        const char *name, *value;
    } bad[] = {
        {"since", ""},
        {"since", "2026-11-22"},
        {"until", "2026-11-22T10:05:00"},
        {"until", "2026-11-22T10:05:00Z "},
        {"limit", ""},
        {"limit", "0"},
        {"limit", "01"},
        {"limit", "-1"},
        {"limit", "10001"},
        {"limit", "99999999999999999999"},
        {"limit", "5x"},
        {"order", ""},
        {"order", "oldest "},
        {"after", ""},
        {"after", "-1"},
        {"after", "01"},
        {"sequence", ""},
        {"sequence", "-1"},
        {"sequence", "last"},
        {"action", ""},
        {"action", "x"},
        {"action", "Login"},
        {"action", "logins"},
        {"user", "alice"},
        {"user", "fld_0123456789abcdefghjkmnpqrs"},
        {"user", "usr_0123456789abcdefghjkmnpqr"},
        {"folder", "Trip"},
        {"service", "storage"},
        {"session", ""},
        {"archive", "yes"},
        {"outcome", ""},
        {"outcome", "denied"},
        {"outcome", "Deny"},
        {"Actor", "x"},
        {"", "x"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct audit_filter f = {0}, before = {0};
        struct mauth_err err = MAUTH_ERR_INIT;

        if (audit_filter_set(&f, bad[i].name, bad[i].value, &err) != MAUTH_INVALID ||
            !err.text[0])
            fail_msg("taken: %s=%s", bad[i].name, bad[i].value);
        assert_memory_equal(&f, &before, sizeof(f));
    }
}

static void
puts_the_question_on_record(void **state)
{
    static const char *const parts[] = {"\"actor\":\"uid:1000\"",
        "\"action\":\"audit.query\"", "\"resources\":[\"limit=5\"]",
        "\"client\":\"unix\"", "\"request\":\"r1\"", "\"outcome\":\"allow\""};
    static const struct audit_record who = {
        .actor = "uid:1000", .client = "unix", .request = "r1"};
    struct audit_entry *e = NULL;
    struct buf json;

    (void)state;
    assert_int_equal(audit_question_entry(&who, "limit=5", NULL, &e, NULL), MAUTH_OK);
    buf_init(&json);
    audit_entry_write(e, 7, &json);
    for (size_t i = 0; i < COUNT(parts); i++)
        if (!strstr(buf_cstr(&json), parts[i]))
            fail_msg("%s is not in %s", parts[i], buf_cstr(&json));
    buf_clear(&json);
    audit_entry_free(e);
}

/* Of a record with one of everything: each right value fits, each other does not. */
static void
fits_exactly(void **state)
{
    static const struct audit_record record = {.time_us = 1000000500,
        .actor = ALICE,
        .device = LAPTOP,
        .action = "ticket.issue",
        .outcome = "allow",
        .resources = {"https://m.example/v1/mesh/folders/" TRIP, "svc:x"},
        .resource_count = 2,
        .ticket = "_1",
        .client = "192.0.2.1"};
    static const struct {
        enum audit_field field;
        const char *value;
        bool fits;
    } cases[] = {{AUDIT_ACTION, "ticket.issue", true}, {AUDIT_ACTION, "ticket", false},
        {AUDIT_ACTOR, ALICE, true}, {AUDIT_USER, ALICE, true},
        {AUDIT_USER, "usr_01234567890123456789012345", false},
        {AUDIT_DEVICE, LAPTOP, true}, {AUDIT_FOLDER, TRIP, true},
        {AUDIT_FOLDER, "", false}, {AUDIT_SERVICE, "svc:x", false},
        {AUDIT_TICKET, "_1", true}, {AUDIT_TICKET, "_11", false},
        {AUDIT_OUTCOME, "deny", false}, {AUDIT_CLIENT, "192.0.2.1", true},
        {AUDIT_REASON, "", false}};
    static const struct {
        int64_t since_us, until_us;
        bool fits;
    } times[] = {{0, 0, true}, {1000000500, 0, true}, {1000000501, 0, false},
        {0, 1000000500, false}, {0, 1000000501, true}, {-1, 2000000000, true}};
    struct audit_entry *e = NULL;
    struct audit_terms terms;
    struct buf json;

    (void)state;
    assert_int_equal(audit_entry_new(&record, &e, NULL), MAUTH_OK);
    buf_init(&json);
    audit_entry_write(e, 7, &json);
    assert_true(audit_terms_read(buf_slice(&json), &terms));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct audit_filter f = {0};

        f.value[cases[i].field] = cases[i].value;
        if (audit_filter_fits(&f, &terms) != cases[i].fits)
            fail_msg("%s=%s", audit_field_names[cases[i].field], cases[i].value);
        f.value[AUDIT_OUTCOME] = "done";
        assert_false(audit_filter_fits(&f, &terms));
    }
    for (size_t i = 0; i < COUNT(times); i++) {
        const struct audit_filter f = {
            .since_us = times[i].since_us, .until_us = times[i].until_us};

        assert_int_equal(audit_filter_fits(&f, &terms), times[i].fits);
    }
    buf_clear(&json);
    audit_entry_free(e);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_its_filters),
        cmocka_unit_test(finds_a_rule_by_its_text),
        cmocka_unit_test(refuses_values_of_another_form),
        cmocka_unit_test(fits_exactly),
        cmocka_unit_test(puts_the_question_on_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
