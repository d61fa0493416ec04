/*
 * What an updater hands back of its service's journals. The account service is that
 * of this file, and waiting after a failure is short: the linker sends those calls
 * here.
 */
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/fail.h"
#include "base/ring.h"
#include "base/str.h"
#include "cli/watch_decisions.h"
#include "net/fetch.h"
#include "tests/unit/scratch_dir.h"
#include "updater/backoff.h"

#define URL "https://a.example"

static const struct ring_kind accepted = {"accepted", 128, 512};
static const struct ring_kind decisions = {"decisions", 128, 64};
static const struct ring_kind few = {"accepted", 128, 8};

enum {
    BODIES = 64, /* that are kept */
    PATIENCE_MS = 10000,
    SHORT_MS = 10
};

/* The account service, as it behaves and what it was sent. */
static struct {
    pthread_mutex_t lock; /* of what follows */
    bool logged_in;
    bool is_away;
    long status;
    const char *bad; /* an entry with this in it gets bad_status for the body */
    long bad_status;
    size_t asked; /* for the credential */
    size_t failures;
    int64_t retry_after_s;
    size_t bodies;
    char *body[BODIES];
    char url[128], header[128];
    size_t complaints;
    char complaint[256];
} service = {.lock = PTHREAD_MUTEX_INITIALIZER};

enum mauth_rc __wrap_fetch_do(struct fetch *f, const struct fetch_request *r,
    long *status, struct buf *body, struct mauth_err *err);
long __wrap_fetch_retry_after_s(const struct fetch *f);
bool __wrap_trust_client_credential(struct trust_client *c, struct buf *out);
int64_t __wrap_backoff_wait_ms(struct backoff *b, int64_t asked_s, uint64_t random);

static void
note_request(const struct fetch_request *r)
{
    char **place = &service.body[service.bodies++ % BODIES];

    free(*place);
    *place = strndup(r->body.p, r->body.len);
    snprintf(service.url, sizeof(service.url), "%s %s", r->method, r->url);
    snprintf(service.header, sizeof(service.header), "%s", r->headers[0]);
}

enum mauth_rc
__wrap_fetch_do(struct fetch *f, const struct fetch_request *r, long *status,
    struct buf *body, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    (void)f;
    (void)body;
    pthread_mutex_lock(&service.lock);
    if (service.is_away) {
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "nobody is there");
    } else {
        note_request(r);
        *status = service.bad && memmem(r->body.p, r->body.len, service.bad,
                                     strlen(service.bad))
                      ? service.bad_status
                      : service.status;
    }
    pthread_mutex_unlock(&service.lock);
    return rc;
}

long
__wrap_fetch_retry_after_s(const struct fetch *f)
{
    (void)f;
    return 7;
}

bool
__wrap_trust_client_credential(struct trust_client *c, struct buf *out)
{
    bool there;

    (void)c;
    pthread_mutex_lock(&service.lock);
    service.asked++;
    there = service.logged_in;
    pthread_mutex_unlock(&service.lock);
    if (there)
        buf_str(out, "secret");
    return there;
}

int64_t
__wrap_backoff_wait_ms(struct backoff *b, int64_t asked_s, uint64_t random)
{
    (void)random;
    pthread_mutex_lock(&service.lock);
    service.failures = ++b->failures;
    service.retry_after_s = asked_s;
    pthread_mutex_unlock(&service.lock);
    return SHORT_MS;
}

static void
complain(const struct mauth_err *err, void *arg)
{
    pthread_mutex_lock(&service.lock);
    service.complaints += arg == &service;
    snprintf(service.complaint, sizeof(service.complaint), "%s", err->text);
    pthread_mutex_unlock(&service.lock);
}

struct desk {
    struct scratch_dir dir; /* of the journals */
    struct scratch_dir home_dir;
    char file[192];
    struct trust_home home;
    struct watch_decisions *w;
};

static int
begin(void **state)
{
    static char certificate[] = "/nowhere/service.crt", key[] = "/nowhere/service.key";
    struct desk *d = calloc(1, sizeof(*d));

    assert_non_null(d);
    scratch_dir_make(&d->dir);
    scratch_dir_make(&d->home_dir);
    snprintf(d->file, sizeof(d->file), "%s", scratch_path(&d->home_dir, "journals"));
    strcpy(d->home.url.text, URL);
    d->home.certificate_file = certificate;
    d->home.key_file = key;
    d->home.journals_file = d->file;
    service.logged_in = true;
    service.is_away = false;
    service.status = 200;
    service.bad = NULL;
    service.asked = service.failures = service.complaints = service.bodies = 0;
    *state = d;
    return 0;
}

