#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "authsvc/http_janitor.h"
#include "base/time.h"
#include "tests/unit/unit.h"

enum {
    TICK_MS = 5,
    SHORT_MS = 60,
    LONG_MS = 60000,
    PATIENCE_MS = 5000
};

/* A connection as the janitor has it, and its other end as the client has it. */
struct connection {
    struct lease lease;
    int ours;
    int client;
};

/* No assertion, since other threads call it too: they would not come home. */
static void
join(struct connection *c)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        abort();
    c->ours = pair[0];
    c->client = pair[1];
}

static void
part(struct connection *c)
{
    close(c->ours);
    close(c->client);
}

static void
sleep_ms(int64_t ms)
{
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

/* Does the client see the end within the time? */
static bool
ends_within(const struct connection *c, int timeout_ms)
{
    struct pollfd p = {.fd = c->client, .events = POLLIN};
    char byte;

    return poll(&p, 1, timeout_ms) == 1 && recv(c->client, &byte, 1, MSG_DONTWAIT) == 0;
}

static struct janitor *
hire(void)
{
    struct janitor *j = NULL;

    assert_int_equal(janitor_new(TICK_MS, &j, NULL), MAUTH_OK);
    return j;
}

static void
cuts_when_the_time_is_over(void **state)
{
    struct janitor *j = hire();
    struct connection c;
    int64_t start_ms;

    (void)state;
    join(&c);
    start_ms = time_monotonic_ms();
    janitor_watch(j, &c.lease, c.ours, SHORT_MS);
    assert_true(ends_within(&c, PATIENCE_MS));
    assert_in_range(time_monotonic_ms() - start_ms, SHORT_MS, PATIENCE_MS);
    assert_int_equal(send(c.ours, "x", 1, MSG_NOSIGNAL), -1); /* both ways */
    assert_int_equal(errno, EPIPE);
    janitor_leave(j, &c.lease);
    part(&c);
    janitor_free(j);
}

static void
heeds_what_a_lease_says_later(void **state)
{
    struct janitor *j = hire();
    struct connection extended, held, shortened;

    (void)state;
    join(&extended);
    join(&held);
    join(&shortened);
    janitor_watch(j, &extended.lease, extended.ours, SHORT_MS);
    lease_extend(&extended.lease, LONG_MS);
    janitor_watch(j, &held.lease, held.ours, SHORT_MS);
    lease_hold(&held.lease);
    janitor_watch(j, &shortened.lease, shortened.ours, LONG_MS);
    lease_extend(&shortened.lease, 0);
    assert_true(ends_within(&shortened, PATIENCE_MS));
    assert_false(ends_within(&extended, 2 * SHORT_MS));
    assert_false(ends_within(&held, 2 * SHORT_MS));
    lease_extend(&held.lease, 0);
    assert_true(ends_within(&held, PATIENCE_MS));
    janitor_leave(j, &held.lease);
    janitor_leave(j, &extended.lease);
    janitor_leave(j, &shortened.lease);
    part(&extended);
    part(&held);
    part(&shortened);
    janitor_free(j);
}

/* Else it would cut the next connection, which may have the same number. */
static void
forgets_who_has_left(void **state)
{
    struct janitor *j = hire();
    struct connection c;

    (void)state;
    join(&c);
    janitor_watch(j, &c.lease, c.ours, SHORT_MS);
    janitor_leave(j, &c.lease);
    memset(&c.lease, 0xff, sizeof(c.lease)); /* nor does it look there any more */
    assert_false(ends_within(&c, 3 * SHORT_MS));
    part(&c);
    janitor_free(j);
}

/* First, last and middle leave in each order; the others stay watched. */
static void
keeps_the_others(void **state)
{
    static const size_t orders[][3] = {
        {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

    (void)state;
    for (size_t o = 0; o < COUNT(orders); o++) {
        struct janitor *j = hire();
        struct connection c[3];

        for (size_t i = 0; i < 3; i++) {
            join(&c[i]);
            janitor_watch(j, &c[i].lease, c[i].ours, LONG_MS);
        }
        for (size_t i = 0; i < 3; i++) {
            struct connection *next = &c[orders[o][i]];

            lease_extend(&next->lease, 0);
            assert_true(ends_within(next, PATIENCE_MS));
            janitor_leave(j, &next->lease);
            part(next);
        }
        janitor_free(j);
    }
}

static void
ends_at_once(void **state)
{
    struct janitor *j = NULL;
    struct connection c;
    int64_t start_ms;

    (void)state;
    assert_int_equal(janitor_new(LONG_MS, &j, NULL), MAUTH_OK);
    join(&c);
    janitor_watch(j, &c.lease, c.ours, 0);
    start_ms = time_monotonic_ms();
    janitor_free(j); /* before its tick, and with a lease that is still there */
    assert_in_range(time_monotonic_ms() - start_ms, 0, PATIENCE_MS);
    janitor_free(NULL);
    part(&c);
}

enum {
    THREADS = 4,
    ROUNDS = 100
};

/* Connections that come and go beside the sweeps; those held must never be cut. */
static void *
come_and_go(void *arg)
{
    struct janitor *j = arg;
    uintptr_t cut = 0;

    for (int i = 0; i < ROUNDS; i++) {
        struct connection held, brief;

        join(&held);
        join(&brief);
        janitor_watch(j, &held.lease, held.ours, LONG_MS);
        janitor_watch(j, &brief.lease, brief.ours, 0);
        lease_hold(&held.lease);
        sleep_ms(i % 4);
        janitor_leave(j, &brief.lease);
        cut += ends_within(&held, 0);
        janitor_leave(j, &held.lease);
        part(&brief);
        part(&held);
    }
    return (void *)cut;
}

static void
works_beside_many_threads(void **state)
{
    struct janitor *j = hire();
    pthread_t threads[THREADS];
    void *cut;

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, j), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &cut);
        assert_null(cut);
    }
    janitor_free(j);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_when_the_time_is_over),
        cmocka_unit_test(heeds_what_a_lease_says_later),
        cmocka_unit_test(forgets_who_has_left),
        cmocka_unit_test(keeps_the_others),
        cmocka_unit_test(ends_at_once),
        cmocka_unit_test(works_beside_many_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
