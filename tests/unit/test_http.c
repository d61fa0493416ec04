/* The server over a Unix socket, where bytes can be sent as they are. The TLS side
 * is driven by the end-to-end tests. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "authsvc/http.h"
#include "base/str.h"
#include "base/time.h"
#include "tests/unit/unit.h"

struct world {
    char dir[64];
    char path[96];
    struct http_server *server;
    _Atomic int served;  /* requests that a route has seen */
    _Atomic int freed;   /* states given back */
    _Atomic int refused; /* by the gate or the router */
    _Atomic int logged;
    pthread_t helper;
};

static void
answer_text(struct http_exchange *x, const char *text)
{
    http_answer(x, 200, "text/plain", text_of(text), NULL);
}

static void
echo(struct http_exchange *x)
{
    struct world *w = http_context(x);

    w->served++;
    http_answer(x, 200, "text/plain", http_body(x), NULL);
}

static void
query(struct http_exchange *x)
{
    struct world *w = http_context(x);

    w->served++;
    answer_text(x, http_query(x));
}

static void
free_state(void *state)
{
    struct world *w = state;

    w->freed++;
}

static void
second_step(struct http_exchange *x)
{
    answer_text(x, "later");
}

static void *
resume_later(void *arg)
{
    const struct timespec pause = {0, 50 * 1000000};

    nanosleep(&pause, NULL);
    http_resume(arg);
    return NULL;
}

static void
suspend(struct http_exchange *x)
{
    struct world *w = http_context(x);

    w->served++;
    http_set_state(x, w, free_state);
    http_suspend(x, second_step);
    pthread_create(&w->helper, NULL, resume_later, x);
}

static void
silent(struct http_exchange *x)
{
    (void)x; /* what a step without memory does */
}

static void
headers(struct http_exchange *x)
{
    static const char *const extra[] = {"X-Extra: one: two", NULL};

    http_answer(x, 200, "text/plain", text_of(http_header(x, "X-In")), extra);
}

static char large[1 << 20];

/* Sent from where it lies: what the client gets is what stands there by then. */
static void
held(struct http_exchange *x)
{
    const struct http_held all = {{large, sizeof(large)}, free_state, http_context(x)};

    memset(large, 'a', sizeof(large));
    http_answer_held(x, 200, "text/plain", &all, NULL);
    memset(large, 'b', sizeof(large));
}

static const struct http_route routes[] = {
    {"POST", "/echo", 16, "text/plain", echo, NULL},
    {"GET", "/query", 0, NULL, query, NULL},
    {"GET", "/later", 0, NULL, suspend, NULL},
    {"GET", "/held", 0, NULL, held, NULL},
    {"GET", "/silent", 0, NULL, silent, NULL},
    {"GET", "/headers", 0, NULL, headers, NULL},
    {"POST", "/headers", 0, NULL, headers, NULL},
};

static void
on_log(const struct http_exchange *x, int status, const char *reason)
{
    struct world *w = http_context(x);

    (void)status;
    (void)reason;
    w->logged++;
}

static void
on_refused(const struct http_exchange *x, const char *reason)
{
    struct world *w = http_context(x);

    assert_non_null(reason);
    w->refused++;
}

static struct http_options
options(struct world *w)
{
    struct http_options o = {
        .unix_socket = w->path,
        .routes = routes,
        .route_count = COUNT(routes),
        .context = w,
        .log = on_log,
        .refused = on_refused,
        .threads = 2,
        .connections = 16,
        .connections_per_ip = 16,
        .request_s = 1,
        .idle_s = 1,
    };

    return o;
}

static int
setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct http_options o;

    assert_non_null(w);
    snprintf(w->dir, sizeof(w->dir), "/tmp/meshauth-test.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof(w->path), "%s/socket", w->dir);
    o = options(w);
    assert_int_equal(http_start(&o, &w->server, NULL), MAUTH_OK);
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;

    http_stop(w->server, 1000);
    if (w->helper)
        pthread_join(w->helper, NULL);
    assert_int_equal(access(w->path, F_OK), -1);
    rmdir(w->dir);
    free(w);
    return 0;
}

static int
dial(const struct world *w)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", w->path);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static void
send_all(int fd, const char *bytes, size_t len)
{
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* What comes within the time; *closed: the other side has ended. */
static size_t
receive(int fd, char *out, size_t cap, int timeout_ms, bool *closed)
{
    int64_t end_ms = time_monotonic_ms() + timeout_ms;
    size_t len = 0;

    *closed = false;
    while (len + 1 < cap && !*closed) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left_ms = end_ms - time_monotonic_ms();
        ssize_t n;

        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) == 0)
            break;
        n = recv(fd, out + len, cap - len - 1, 0);
        *closed = n <= 0;
        len += n > 0 ? (size_t)n : 0;
    }
    out[len] = '\0';
    return len;
}

#define HEAD "Host: a\r\n"
#define TEXT HEAD "Content-Type: text/plain\r\n"
#define PIPE "GET /query?smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

struct refusal {
    const char *name;
    const char *bytes;
    const char *status;
};

