#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "authsvc/parking.h"
#include "base/str.h"
#include "tests/unit/plain_http.h"

enum {
    ROOM = 3
};

/* What the requests wait for: that number is at least as high as theirs. */
struct yard {
    struct parking *parking;
    atomic_int number;
    atomic_int looks;
    void (*between)(struct yard *y); /* a look and parking, or NULL */
};

struct spot {
    struct parked parked;
    int want;
};

static void
say(struct http_exchange *x, const char *what)
{
    http_answer(x, 200, "text/plain", text_of(what), NULL);
}

static void
look(struct http_exchange *x)
{
    struct yard *y = http_context(x);
    struct spot *s = http_state(x);
    uint64_t count = parking_count(y->parking);

    atomic_fetch_add(&y->looks, 1);
    if (atomic_load(&y->number) >= s->want) {
        say(x, "it happened");
        return;
    }
    if (y->between)
        y->between(y);
    if (!parking_wait(y->parking, &s->parked, count, x, look))
        say(x, "it did not");
}

static void
start(struct http_exchange *x)
{
    struct spot *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    s->want = atoi(http_query(x));
    http_set_state(x, s, free);
    look(x);
}

static const struct http_route routes[] = {{"GET", "/wait", 0, NULL, start, NULL}};

static void
open_yard(struct yard *y, struct plain_http *http, size_t room, int64_t for_ms)
{
    memset(y, 0, sizeof(*y));
    assert_int_equal(parking_new(room, for_ms, &y->parking, NULL), MAUTH_OK);
    plain_start(
        http, (struct http_options){.routes = routes, .route_count = 1, .context = y});
}

static void
close_yard(struct yard *y, struct plain_http *http)
{
    parking_close(y->parking);
    plain_stop(http);
    parking_free(y->parking);
}

/* A client in a thread of its own. */
struct client {
    pthread_t thread;
    const struct plain_http *http;
    char target[32];
    char answer[2048];
};

static void *
ask(void *arg)
{
    struct client *c = arg;

    plain_ask(c->http, "GET", c->target, "", c->answer, sizeof(c->answer));
    return NULL;
}

static void
send_off(struct client *c, const struct plain_http *http, int want)
{
    c->http = http;
    snprintf(c->target, sizeof(c->target), "/wait?%d", want);
    assert_int_equal(pthread_create(&c->thread, NULL, ask, c), 0);
}

static bool
hears(struct client *c, const char *what)
{
    assert_int_equal(pthread_join(c->thread, NULL), 0);
    return strstr(c->answer, what) != NULL;
}

/* Until so many looks were taken, in all. */
static void
wait_for_looks(struct yard *y, int looks)
{
    for (int i = 0; i < 500 && atomic_load(&y->looks) < looks; i++)
        poll(NULL, 0, 10);
    assert_int_equal(atomic_load(&y->looks), looks);
}

static void
wakes_those_who_wait(void **state)
{
    struct client c[ROOM];
    struct plain_http http;
    struct yard y;

    (void)state;
    open_yard(&y, &http, ROOM, 60000);
    for (int i = 0; i < ROOM; i++)
        send_off(&c[i], &http, i + 1);
    wait_for_looks(&y, ROOM);
    /* One has what it waits for; the others park again. */
    atomic_store(&y.number, 1);
    parking_wake(y.parking);
    assert_true(hears(&c[0], "it happened"));
    wait_for_looks(&y, 2 * ROOM);
    atomic_store(&y.number, ROOM);
    parking_wake(y.parking);
    for (int i = 1; i < ROOM; i++)
        assert_true(hears(&c[i], "it happened"));
    close_yard(&y, &http);
}

static void
lets_nobody_wait_too_long(void **state)
{
    struct plain_http http;
    struct client c;
    struct yard y;

    (void)state;
    open_yard(&y, &http, ROOM, 200);
    send_off(&c, &http, 1);
    assert_true(hears(&c, "it did not"));
    wait_for_looks(&y, 2);
    close_yard(&y, &http);
}

/* Parking again does not begin a new time. */
static void
counts_from_the_first_time(void **state)
{
    struct plain_http http;
    struct client c;
    struct yard y;

    (void)state;
    open_yard(&y, &http, ROOM, 300);
    send_off(&c, &http, 1);
    for (int i = 0; i < 10; i++) {
        parking_wake(y.parking);
        poll(NULL, 0, 50);
    }
    assert_true(hears(&c, "it did not"));
    assert_true(atomic_load(&y.looks) <= 12);
    close_yard(&y, &http);
}

static void
has_so_much_room(void **state)
{
    struct client c[ROOM + 1];
    struct plain_http http;
    struct yard y;

    (void)state;
    open_yard(&y, &http, ROOM, 60000);
    for (int i = 0; i < ROOM; i++)
        send_off(&c[i], &http, 1);
    wait_for_looks(&y, ROOM);
    send_off(&c[ROOM], &http, 1);
    assert_true(hears(&c[ROOM], "it did not"));
    atomic_store(&y.number, 1);
    parking_wake(y.parking);
    for (int i = 0; i < ROOM; i++)
        assert_true(hears(&c[i], "it happened"));
    close_yard(&y, &http);
}

static void
happen(struct yard *y)
{
    y->between = NULL;
    atomic_store(&y->number, 1);
    parking_wake(y->parking);
}

static void
misses_nothing(void **state)
{
    struct plain_http http;
    struct client c;
    struct yard y;

    (void)state;
    open_yard(&y, &http, ROOM, 60000);
    y.between = happen;
    send_off(&c, &http, 1);
    assert_true(hears(&c, "it happened"));
    close_yard(&y, &http);
}

static void
ends_with_the_service(void **state)
{
    struct plain_http http;
    struct client c, late;
    struct yard y;

    (void)state;
    open_yard(&y, &http, ROOM, 60000);
    send_off(&c, &http, 1);
    wait_for_looks(&y, 1);
    parking_close(y.parking);
    assert_true(hears(&c, "it did not"));
    send_off(&late, &http, 1);
    assert_true(hears(&late, "it did not"));
    close_yard(&y, &http);
    parking_close(NULL);
    parking_free(NULL);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(wakes_those_who_wait),
        cmocka_unit_test(lets_nobody_wait_too_long),
        cmocka_unit_test(counts_from_the_first_time),
        cmocka_unit_test(has_so_much_room),
        cmocka_unit_test(misses_nothing),
        cmocka_unit_test(ends_with_the_service),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
