#include "tests/bench/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <openssl/x509.h>

#include "base/fail.h"
#include "tests/bench/bench.h"
#include "tests/bench/wire.h"

enum {
    REQUEST_MAX = 16 << 10,
    ANSWER_MAX = 65536,
    EVENTS = 64,
    STALL_MS = 10000, /* nothing at all for so long: give up */
};

struct connection {
    SSL *ssl;
    size_t number;
    bool waits; /* for an answer */
    int64_t asked_ns;
    size_t have;
    size_t need; /* of the answer; 0 while its header is incomplete */
    char answer[ANSWER_MAX];
};

struct bench_load {
    int port;
    clockid_t server;
    int epoll;
    size_t count;
    struct connection *connection;

    /* Of a turn. */
    const struct bench_asker *asker;
    struct bench_load_result *result;
    size_t waiting; /* connections with a request under way */
    bool asking;    /* ... and another one after that */
};

static void
complain(struct bench_load *l, const char *what, const char *detail, size_t len)
{
    struct bench_load_result *r = l->result;
    char quoted[160];

    if (r->errors++ == 0)
        snprintf(r->complaint, sizeof(r->complaint), "%s%s%s", what, len ? ": " : "",
            mauth_quote(detail, len, quoted, sizeof(quoted)));
}

static void
hang_up(struct bench_load *l, struct connection *c)
{
    wire_hang_up(c->ssl);
    c->ssl = NULL;
    l->waiting -= c->waits;
    c->waits = false;
}

static void
ask(struct bench_load *l, struct connection *c)
{
    char request[REQUEST_MAX];
    size_t len = l->asker->write(l->asker->arg, c->number, request, sizeof(request));

    if (!len || len >= sizeof(request)) {
        l->asking = false;
        return;
    }
    c->have = c->need = 0;
    c->waits = true;
    l->waiting++;
    c->asked_ns = bench_now_ns();
    /* Nothing else is under way: it always fits into the socket's buffer. */
    if (SSL_write(c->ssl, request, (int)len) != (int)len) {
        complain(l, "a request could not be sent", "", 0);
        hang_up(l, c);
    }
}

static bool
make_room(struct bench_load_result *r)
{
    size_t room = r->room ? 2 * r->room : 4096;
    double *more;

    if (r->exchanges < r->room)
        return true;
    more = realloc(r->latency_ms, room * sizeof(*more));
    if (!more)
        return false;
    r->latency_ms = more;
    r->room = room;
    return true;
}

static bool
is_good(const struct bench_asker *asker, const char *answer)
{
    char status[24];
    int len = snprintf(
        status, sizeof(status), "HTTP/1.1 %d ", asker->status ? asker->status : 200);

    return strncmp(answer, status, (size_t)len) == 0 && strstr(answer, asker->want);
}

static void
take_answer(struct bench_load *l, struct connection *c)
{
    double ms = (double)(bench_now_ns() - c->asked_ns) / 1e6;

    c->waits = false;
    l->waiting--;
    if (!is_good(l->asker, c->answer))
        complain(l, "an answer that is none", c->answer, c->have);
    else if (make_room(l->result)) {
        l->result->latency_ms[l->result->exchanges++] = ms;
        if (l->asker->took)
            l->asker->took(l->asker->arg, c->number, c->answer);
    }
    if (l->asking)
        ask(l, c);
}

static void
receive(struct bench_load *l, struct connection *c)
{
    for (;;) {
        int room = (int)(sizeof(c->answer) - 1 - c->have);
        int n = room > 0 ? SSL_read(c->ssl, c->answer + c->have, room) : 0;

        if (n <= 0 && room > 0 && SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ)
            return;
        if (n <= 0) {
            complain(l, "a connection broke", c->answer, c->have);
            hang_up(l, c);
            return;
        }
        c->have += (size_t)n;
        c->answer[c->have] = '\0';
        if (!c->need)
            c->need = wire_answer_length(c->answer, c->have);
        if (c->need && c->have >= c->need) {
            take_answer(l, c);
            return;
        }
    }
}

