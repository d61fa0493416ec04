/* authsvc/housekeeper.h; that it keeps its minute is for the running service to show. */
#include <sys/stat.h>
#include <time.h>

#include "authsvc/housekeeper.h"
#include "authsvc/own_keys.h"
#include "authsvc/own_trust.h"
#include "authsvc/parking.h"
#include "authsvc/refusals.h"
#include "authsvc/trouble.h"
#include "authsvc/verifiers.h"
#include "base/time.h"
#include "keys/trust.h"
#include "store/graph_change.h"
#include "store/graph_service.h"
#include "store/revocations.h"
#include "tests/unit/audit_log.h"
#include "tests/unit/issuer.h"
#include "tests/unit/press.h"

enum {
    SOON_MS = 20000, /* more patience than a slow machine needs, less than a minute */
    OLD = 600        /* changes from 1970: more than one step takes */
};

struct world {
    struct press press;
    char dir[96], moved[96], file[128];
    struct config config;
    struct service service;
    struct housekeeper *keeper;
};

static int
set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof(w));
    press_set_up_until(&w.press, TIME_MAX_S);
    /* A file has listed the key before: it will not be noted, which is a change. */
    assert_int_equal(publish_note_keys(w.press.s.kv, w.press.keys, w.press.seal,
                         (struct trust_place){3, 1}, NULL),
        MAUTH_OK);
    snprintf(w.dir, sizeof(w.dir), "%s/public", w.press.s.dir);
    snprintf(w.moved, sizeof(w.moved), "%s/moved", w.press.s.dir);
    snprintf(w.file, sizeof(w.file), "%s/trust", w.dir);
    assert_int_equal(mkdir(w.dir, 0700), 0);
    w.config.issuer.url = w.press.o.issuer;
    w.config.issuer.trust_file = w.file;
    w.config.tickets.trust_s = 3600;
    w.service.config = &w.config;
    w.service.kv = w.press.s.kv;
    w.service.seal = w.press.seal;
    assert_int_equal(
        own_keys_open(w.press.s.kv, w.press.seal, &w.service.keys, NULL), MAUTH_OK);
    assert_int_equal(refusals_new(&w.service.refusals, NULL), MAUTH_OK);
    assert_int_equal(own_trust_new(&w.service.trust, NULL), MAUTH_OK);
    assert_int_equal(
        verifiers_open(w.service.kv, &w.service.verifiers, NULL), MAUTH_OK);
    assert_int_equal(troubles_new(&w.service.troubles, NULL), MAUTH_OK);
    assert_int_equal(parking_new(1, 1000, &w.service.waiting, NULL), MAUTH_OK);
    assert_int_equal(parking_new(1, 1000, &w.service.followers, NULL), MAUTH_OK);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    housekeeper_stop(w->keeper);
    unlink(w->file);
    rmdir(w->dir);
    troubles_free(w->service.troubles);
    refusals_free(w->service.refusals);
    own_keys_close(w->service.keys);
    shared_free(w->service.trust);
    verifiers_close(w->service.verifiers);
    parking_close(w->service.waiting);
    parking_close(w->service.followers);
    parking_free(w->service.waiting);
    parking_free(w->service.followers);
    press_tear_down(&w->press);
    return 0;
}

static void
start(struct world *w)
{
    assert_int_equal(housekeeper_start(&w->service, &w->keeper, NULL), MAUTH_OK);
    assert_non_null(w->keeper);
}

static enum mauth_rc
add(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return revocations_add(txn, arg, err);
}

static void
revoke_one(struct world *w, const char *id)
{
    struct revoked set = {7, 1, {""}};

    snprintf(set.id[0], sizeof(set.id[0]), "%s", id);
    assert_int_equal(kv_write(w->service.kv, add, &set, NULL), MAUTH_OK);
}

/* Does the file tell of it? */
static bool
tells(const struct world *w, const char *id)
{
    struct buf file;
    bool found;

    buf_init(&file);
    found = file_read(w->file, MAUTH_TRUST_MAX, &file, NULL) == MAUTH_OK &&
            strstr(buf_cstr(&file), id);
    buf_clear(&file);
    return found;
}

static void
nap(int ms)
{
    const struct timespec t = {0, ms * 1000000L};

    nanosleep(&t, NULL);
}

/* Within the patience that a test has. */
static bool
comes_to_tell(const struct world *w, const char *id)
{
    int64_t until_ms = time_monotonic_ms() + SOON_MS;

    while (!tells(w, id) && time_monotonic_ms() < until_ms)
        nap(20);
    return tells(w, id);
}

