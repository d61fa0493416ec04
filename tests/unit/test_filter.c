#include "audit/filter.h"
#include "store/audit.h"
#include "tests/unit/store_dir.h"

static void
knows_its_filters(void **state)
{
    struct audit_filter f = {0};

    (void)state;
    for (size_t i = 0; audit_query_filters[i]; i++) {
        const char *name = audit_query_filters[i], *value = "x";

        if (strcmp(name, "since") == 0 || strcmp(name, "until") == 0)
            value = "1970-01-01T00:00:01Z";
        if (strcmp(name, "limit") == 0)
            value = "10000";
        if (strcmp(name, "outcome") == 0)
            value = "deny";
        assert_int_equal(audit_query_set(&f, name, value, NULL), MAUTH_OK);
    }
    assert_int_equal(f.since_us, 1000000);
    assert_int_equal(f.until_us, 1000000);
    assert_int_equal(f.limit, 10000);
    assert_string_equal(f.actor, "x");
    assert_string_equal(f.action, "x");
    assert_string_equal(f.outcome, "deny");
    assert_string_equal(f.reason, "x");
    assert_string_equal(f.ticket, "x");
    assert_string_equal(f.session, "x");
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

        if (audit_query_set(&f, bad[i].name, bad[i].value, &err) != MAUTH_INVALID ||
            !err.text[0])
            fail_msg("taken: %s=%s", bad[i].name, bad[i].value);
        assert_memory_equal(&f, &before, sizeof(f));
    }
}

static enum mauth_rc
append(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return audit_append(txn, arg, err);
}

static bool
copy(uint64_t sequence, struct text json, void *arg)
{
    char *out = arg;

    assert_int_equal(sequence, 0);
    assert_true(json.len < 1024);
    memcpy(out, json.p, json.len);
    out[json.len] = '\0';
    return true;
}

static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct audit_filter f = {0};

    assert_int_equal(audit_query_set(&f, "action", "audit.query", err), MAUTH_OK);
    return audit_query(txn, &f, copy, arg, err);
}

static void
puts_the_question_on_record(void **state)
{
    static const char *const parts[] = {"\"actor\":\"uid:1000\"",
        "\"action\":\"audit.query\"", "\"resources\":[\"limit=5\"]",
        "\"client\":\"unix\"", "\"request\":\"r1\"", "\"outcome\":\"allow\""};
    struct audit_entry *e = NULL;
    struct store_dir s;
    char json[1024] = "";

    (void)state;
    store_make(&s, "");
    assert_int_equal(
        audit_query_entry(1000, "limit=5", "unix", "r1", &e, NULL), MAUTH_OK);
    assert_int_equal(kv_write(s.kv, append, e, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, look, json, NULL), MAUTH_OK);
    for (size_t i = 0; i < COUNT(parts); i++)
        if (!strstr(json, parts[i]))
            fail_msg("%s is not in %s", parts[i], json);
    audit_entry_free(e);
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_its_filters),
        cmocka_unit_test(refuses_values_of_another_form),
        cmocka_unit_test(puts_the_question_on_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