/* Each is refused, the connection ends, and what comes behind is never served. */
static const struct refusal refusals[] = {
    {"length and coding",
        "POST /echo HTTP/1.1\r\n" TEXT
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" PIPE,
        "400"},
    {"two lengths",
        "POST /echo HTTP/1.1\r\n" TEXT
        "Content-Length: 0\r\nContent-Length: 43\r\n\r\n" PIPE,
        "400"},
    {"gzip, chunked",
        "POST /echo HTTP/1.1\r\n" TEXT
        "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" PIPE,
        "400"},
    {"xchunked",
        "POST /echo HTTP/1.1\r\n" TEXT
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" PIPE,
        "400"},
    {"space before the colon",
        "POST /echo HTTP/1.1\r\n" TEXT "Transfer-Encoding : chunked\r\n\r\n" PIPE,
        "400"},
    {"folded header",
        "GET /query HTTP/1.1\r\n" HEAD "Authorization: Bea\r\n rer x\r\n\r\n" PIPE,
        "400"},
    {"bare CR", "GET /query HTTP/1.1\r\n" HEAD "X-A: a\rb\r\n\r\n" PIPE, "400"},
    {"two hosts", "GET /query HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" PIPE, "400"},
    {"no host", "GET /query HTTP/1.1\r\n\r\n" PIPE, "400"},
    {"two authorizations",
        "GET /query HTTP/1.1\r\n" HEAD
        "Authorization: a\r\nAuthorization: b\r\n\r\n" PIPE,
        "400"},
    {"HTTP/1.0 with a coding",
        "POST /echo HTTP/1.0\r\n" TEXT
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" PIPE,
        "400"},
    {"HEAD with a body",
        "HEAD /query HTTP/1.1\r\n" HEAD "Content-Length: 43\r\n\r\n" PIPE, "400"},
    {"HEAD of no GET", "HEAD /echo HTTP/1.1\r\n" HEAD "\r\n" PIPE, "405"},
    {"GET with a body",
        "GET /query HTTP/1.1\r\n" HEAD "Content-Length: 43\r\n\r\n" PIPE, "400"},
    {"length with a sign",
        "POST /echo HTTP/1.1\r\n" TEXT "Content-Length: +5\r\n\r\nhello" PIPE, "400"},
    {"list of lengths",
        "POST /echo HTTP/1.1\r\n" TEXT "Content-Length: 5, 5\r\n\r\nhello" PIPE, "400"},
    {"negative length",
        "POST /echo HTTP/1.1\r\n" TEXT "Content-Length: -1\r\n\r\n" PIPE, "400"},
    {"escaped NUL", "GET /query%00x HTTP/1.1\r\n" HEAD "\r\n" PIPE, "400"},
    {"escaped slash", "GET /a%2fb HTTP/1.1\r\n" HEAD "\r\n" PIPE, "400"},
    {"escaped dots", "GET /%2e%2e/query HTTP/1.1\r\n" HEAD "\r\n" PIPE, "400"},
    {"dots", "GET /x/../query HTTP/1.1\r\n" HEAD "\r\n" PIPE, "400"},
    {"absolute form", "GET http://a/query HTTP/1.1\r\n" HEAD "\r\n" PIPE, "400"},
    {"unknown path", "GET /nowhere HTTP/1.1\r\n" HEAD "\r\n" PIPE, "404"},
    {"path in another case", "GET /Query HTTP/1.1\r\n" HEAD "\r\n" PIPE, "404"},
    {"path and a slash", "GET /query/ HTTP/1.1\r\n" HEAD "\r\n" PIPE, "404"},
    {"another method", "POST /query HTTP/1.1\r\n" HEAD "Content-Length: 0\r\n\r\n" PIPE,
        "405"},
    {"unknown method", "BREW /query HTTP/1.1\r\n" HEAD "\r\n" PIPE, "405"},
    {"too large by its length",
        "POST /echo HTTP/1.1\r\n" TEXT
        "Content-Length: 17\r\n\r\n01234567890123456" PIPE,
        "413"},
    {"too large by its chunks",
        "POST /echo HTTP/1.1\r\n" TEXT "Transfer-Encoding: chunked\r\n\r\n"
        "9\r\n012345678\r\n9\r\n012345678\r\n0\r\n\r\n" PIPE,
        "413"},
    {"another content type",
        "POST /echo HTTP/1.1\r\n" HEAD
        "Content-Type: text/html\r\nContent-Length: 2\r\n\r\nhi" PIPE,
        "415"},
    {"no content type",
        "POST /echo HTTP/1.1\r\n" HEAD "Content-Length: 2\r\n\r\nhi" PIPE, "415"},
};

static void
test_refusals(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct refusal *r = &refusals[i];
        char answer[4096];
        bool closed;
        int fd = dial(w);

        send_all(fd, r->bytes, strlen(r->bytes));
        receive(fd, answer, sizeof(answer), 3000, &closed);
        close(fd);
        if (strncmp(answer, "HTTP/1.1 ", 9) != 0 ||
            strncmp(answer + 9, r->status, 3) != 0)
            fail_msg("%s: %.40s", r->name, answer);
        if (!closed)
            fail_msg("%s: the connection stays", r->name);
        if (w->served)
            fail_msg("%s: a route was reached", r->name);
    }
    assert_true(w->refused >= 20);
}

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
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
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