static uint64_t
own_sequence(const struct world *w)
{
    struct shared_ref *ref = NULL;
    uint64_t sequence;

    assert_int_equal(own_trust_take(w->service.trust, &ref, NULL), MAUTH_OK);
    sequence = mauth_trust_sequence(own_trust_of(ref));
    shared_drop(ref);
    return sequence;
}

static void
does_not_start_without_a_trust_file(void **state)
{
    struct world *w = *state;

    w->config.issuer.trust_file = "/nowhere/at/all";
    assert_int_equal(
        housekeeper_start(&w->service, &w->keeper, NULL), MAUTH_UNAVAILABLE);
    assert_null(w->keeper);
}

static void
tells_at_the_start(void **state)
{
    struct world *w = *state;

    revoke_one(w, ALICE);
    start(w);
    assert_true(tells(w, ALICE));
    assert_true(own_sequence(w) > 0);
}

/* One, and another that comes after its file; nobody wakes the housekeeper, and it wakes
 * who waits. */
static void
tells_of_each_revocation(void **state)
{
    struct world *w = *state;
    uint64_t first, woken;

    start(w);
    first = own_sequence(w);
    woken = parking_count(w->service.waiting);
    revoke_one(w, ALICE);
    assert_true(comes_to_tell(w, ALICE));
    revoke_one(w, BOB);
    assert_true(comes_to_tell(w, BOB));
    assert_true(tells(w, ALICE));
    housekeeper_stop(w->keeper);
    w->keeper = NULL;
    assert_true(own_sequence(w) > first + 1);
    assert_true(parking_count(w->service.waiting) > woken + 1);
}

static enum mauth_rc
write_something(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return kv_put(
        txn, text_of("!"), (struct text){(const char *)arg, sizeof(int)}, err);
}

/* Writes that revoke nothing: the trust file stays as it is. */
static void
is_quiet_otherwise(void **state)
{
    struct world *w = *state;
    uint64_t first;

    start(w);
    first = own_sequence(w);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(kv_write(w->service.kv, write_something, &i, NULL), MAUTH_OK);
        nap(250);
    }
    assert_int_equal(own_sequence(w), first);
    revoke_one(w, ALICE);
    assert_true(comes_to_tell(w, ALICE));
}

/* A revocation whose file could not be written is not forgotten. */
static void
tries_again(void **state)
{
    struct world *w = *state;

    start(w);
    assert_int_equal(rename(w->dir, w->moved), 0);
    revoke_one(w, ALICE);
    nap(500);
    assert_int_equal(rename(w->moved, w->dir), 0);
    assert_false(tells(w, ALICE));
    assert_true(comes_to_tell(w, ALICE));
}

/* An authority whose time is over signs nothing, and its successor goes on. */
static void
recovers_with_another_authority(void **state)
{
    struct world *w = *state;

    start(w);
    assert_true(tells(w, "\nepoch 3\n"));
    w->press.until_s = 2000;
    assert_int_equal(kv_write(w->service.kv, press_renew, &w->press, NULL), MAUTH_OK);
    nap(600);
    assert_true(tells(w, "\nepoch 3\n"));
    w->press.authority.epoch++;
    w->press.until_s = TIME_MAX_S;
    assert_int_equal(kv_write(w->service.kv, press_renew, &w->press, NULL), MAUTH_OK);
    assert_true(comes_to_tell(w, "\nepoch 5\n"));
    w->press.authority.epoch--;
}

static void
does_it_a_last_time(void **state)
{
    struct world *w = *state;

    start(w);
    revoke_one(w, ALICE);
    housekeeper_stop(w->keeper);
    w->keeper = NULL;
    assert_true(tells(w, ALICE));
}

static enum mauth_rc
put_old_changes(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    (void)arg;
    for (int i = 0; i < OLD && rc == MAUTH_OK; i++) {
        struct graph_change c = {.op = GRAPH_CREATED, .type = GRAPH_CHANGED_USER};

        rc = graph_change_put(txn, &c, err);
    }
    return rc;
}

struct look {
    uint64_t after;
    struct graph_changes page;
};

static enum mauth_rc
read_changes(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct look *l = arg;

    return graph_change_page(txn, l->after, 1, &l->page, err);
}

/* All of it in one turn, though one transaction forgets but some. */
static void
forgets_what_ended_long_ago(void **state)
{
    int64_t until_ms = time_monotonic_ms() + SOON_MS;
    struct look l = {.after = OLD - 1};
    struct world *w = *state;
    enum mauth_rc rc;

    assert_int_equal(kv_write(w->service.kv, put_old_changes, NULL, NULL), MAUTH_OK);
    start(w);
    assert_int_equal(kv_read(w->service.kv, read_changes, &l, NULL), MAUTH_OK);
    assert_int_equal(l.page.count, 1);
    housekeeper_wake(w->keeper);
    while ((rc = kv_read(w->service.kv, read_changes, &l, NULL)) == MAUTH_OK &&
           time_monotonic_ms() < until_ms)
        nap(20);
    assert_int_equal(rc, MAUTH_NOT_FOUND);
}