static void
start(struct desk *d)
{
    const struct watch_decisions_options o = {
        .home = &d->home, .dir = d->dir.path, .complain = complain, .arg = &service};

    assert_int_equal(watch_decisions_start(&o, &d->w, NULL), MAUTH_OK);
}

static void
stop(struct desk *d)
{
    watch_decisions_stop(d->w);
    d->w = NULL;
}

static int
end(void **state)
{
    struct desk *d = *state;

    stop(d);
    for (size_t i = 0; i < BODIES; i++) {
        free(service.body[i]);
        service.body[i] = NULL;
    }
    scratch_dir_remove(&d->dir);
    scratch_dir_remove(&d->home_dir);
    free(d);
    return 0;
}

static void
set_service(bool logged_in, bool is_away, long status)
{
    pthread_mutex_lock(&service.lock);
    service.logged_in = logged_in;
    service.is_away = is_away;
    service.status = status;
    pthread_mutex_unlock(&service.lock);
}

static size_t
read_locked(const size_t *n)
{
    size_t now;

    pthread_mutex_lock(&service.lock);
    now = *n;
    pthread_mutex_unlock(&service.lock);
    return now;
}

static void
pause_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

/* Until one of the service's numbers has come so far. */
static void
await(const char *what, const size_t *n, size_t at_least)
{
    for (long ms = 0; read_locked(n) < at_least; ms += SHORT_MS) {
        if (ms > PATIENCE_MS)
            fail_msg("%s: %zu instead of %zu", what, read_locked(n), at_least);
        pause_ms(SHORT_MS);
    }
}

static void
await_counts(struct desk *d, uint64_t handed_back, uint64_t lost)
{
    struct watch_decisions_counts c = watch_decisions_count(d->w);

    for (long ms = 0; c.handed_back < handed_back || c.lost < lost; ms += SHORT_MS) {
        if (ms > PATIENCE_MS)
            break;
        pause_ms(SHORT_MS);
        c = watch_decisions_count(d->w);
    }
    assert_int_equal(c.handed_back, handed_back);
    assert_int_equal(c.lost, lost);
}

/* Ends it when it has begun to look once more: that look is its last. */
static void
settle(struct desk *d)
{
    await("looks", &service.asked, read_locked(&service.asked) + 1);
    stop(d);
}

static void
put(const struct desk *d, const struct ring_kind *kind, const char *const *entries,
    size_t count)
{
    struct ring *r;

    assert_int_equal(ring_open(d->dir.path, kind, &r, NULL), MAUTH_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ring_put(r, entries[i], strlen(entries[i]), NULL), MAUTH_OK);
    ring_close(r);
}

static void
put_many(const struct desk *d, const struct ring_kind *kind, size_t count)
{
    static const char *const entry[] = {"{\"a\":\"b\"}"};

    for (size_t i = 0; i < count; i++)
        put(d, kind, entry, 1);
}

