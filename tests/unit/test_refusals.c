#include <pthread.h>
#include <stdatomic.h>

#include "authsvc/refusals.h"
#include "tests/unit/audit_log.h"
#include "tests/unit/store_dir.h"

enum {
    NOW_S = 1800000000 /* the beginning of a minute */
};

struct world {
    struct store_dir store;
    struct refusals *refusals;
    struct audit_log log;
};

static int
set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof(w));
    store_make(&w.store, "?twice=1");
    assert_int_equal(refusals_new(&w.refusals, NULL), MAUTH_OK);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    audit_log_clear(&w->log);
    refusals_free(w->refusals);
    refusals_free(NULL);
    store_remove(&w->store);
    return 0;
}

static void
flush(struct world *w)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (refusals_flush(w->refusals, w->store.kv, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
    audit_log_clear(&w->log);
    audit_log_read(&w->log, w->store.kv);
}

/* How many refusals the records of this client and reason tell of. */
static json_int_t
told(const struct world *w, const char *client, const char *reason)
{
    json_int_t sum = 0;

    for (size_t i = 0; i < w->log.count; i++)
        if (strcmp(audit_log_text(&w->log, i, "client"), client) == 0 &&
            strcmp(audit_log_text(&w->log, i, "reason"), reason) == 0)
            sum += json_integer_value(json_object_get(w->log.record[i], "count"));
    return sum;
}

static void
hides_the_end_of_addresses(void **state)
{
    static const struct {
        const char *client;
        const char *prefix;
    } cases[] = {
        {"192.0.2.77", "192.0.2.0/24"},
        {"255.255.255.255", "255.255.255.0/24"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
        {"2001:db8::1", "2001:db8::/64"},
        {"::1", "::/64"},
        {"::ffff:192.0.2.77", "192.0.2.0/24"},
        {"unix", "unix"},
        {"", ""},
        {"192.0.2", "192.0.2"},
        {"0123456789012345678901234567890123456789012345678901234567890123456789",
            "012345678901234567890123456789012345678901234567890123456789012"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char prefix[REFUSALS_PREFIX];

        refusals_prefix(cases[i].client, prefix);
        assert_string_equal(prefix, cases[i].prefix);
    }
}

static void
writes_a_record_for_each_row(void **state)
{
    struct world *w = *state;

    refusals_count(w->refusals, NOW_S, "192.0.2.1", "token-expired");
    refusals_count(w->refusals, NOW_S + 59, "192.0.2.250", "token-expired");
    refusals_count(w->refusals, NOW_S + 60, "192.0.2.1", "token-expired");
    refusals_count(w->refusals, NOW_S, "192.0.2.1", "token-form");
    refusals_count(w->refusals, NOW_S, "198.51.100.1", "token-expired");
    flush(w);
    assert_int_equal(w->log.count, 4);
    assert_int_equal(told(w, "192.0.2.0/24", "token-expired"), 3);
    assert_int_equal(told(w, "192.0.2.0/24", "token-form"), 1);
    assert_int_equal(told(w, "198.51.100.0/24", "token-expired"), 1);
    for (size_t i = 0; i < w->log.count; i++) {
        assert_string_equal(audit_log_text(&w->log, i, "actor"), "meshauthd");
        assert_string_equal(audit_log_text(&w->log, i, "action"), "refused");
        assert_string_equal(audit_log_text(&w->log, i, "outcome"), "deny");
    }
    assert_string_equal(
        audit_log_text(&w->log, 3, "time"), "2027-01-15T08:00:00.000000Z");
    assert_string_equal(
        audit_log_text(&w->log, 2, "time"), "2027-01-15T08:01:00.000000Z");
    flush(w); /* nothing is told twice */
    assert_int_equal(w->log.count, 4);
    refusals_count(w->refusals, NOW_S, "192.0.2.1", "token-form");
    flush(w);
    assert_int_equal(w->log.count, 5);
    assert_int_equal(told(w, "192.0.2.0/24", "token-form"), 2);
}

static void
is_bounded(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < REFUSALS_ROWS + 100; i++) {
        char client[32];

        snprintf(client, sizeof(client), "10.%u.%u.1", i / 256, i % 256);
        refusals_count(w->refusals, NOW_S, client, "form");
        refusals_count(w->refusals, NOW_S, client, "form");
    }
    refusals_count(w->refusals, NOW_S, "10.0.0.9", "form"); /* has its row */
    flush(w);
    assert_int_equal(w->log.count, REFUSALS_ROWS + 1);
    assert_int_equal(told(w, "10.0.0.0/24", "form"), 3);
    assert_int_equal(told(w, "10.1.255.0/24", "form"), 2);
    assert_int_equal(told(w, "10.2.0.0/24", "form"), 0);
    assert_int_equal(told(w, "other", "other"), 200);
    refusals_count(w->refusals, NOW_S, "10.2.0.1", "form"); /* there is room again */
    flush(w);
    assert_int_equal(told(w, "10.2.0.0/24", "form"), 1);
}

static void
keeps_what_the_store_does_not_take(void **state)
{
    struct world *w = *state;
    struct store_dir small;

    for (unsigned i = 0; i < REFUSALS_ROWS + 10; i++) {
        char client[32];

        snprintf(client, sizeof(client), "10.%u.%u.1", i / 256, i % 256);
        refusals_count(w->refusals, NOW_S, client, "form");
    }
    store_make(&small, "?map=65536&max=65536");
    assert_int_equal(refusals_flush(w->refusals, small.kv, NULL), MAUTH_UNAVAILABLE);
    store_remove(&small);
    refusals_count(w->refusals, NOW_S, "10.0.7.1", "form");
    flush(w);
    assert_int_equal(w->log.count, REFUSALS_ROWS + 1);
    assert_int_equal(told(w, "10.0.7.0/24", "form"), 2);
    assert_int_equal(told(w, "other", "other"), 10);
}

struct stranger {
    pthread_t thread;
    struct refusals *refusals;
    _Atomic bool *go;
};

enum {
    STRANGERS = 4,
    TRIES = 2000
};

static void *
knock(void *arg)
{
    struct stranger *s = arg;

    while (!atomic_load(s->go))
        continue;
    for (int i = 0; i < TRIES; i++)
        refusals_count(s->refusals, NOW_S, "192.0.2.1", i % 2 ? "form" : "no-proof");
    return NULL;
}

static void
loses_nothing_to_other_threads(void **state)
{
    struct world *w = *state;
    struct stranger strangers[STRANGERS];
    _Atomic bool go = false;

    for (size_t i = 0; i < STRANGERS; i++) {
        strangers[i] = (struct stranger){.refusals = w->refusals, .go = &go};
        assert_int_equal(
            pthread_create(&strangers[i].thread, NULL, knock, &strangers[i]), 0);
    }
    atomic_store(&go, true);
    for (int i = 0; i < 20; i++)
        flush(w);
    for (size_t i = 0; i < STRANGERS; i++)
        pthread_join(strangers[i].thread, NULL);
    flush(w);
    assert_int_equal(told(w, "192.0.2.0/24", "form"), STRANGERS * TRIES / 2);
    assert_int_equal(told(w, "192.0.2.0/24", "no-proof"), STRANGERS * TRIES / 2);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(hides_the_end_of_addresses),
        cmocka_unit_test_setup_teardown(
            writes_a_record_for_each_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            keeps_what_the_store_does_not_take, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            loses_nothing_to_other_threads, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
