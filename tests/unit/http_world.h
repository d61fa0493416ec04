/*
 * The server over a Unix socket, where bytes can be sent as they are, with a few routes.
 * The TLS side is driven by the end-to-end tests.
 */
#ifndef TESTS_HTTP_WORLD_H
#define TESTS_HTTP_WORLD_H

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
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

static inline void
answer_text(struct http_exchange *x, const char *text)
{
    http_answer(x, 200, "text/plain", text_of(text), NULL);
}

static inline void
echo(struct http_exchange *x)
{
    struct world *w = http_context(x);

    w->served++;
    http_answer(x, 200, "text/plain", http_body(x), NULL);
}

static inline void
query(struct http_exchange *x)
{
    struct world *w = http_context(x);

    w->served++;
    answer_text(x, http_query(x));
}

static inline void
free_state(void *state)
{
    struct world *w = state;

    w->freed++;
}

static inline void
second_step(struct http_exchange *x)
{
    answer_text(x, "later");
}

static inline void *
resume_later(void *arg)
{
    const struct timespec pause = {0, 50 * 1000000};

    nanosleep(&pause, NULL);
    http_resume(arg);
    return NULL;
}

static inline void
suspend(struct http_exchange *x)
{
    struct world *w = http_context(x);

    w->served++;
    http_set_state(x, w, free_state);
    if (w->helper)
        pthread_join(w->helper, NULL); /* of the request before */
    http_suspend(x, second_step);
    pthread_create(&w->helper, NULL, resume_later, x);
}

static inline void
silent(struct http_exchange *x)
{
    (void)x; /* what a step without memory does */
}

static inline void
headers(struct http_exchange *x)
{
    static const char *const extra[] = {"X-Extra: one: two", NULL};

    http_answer(x, 200, "text/plain", text_of(http_header(x, "X-In")), extra);
}

static char large[1 << 20];

/* Sent from where it lies: what the client gets is what stands there by then. */
static inline void
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

static inline void
on_log(const struct http_exchange *x, int status, const char *reason)
{
    struct world *w = http_context(x);

    (void)status;
    (void)reason;
    w->logged++;
}

static inline void
on_refused(const struct http_exchange *x, const char *reason)
{
    struct world *w = http_context(x);

    assert_non_null(reason);
    w->refused++;
}

static inline struct http_options
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

static inline int
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

static inline int
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

static inline int
dial(const struct world *w)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", w->path);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static inline void
send_all(int fd, const char *bytes, size_t len)
{
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* What comes within the time; *closed: the other side has ended. */
static inline size_t
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

#endif