static bool
set_blocking(const struct connection *c, bool blocking)
{
    return fcntl(SSL_get_fd(c->ssl), F_SETFL, blocking ? 0 : O_NONBLOCK) == 0;
}

static bool
dial(struct bench_load *l, SSL_CTX *tls, size_t i)
{
    struct connection *c = &l->connection[i];
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

    c->number = i;
    c->ssl = wire_dial(tls, l->port, i);
    return c->ssl && set_blocking(c, false) &&
           epoll_ctl(l->epoll, EPOLL_CTL_ADD, SSL_get_fd(c->ssl), &event) == 0;
}

enum mauth_rc
bench_load_open(int port, const char *ca_file, pid_t server, size_t connections,
    struct bench_load **out, struct mauth_err *err)
{
    struct bench_load *l = calloc(1, sizeof(*l));
    SSL_CTX *tls = wire_tls(ca_file);
    bool good;

    *out = NULL;
    if (!l) {
        SSL_CTX_free(tls);
        return mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    }
    l->port = port;
    l->count = connections;
    l->connection = calloc(connections, sizeof(*l->connection));
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    good = tls && l->connection && l->epoll >= 0 &&
           clock_getcpuclockid(server, &l->server) == 0;
    for (size_t i = 0; good && i < connections; i++)
        good = dial(l, tls, i);
    SSL_CTX_free(tls);
    if (!good) {
        bench_load_close(l);
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no TLS connection to be had");
    }
    *out = l;
    return MAUTH_OK;
}

void
bench_load_close(struct bench_load *l)
{
    if (!l)
        return;
    for (size_t i = 0; l->connection && i < l->count; i++)
        wire_hang_up(l->connection[i].ssl);
    free(l->connection);
    if (l->epoll >= 0)
        close(l->epoll);
    free(l);
}

int
bench_load_ask(struct bench_load *l, size_t connection, const char *request, size_t len,
    char *answer, size_t max)
{
    struct connection *c = &l->connection[connection];
    int status = 0;

    if (c->ssl && set_blocking(c, true)) {
        status = wire_ask(c->ssl, request, len, answer, max);
        if (!set_blocking(c, false))
            status = 0;
    }
    return status;
}

size_t
bench_load_key(
    const struct bench_load *l, size_t connection, uint8_t out[MAUTH_SPKI_MAX])
{
    EVP_PKEY *key = SSL_get_privatekey(l->connection[connection].ssl);
    unsigned char *at = out;
    int len = i2d_PUBKEY(key, NULL);

    if (len <= 0 || len > MAUTH_SPKI_MAX)
        return 0;
    return (size_t)i2d_PUBKEY(key, &at);
}

static double
cpu_s(clockid_t clock)
{
    struct timespec ts = {0};

    clock_gettime(clock, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Works on whatever comes; false when nothing does any more. */
static bool
work(struct bench_load *l, int64_t end_ns)
{
    struct epoll_event events[EVENTS];

    while (l->waiting) {
        int n = epoll_wait(l->epoll, events, EVENTS, STALL_MS);

        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        l->asking = l->asking && bench_now_ns() < end_ns;
        for (int i = 0; i < n; i++)
            receive(l, events[i].data.ptr);
    }
    return true;
}

enum mauth_rc
bench_load_turn(struct bench_load *l, const struct bench_asker *asker, double seconds,
    struct bench_load_result *result, struct mauth_err *err)
{
    int64_t start = bench_now_ns();
    bool good;

    l->asker = asker;
    l->result = result;
    l->asking = true;
    result->server_cpu_s -= cpu_s(l->server);
    result->client_cpu_s -= cpu_s(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < l->count && l->asking; i++)
        if (l->connection[i].ssl)
            ask(l, &l->connection[i]);
    good = work(l, start + (int64_t)(seconds * 1e9));
    result->seconds += (double)(bench_now_ns() - start) / 1e9;
    result->server_cpu_s += cpu_s(l->server);
    result->client_cpu_s += cpu_s(CLOCK_THREAD_CPUTIME_ID);
    if (!good)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: the server does not answer");
    if (!result->exchanges)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no good answer at all; %s",
            result->errors ? result->complaint : "there was nothing to ask");
    return MAUTH_OK;
}