/* How many records of an action there are, all by the service itself. */
static size_t
count_records(const struct world *w, const char *action)
{
    static struct audit_log log;
    size_t n = 0;

    audit_log_read(&log, w->service.kv);
    for (size_t i = 0; i < log.count; i++) {
        if (strcmp(audit_log_text(&log, i, "action"), action) != 0)
            continue;
        assert_string_equal(audit_log_text(&log, i, "actor"), "meshauthd");
        assert_string_equal(audit_log_text(&log, i, "outcome"), "done");
        n++;
    }
    audit_log_clear(&log);
    return n;
}

static bool
comes_to_record(const struct world *w, const char *action)
{
    int64_t until_ms = time_monotonic_ms() + SOON_MS;

    while (!count_records(w, action) && time_monotonic_ms() < until_ms) {
        housekeeper_wake(w->keeper);
        nap(50);
    }
    return count_records(w, action) == 1;
}

/* The key of the world signs since 1970. The next is published, then it signs. */
static void
lets_keys_follow_each_other(void **state)
{
    struct world *w = *state;

    w->config.keys.period_s = 3600;
    w->config.keys.publish_ahead_s = 3; /* seconds are cut: two at least to be seen */
    start(w);
    assert_true(comes_to_record(w, "key.prepare"));
    assert_true(comes_to_tell(w, " next "));
    assert_true(comes_to_record(w, "key.activate"));
    assert_true(comes_to_tell(w, " retiring "));
    assert_true(comes_to_tell(w, " active "));
    /* And then no more. */
    housekeeper_wake(w->keeper);
    nap(500);
    assert_int_equal(count_records(w, "key.prepare"), 1);
    assert_int_equal(count_records(w, "key.activate"), 1);
}

static const struct id relay = {{1}};

static enum mauth_rc
add_service(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct graph_service s = {.id = relay, .name = "relay", .created_s = 1};

    (void)arg;
    return graph_service_create(txn, &s, err);
}

/* The file that a service says it has loaded; the one of now, or the first of all. */
static void
report(const struct world *w, bool is_new)
{
    struct shared_ref *ref = shared_take(w->service.trust);
    struct trust_report r = {.place = {0, 0}};
    bool is_alarm;

    if (is_new) {
        r.place = trust_place_of(own_trust_of(ref));
        memcpy(r.hash, trust_hash(own_trust_of(ref)), HASH_LEN);
    }
    assert_int_equal(verifiers_report(w->service.verifiers, &relay, &r, time_now_s(),
                         &is_alarm, NULL),
        MAUTH_OK);
    assert_false(is_alarm);
    shared_drop(ref);
}

/* By themselves keys wait for who lacks them, as for an admin. */
static void
waits_for_services(void **state)
{
    struct world *w = *state;

    assert_int_equal(kv_write(w->service.kv, add_service, NULL, NULL), MAUTH_OK);
    w->config.keys.period_s = 3600;
    w->config.keys.publish_ahead_s = 1;
    start(w);
    report(w, false);
    assert_true(comes_to_record(w, "key.prepare"));
    assert_true(comes_to_tell(w, " next "));
    nap(1500);
    housekeeper_wake(w->keeper);
    nap(500);
    assert_int_equal(count_records(w, "key.activate"), 0);
    report(w, true);
    assert_true(comes_to_record(w, "key.activate"));
}

static void
leaves_keys_to_admins(void **state)
{
    struct world *w = *state;

    start(w);
    housekeeper_wake(w->keeper);
    nap(500);
    assert_int_equal(count_records(w, "key.prepare"), 0);
    assert_false(tells(w, " next "));
}

static void
stops_what_never_started(void **state)
{
    (void)state;
    housekeeper_stop(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(does_not_start_without_a_trust_file),
        TEST(tells_at_the_start),
        TEST(tells_of_each_revocation),
        TEST(is_quiet_otherwise),
        TEST(tries_again),
        TEST(recovers_with_another_authority),
        TEST(does_it_a_last_time),
        TEST(forgets_what_ended_long_ago),
        TEST(lets_keys_follow_each_other),
        TEST(waits_for_services),
        TEST(leaves_keys_to_admins),
        cmocka_unit_test(stops_what_never_started),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
