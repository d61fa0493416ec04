#include <sys/stat.h>

#include "tests/unit/http_world.h"

static void
expect(const struct world *w, const char *request, const char *what)
{
    char answer[8192];
    bool closed;
    int fd = dial(w);

    send_all(fd, request, strlen(request));
    receive(fd, answer, sizeof(answer), 300, &closed);
    close(fd);
    if (!strstr(answer, what))
        fail_msg("\"%s\" is not in: %s", what, answer);
}

static void
test_answers(void **state)
{
    struct world *w = *state;

    expect(w, "POST /echo HTTP/1.1\r\n" TEXT "Content-Length: 5\r\n\r\nhello",
        "\r\n\r\nhello");
    expect(w,
        "POST /echo HTTP/1.1\r\n" TEXT
        "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        "\r\n\r\nhello");
    expect(w, "GET /query?a=%41 HTTP/1.1\r\n" HEAD "\r\n", "\r\n\r\na=%41");
    expect(w, "GET /later HTTP/1.1\r\n" HEAD "\r\n", "\r\n\r\nlater");
    expect(w, "GET /headers HTTP/1.1\r\n" HEAD "X-In: there\r\n\r\n", "\r\n\r\nthere");
    expect(w, "GET /headers HTTP/1.1\r\n" HEAD "\r\n", "X-Extra: one: two\r\n");
    expect(w, "GET /headers HTTP/1.1\r\n" HEAD "\r\n", "Cache-Control: no-store\r\n");
    expect(w, "GET /headers HTTP/1.1\r\n" HEAD "\r\n", "X-Request-Id: ");
    expect(w, "PUT /headers HTTP/1.1\r\n" HEAD "\r\n", "Allow: GET, HEAD, POST\r\n");
    expect(w, "GET /nowhere HTTP/1.1\r\n" HEAD "\r\n",
        "\"type\":\"urn:meshauth:problem:not-found\"");
    assert_int_equal(w->freed, 1);
    assert_true(w->logged >= 10);
}

/* As GET, the length of its body included, but for the body. */
static void
test_head(void **state)
{
    static const char *const paths[] = {"/query?a=%41", "/later", "/nowhere"};
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(paths); i++) {
        char request[128], get[4096], head[4096], *body, *mark;
        bool closed;
        int fd = dial(w);

        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" HEAD "\r\n", paths[i]);
        send_all(fd, request, strlen(request));
        receive(fd, get, sizeof(get), 300, &closed);
        close(fd);
        fd = dial(w);
        snprintf(
            request, sizeof(request), "HEAD %s HTTP/1.1\r\n" HEAD "\r\n", paths[i]);
        send_all(fd, request, strlen(request));
        receive(fd, head, sizeof(head), 300, &closed);
        close(fd);
        body = strstr(get, "\r\n\r\n");
        assert_non_null(body);
        assert_true(strlen(body) > 4);
        body[4] = '\0';
        mark = strstr(get, "X-Request-Id: ");
        assert_non_null(mark);
        memcpy(mark, strstr(head, "X-Request-Id: "), strlen("X-Request-Id: ") + 16);
        mark = strstr(get, "Date: ");
        memcpy(mark, strstr(head, "Date: "), strlen("Date: Thu, 01 Jan 1970 00:00:00"));
        assert_string_equal(head, get);
    }
}

static void
test_keeps_the_connection(void **state)
{
    static const char request[] = "GET /query?1 HTTP/1.1\r\n" HEAD "\r\n";
    struct world *w = *state;
    char answer[4096];
    bool closed;
    int fd = dial(w);

    for (int i = 0; i < 3; i++) {
        send_all(fd, request, sizeof(request) - 1);
        receive(fd, answer, sizeof(answer), 200, &closed);
        assert_false(closed);
    }
    close(fd);
    assert_int_equal(w->served, 3);
}

/* A step that neither answers nor suspends costs the connection, nothing else. */
/* It is given back when it was read, and when whoever asked for it is gone. */
static void
test_held_body(void **state)
{
    static const char get[] = "GET /held HTTP/1.1\r\n" HEAD "Connection: close\r\n\r\n";
    static char answer[(1 << 20) + 1024];
    struct world *w = *state;
    int fd = dial(w);
    bool closed;
    size_t len;

    send_all(fd, get, sizeof(get) - 1);
    len = receive(fd, answer, sizeof(answer), 5000, &closed);
    assert_true(closed);
    assert_true(len > sizeof(large));
    for (size_t i = len - sizeof(large); i < len; i++)
        assert_int_equal(answer[i], 'b');
    close(fd);
    fd = dial(w);
    send_all(fd, get, sizeof(get) - 1);
    (void)receive(fd, answer, 1024, 5000, &closed);
    close(fd); /* most of it unread */
    for (int i = 0; w->freed < 2 && i < 200; i++)
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    assert_int_equal(w->freed, 2);
}

static void
test_silent_step(void **state)
{
    struct world *w = *state;
    char answer[256];
    bool closed;
    int fd = dial(w);

    send_all(fd, "GET /silent HTTP/1.1\r\nHost: a\r\n\r\n", 34);
    assert_int_equal(receive(fd, answer, sizeof(answer), 1000, &closed), 0);
    assert_true(closed);
    close(fd);
    expect(w, "GET /query?still HTTP/1.1\r\n" HEAD "\r\n", "still");
}

/* Sends a byte now and then: idle time never adds up, but the deadline holds. */
static void
drip(const struct world *w, const char *bytes)
{
    const struct timespec pause = {0, 100 * 1000000};
    int64_t start_ms = time_monotonic_ms();
    int fd = dial(w);

    for (size_t i = 0; time_monotonic_ms() - start_ms < 4000; i++) {
        if (send(fd, bytes[i] ? bytes + i : "x", 1, MSG_NOSIGNAL) < 0)
            break;
        i -= !bytes[i];
        nanosleep(&pause, NULL);
    }
    close(fd);
    assert_in_range(time_monotonic_ms() - start_ms, 800, 3500);
}

static void
test_slow_clients_are_cut(void **state)
{
    struct world *w = *state;

    drip(w, "GET /query HTTP/1.1\r\nX-A: ");
    assert_int_equal(w->served, 0);
}

static void *
stop(void *arg)
{
    struct world *w = arg;

    http_stop(w->server, 2000);
    return NULL;
}

static void
test_stop_lets_requests_end(void **state)
{
    struct world *w = *state;
    struct http_options o = options(w);
    char answer[4096];
    pthread_t stopper;
    bool closed;
    int fd = dial(w);

    send_all(fd, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n", 33);
    while (!w->served)
        usleep(1000);
    pthread_create(&stopper, NULL, stop, w);
    receive(fd, answer, sizeof(answer), 2000, &closed);
    assert_non_null(strstr(answer, "later"));
    assert_true(closed);
    close(fd);
    pthread_join(stopper, NULL);
    assert_int_equal(w->freed, 1);
    assert_int_equal(http_start(&o, &w->server, NULL), MAUTH_OK);
}

static void
test_socket(void **state)
{
    struct world *w = *state;
    struct http_options o = options(w);
    struct http_server *second;
    struct stat st;

    assert_int_equal(lstat(w->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(http_start(&o, &second, NULL), MAUTH_CONFLICT);
    assert_null(second);
    o.unix_socket = "/nonexistent/socket";
    assert_int_equal(http_start(&o, &second, NULL), MAUTH_UNAVAILABLE);
    assert_null(second);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_head, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keeps_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(test_held_body, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silent_step, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_clients_are_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop_lets_requests_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_socket, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