/* A body that was sent; the caller frees. */
static json_t *
body(size_t i)
{
    json_t *o;

    assert_true(i < service.bodies);
    o = json_loads(service.body[i % BODIES], JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(o);
    return o;
}

static void
assert_entries(size_t i, const char *list, const char *want)
{
    json_t *o = body(i);
    char *text = json_dumps(json_object_get(o, list), JSON_COMPACT | JSON_SORT_KEYS);

    assert_non_null(text);
    assert_string_equal(text, want);
    free(text);
    json_decref(o);
}

static void
hands_back_tickets(void **state)
{
    static const char *const entries[] = {
        "{\"ticket\":\"_1\",\"time\":\"t\"}", "{\"number\":99,\"ticket\":\"_2\"}"};
    struct desk *d = *state;
    char hex[2 * RING_ID + 1];
    struct ring_view v;
    json_t *o;

    put(d, &accepted, entries, COUNT(entries));
    start(d);
    await_counts(d, 2, 0);
    settle(d);
    assert_int_equal(service.bodies, 1);
    assert_string_equal(service.url, "POST " URL "/v1/audit/decisions");
    assert_string_equal(service.header, "Authorization: Bearer secret");
    assert_entries(0, "accepted",
        "[{\"number\":1,\"ticket\":\"_1\",\"time\":\"t\"},"
        "{\"number\":2,\"ticket\":\"_2\"}]");
    assert_int_equal(
        ring_view_open(scratch_path(&d->dir, "accepted.0"), &v, NULL), MAUTH_OK);
    str_hex(v.id, RING_ID, hex);
    ring_view_close(&v);
    o = body(0);
    assert_int_equal(json_object_size(o), 3);
    assert_string_equal(json_string_value(json_object_get(o, "journal")), hex);
    assert_int_equal(json_integer_value(json_object_get(o, "lost")), 0);
    json_decref(o);
    assert_int_equal(service.complaints, 0);
    start(d); /* and never again */
    settle(d);
    assert_int_equal(service.bodies, 1);
}

static void
hands_back_decisions(void **state)
{
    static const char *const entries[] = {"{\"args\":[\"a\",\"b\"],\"epoch\":3}"};
    struct desk *d = *state;

    put(d, &decisions, entries, COUNT(entries));
    start(d);
    await_counts(d, 1, 0);
    assert_entries(
        0, "decisions", "[{\"args\":[\"a\",\"b\"],\"epoch\":3,\"number\":1}]");
}

static void
hands_back_what_comes_later(void **state)
{
    struct desk *d = *state;

    start(d);
    await("looks", &service.asked, 2);
    put_many(d, &accepted, 1);
    await_counts(d, 1, 0);
    put_many(d, &accepted, 1);
    await_counts(d, 2, 0);
    settle(d);
    assert_int_equal(service.bodies, 2);
}

static void
hands_back_much_in_pieces(void **state)
{
    struct desk *d = *state;

    put_many(d, &accepted, 300);
    start(d);
    await_counts(d, 300, 0);
    settle(d);
    assert_int_equal(service.bodies, 2);
}

static void
waits_for_the_login(void **state)
{
    struct desk *d = *state;

    put_many(d, &accepted, 1);
    set_service(false, false, 200);
    start(d);
    await("looks", &service.asked, 3);
    assert_int_equal(read_locked(&service.bodies), 0);
    assert_int_equal(read_locked(&service.complaints), 0);
    set_service(true, false, 200);
    await_counts(d, 1, 0);
}

/* Kept until it is taken, whatever comes in between; each trouble is told of once. */
static void
keeps_what_was_not_taken(void **state)
{
    static const long states[] = {401, 403, 429, 500, 503, 302};
    struct desk *d = *state;

    put_many(d, &accepted, 2);
    set_service(true, true, 0);
    start(d);
    await("failures", &service.failures, 3);
    assert_int_equal(read_locked(&service.complaints), 1);
    assert_string_equal(service.complaint, "nobody is there");
    for (size_t i = 0; i < COUNT(states); i++) {
        set_service(true, false, states[i]);
        await("bodies", &service.bodies, read_locked(&service.bodies) + 3);
        assert_int_equal(read_locked(&service.complaints), i + 2);
    }
    assert_non_null(strstr(service.complaint, "status 302"));
    assert_int_equal(watch_decisions_count(d->w).handed_back, 0);
    stop(d);
    assert_int_equal(service.retry_after_s, 7);
    set_service(true, false, 200);
    start(d);
    await_counts(d, 2, 0);
    assert_entries(service.bodies - 1, "accepted",
        "[{\"a\":\"b\",\"number\":1},{\"a\":\"b\",\"number\":2}]");
}

static void
waits_longer_with_each_failure(void **state)
{
    struct desk *d = *state;

    put_many(d, &accepted, 1);
    set_service(true, true, 0);
    start(d);
    await("failures", &service.failures, 5);
    set_service(true, false, 200);
    await_counts(d, 1, 0);
    await("looks", &service.asked, read_locked(&service.asked) + 1);
    put_many(d, &accepted, 1);
    set_service(true, true, 0);
    pthread_mutex_lock(&service.lock);
    service.failures = 0;
    pthread_mutex_unlock(&service.lock);
    await("failures", &service.failures, 1);
    assert_true(read_locked(&service.failures) < 5); /* from the first on */
}

/* One that the account service refuses goes, and no other. */
static void
leaves_out_a_bad_entry(void **state)
{
    static const char *const entries[] = {
        "{\"a\":\"1\"}", "{\"a\":\"poison\"}", "{\"a\":\"3\"}"};
    static const long statuses[] = {400, 413};

    for (size_t i = 0; i < COUNT(statuses); i++) {
        struct desk *d;

        if (i) {
            end(state);
            begin(state);
        }
        d = *state;
        service.bad = "poison";
        service.bad_status = statuses[i];
        put(d, &accepted, entries, COUNT(entries));
        start(d);
        await_counts(d, 2, 1);
        settle(d);
        assert_int_equal(service.bodies, 4);
        assert_entries(1, "accepted", "[{\"a\":\"1\",\"number\":1}]");
        assert_entries(2, "accepted", "[{\"a\":\"poison\",\"number\":2}]");
        assert_entries(3, "accepted", "[{\"a\":\"3\",\"number\":3}]");
        assert_int_equal(service.complaints, 1);
    }
}

/* Whatever another user writes there, a good entry is what is sent. */
static void
leaves_out_what_is_no_entry(void **state)
{
    static const char *const entries[] = {"", "no JSON", "[]", "\"a\"", "{\"a\":{}}",
        "{\"a\":[[]]}", "{\"a\":[1]}", "{\"a\":null}", "{\"a\":true}", "{\"a\":1.5}",
        "{\"a\":\"1\",\"a\":\"2\"}", "{\"a\":\"\xff\"}", "{\"a\":\"good\"}"};
    struct desk *d = *state;

    put(d, &accepted, entries, COUNT(entries));
    start(d);
    await_counts(d, 1, COUNT(entries) - 1);
    settle(d);
    assert_int_equal(service.bodies, 1);
    assert_entries(0, "accepted", "[{\"a\":\"good\",\"number\":13}]");
}

static void
sends_nothing_of_nothing(void **state)
{
    static const char *const entries[] = {"no JSON"};
    struct desk *d = *state;

    put(d, &accepted, entries, COUNT(entries));
    start(d);
    await_counts(d, 0, 1);
    settle(d);
    assert_int_equal(service.bodies, 0);
}

static void
tells_how_many_were_lost(void **state)
{
    struct desk *d = *state;
    json_t *o;

    put_many(d, &few, 20);
    start(d);
    await_counts(d, 8, 12);
    o = body(0);
    assert_int_equal(json_integer_value(json_object_get(o, "lost")), 12);
    assert_int_equal(json_array_size(json_object_get(o, "accepted")), 8);
    json_decref(o);
}

static void
tells_of_places_that_are_damaged(void **state)
{
    struct desk *d = *state;

    put_many(d, &accepted, 1);
    scratch_write(&d->home_dir, "journals", "nonsense", 8);
    start(d);
    await_counts(d, 1, 0);
    settle(d);
    assert_int_equal(service.complaints, 1);
    assert_non_null(strstr(service.complaint, "not a list of places"));
}

static void
tells_of_places_that_cannot_be_written(void **state)
{
    struct desk *d = *state;

    put_many(d, &accepted, 1);
    snprintf(d->file, sizeof(d->file), "%s",
        scratch_path(&d->home_dir, "no-such-folder/journals"));
    start(d);
    await_counts(d, 1, 0);
    await("complaints", &service.complaints, 1);
    settle(d);
    assert_int_equal(service.bodies, 1);
    assert_int_equal(service.complaints, 1);
    assert_non_null(strstr(service.complaint, "no-such-folder"));
}

static void
tells_of_a_folder_that_cannot_be_read(void **state)
{
    struct desk *d = *state;

    scratch_write(&d->home_dir, "file", "", 0);
    snprintf(
        d->dir.path, sizeof(d->dir.path), "%s", scratch_path(&d->home_dir, "file"));
    start(d);
    await("failures", &service.failures, 2);
    stop(d);
    assert_int_equal(service.complaints, 1);
    assert_int_equal(service.bodies, 0);
}

static void
counts_nothing_of_nothing(void **state)
{
    struct watch_decisions_counts c = watch_decisions_count(NULL);

    (void)state;
    assert_true(c.handed_back == 0 && c.lost == 0);
    watch_decisions_stop(NULL);
}

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
stops_at_once(void **state)
{
    struct desk *d = *state;
    int64_t began_ms;

    start(d);
    await("looks", &service.asked, 1);
    began_ms = now_ms();
    stop(d);
    assert_true(now_ms() - began_ms < 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(hands_back_tickets),
        TEST(hands_back_decisions),
        TEST(hands_back_what_comes_later),
        TEST(hands_back_much_in_pieces),
        TEST(waits_for_the_login),
        TEST(keeps_what_was_not_taken),
        TEST(waits_longer_with_each_failure),
        TEST(leaves_out_a_bad_entry),
        TEST(leaves_out_what_is_no_entry),
        TEST(sends_nothing_of_nothing),
        TEST(tells_how_many_were_lost),
        TEST(tells_of_places_that_are_damaged),
        TEST(tells_of_places_that_cannot_be_written),
        TEST(tells_of_a_folder_that_cannot_be_read),
        cmocka_unit_test(counts_nothing_of_nothing),
        TEST(stops_at_once),
    };

    if (net_init(NULL) != MAUTH_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
