#include "audit/record.h"
#include "audit/terms.h"
#include "base/str.h"
#include "tests/unit/unit.h"

#define USER    "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER   "usr_0aaaaaaaaaaaaaaaaaaaaaaaa1"
#define DEVICE  "dev_0bbbbbbbbbbbbbbbbbbbbbbbbb"
#define FOLDER  "fld_0ccccccccccccccccccccccccc"
#define SERVICE "svc_0ddddddddddddddddddddddddd"
#define SESSION "ses_0eeeeeeeeeeeeeeeeeeeeeeeee"

static void
read_back(const struct audit_record *record, struct buf *json, struct audit_terms *out)
{
    struct audit_entry *e = NULL;

    assert_int_equal(audit_entry_new(record, &e, NULL), MAUTH_OK);
    buf_init(json);
    audit_entry_write(e, 12345, json);
    audit_entry_free(e);
    assert_true(audit_terms_read(buf_slice(json), out));
}

static void
reads_every_field(void **state)
{
    static const uint8_t digest[HASH_LEN] = {1};
    static const struct audit_record record = {.time_us = INT64_C(1763805600123456),
        .actor = USER,
        .device = DEVICE,
        .session = SESSION,
        .action = "ticket.issue",
        .resources = {"https://m.example/v1/mesh/folders/" FOLDER "/devices/" DEVICE,
            SERVICE, USER, OTHER, "x" FOLDER},
        .resource_count = 5,
        .outcome = "allow",
        .reason = "r",
        .note = "said \"so\"",
        .rule = "grant(A, read, F) \\ x",
        .ticket = "_1",
        .digest = digest,
        .key = "0123",
        .client = "192.0.2.7",
        .request = "q1",
        .count = 3};
    static const struct {
        enum audit_field field;
        const char *value;
    } want[] = {{AUDIT_ACTION, "ticket.issue"}, {AUDIT_ACTOR, USER}, {AUDIT_USER, USER},
        {AUDIT_CLIENT, "192.0.2.7"}, {AUDIT_DEVICE, DEVICE}, {AUDIT_KEY, "0123"},
        {AUDIT_OUTCOME, "allow"}, {AUDIT_REASON, "r"}, {AUDIT_REQUEST, "q1"},
        {AUDIT_FOLDER, FOLDER}, {AUDIT_SERVICE, SERVICE}, {AUDIT_USER, OTHER},
        {AUDIT_RULE, "grant(A, read, F) \\\\ x"}, {AUDIT_SESSION, SESSION},
        {AUDIT_TICKET, "_1"}};
    struct audit_terms t;
    struct buf json;

    (void)state;
    read_back(&record, &json, &t);
    assert_int_equal(t.time_us, record.time_us);
    assert_int_equal(t.sequence, 12345);
    for (size_t i = 0; i < COUNT(want); i++)
        if (!audit_terms_have(&t, want[i].field, text_of(want[i].value)))
            fail_msg("%s %s", audit_field_names[want[i].field], want[i].value);
    assert_int_equal(t.count, COUNT(want)); /* none twice, and no others */
    buf_clear(&json);
}

/* A damaged record is never half read. */
static void
refuses_what_is_no_record(void **state)
{
    static const char *const bad[] = {"", "{", "}", "{}", "[]", "{\"a\"}", "{\"a\":}",
        "{\"a\":\"b\"", "{\"a\":\"b\",}", "{\"a\":\"b\"}x", "{\"a\":\"b}",
        "{\"a\":\"b\\\"}", "{\"a\":[\"b\"}", "{\"a\":[]}", "{\"sequence\":01}",
        "{\"a\":-1}", "{\"a\":true}", "{\"a\":{}}", "{\"a\" :1}", " {\"a\":1}",
        "{\"time\":\"2026\"}", "{\"time\":\"2026-11-22T10:00:00.00000xZ\"}",
        "{\"sequence\":99999999999999999999}"};
    struct audit_terms t;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (audit_terms_read(text_of(bad[i]), &t))
            fail_msg("taken: %s", bad[i]);
}

/* As many ids as a record can name hide none of those behind them. */
static void
finds_everything_in_the_fullest(void **state)
{
    struct audit_record record = {.actor = USER,
        .session = SESSION,
        .action = "ticket.issue",
        .outcome = "deny",
        .ticket = "_1",
        .resource_count = AUDIT_RESOURCES};
    char text[AUDIT_RESOURCES][AUDIT_FIELD_MAX + 32];
    struct audit_terms t;
    struct buf json;
    unsigned n = 0;

    (void)state;
    for (size_t i = 0; i < AUDIT_RESOURCES; i++) {
        record.resources[i] = text[i];
        /* Each ends with the three letters that the next one begins with. */
        for (size_t at = 0; at < AUDIT_FIELD_MAX; at += 27)
            snprintf(text[i] + at, sizeof(text[i]) - at, "dev_%023u", n++);
    }
    snprintf(text[AUDIT_RESOURCES - 1] + AUDIT_FIELD_MAX - 30, 31, FOLDER);
    read_back(&record, &json, &t);
    assert_in_range(t.count, 18 * 18, AUDIT_TERMS_MAX - 1);
    assert_true(audit_terms_have(&t, AUDIT_FOLDER, text_of(FOLDER)));
    assert_true(audit_terms_have(&t, AUDIT_SESSION, text_of(SESSION)));
    assert_true(audit_terms_have(&t, AUDIT_TICKET, text_of("_1")));
    buf_clear(&json);
}

/* Every beginning of a record is refused, and read within its bounds. */
static void
stays_within(void **state)
{
    static const struct audit_record record = {
        .actor = USER, .action = "a", .resources = {FOLDER}, .resource_count = 1};
    struct audit_terms t;
    struct buf json;

    (void)state;
    read_back(&record, &json, &t);
    for (size_t len = 0; len < json.len; len++) {
        char *copy = malloc(len + 1); /* for the sanitizer */

        assert_non_null(copy);
        memcpy(copy, json.data, len);
        assert_false(audit_terms_read((struct text){copy, len}, &t));
        free(copy);
    }
    buf_clear(&json);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_field),
        cmocka_unit_test(refuses_what_is_no_record),
        cmocka_unit_test(finds_everything_in_the_fullest),
        cmocka_unit_test(stays_within),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
