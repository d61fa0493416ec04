#include "tests/bench/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/fail.h"
#include "tests/bench/bench.h"
#include "tests/bench/wire.h"

enum {
    REQUEST_MAX = 4096,
    ANSWER_MAX = 65536,
    EVENTS = 64,
    STALL_MS = 10000, /* nothing at all for so long: give up */
};

struct connection {
    SSL *ssl;
    size_t next; /* token */
    int64_t asked_ns;
    size_t have;
    size_t need; /* of the answer; 0 while its header is incomplete */
    char answer[ANSWER_MAX];
};

struct run {
    const struct bench_load *load;
    struct bench_load_result *result;
    struct connection *connection;
    int epoll;
    size_t live;
    bool measuring;
    bool out_of_tokens;
};

static void
complain(struct run *r, const char *what, const char *detail, size_t len)
{
    char quoted[160];

    if (r->result->errors++ == 0)
        snprintf(r->result->complaint, sizeof(r->result->complaint), "%s%s%s", what,
            len ? ": " : "", mauth_quote(detail, len, quoted, sizeof(quoted)));
}

static void
hang_up(struct run *r, struct connection *c)
{
    wire_hang_up(c->ssl);
    c->ssl = NULL;
    r->live--;
}

/* Sends the exchange of the connection's next token. */
static void
ask(struct run *r, struct connection *c)
{
    char request[REQUEST_MAX];
    struct text token;
    int n;

    if (c->next >= bench_tokens_count(r->load->tokens)) {
        r->out_of_tokens = true;
        return;
    }
    token = bench_token(r->load->tokens, c->next);
    c->next += r->load->connections;
    n = (int)wire_exchange(r->load->port, token, request, sizeof(request));
    c->have = c->need = 0;
    c->asked_ns = bench_now_ns();
    /* Nothing else is under way: it always fits into the socket's buffer. */
    if (SSL_write(c->ssl, request, n) != n) {
        complain(r, "a request could not be sent", "", 0);
        hang_up(r, c);
    }
}

static void
take_answer(struct run *r, struct connection *c)
{
    static const char good[] = "HTTP/1.1 200 ";
    double ms = (double)(bench_now_ns() - c->asked_ns) / 1e6;

    if (strncmp(c->answer, good, sizeof(good) - 1) != 0 ||
        !memmem(c->answer, c->have, "\"access_token\"", 14))
        complain(r, "an answer that is none", c->answer, c->have);
    else if (r->measuring)
        r->result->latency_ms[r->result->exchanges++] = ms;
    ask(r, c);
}

static void
receive(struct run *r, struct connection *c)
{
    for (;;) {
        int room = (int)(sizeof(c->answer) - 1 - c->have);
        int n = room > 0 ? SSL_read(c->ssl, c->answer + c->have, room) : 0;

        if (n <= 0 && room > 0 && SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ)
            return;
        if (n <= 0) {
            complain(r, "a connection broke", c->answer, c->have);
            hang_up(r, c);
            return;
        }
        c->have += (size_t)n;
        c->answer[c->have] = '\0';
        if (!c->need)
            c->need = wire_answer_length(c->answer, c->have);
        if (c->need && c->have >= c->need) {
            take_answer(r, c);
            return;
        }
    }
}

static bool
dial(struct run *r, struct connection *c, SSL_CTX *tls, size_t i)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

    c->next = i;
    c->ssl = wire_dial(tls, r->load->port, i);
    if (!c->ssl)
        return false;
    r->live++;
    return fcntl(SSL_get_fd(c->ssl), F_SETFL, O_NONBLOCK) == 0 &&
           epoll_ctl(r->epoll, EPOLL_CTL_ADD, SSL_get_fd(c->ssl), &event) == 0;
}

static enum mauth_rc
dial_all(struct run *r, struct mauth_err *err)
{
    SSL_CTX *tls = wire_tls(r->load->ca_file);
    bool good = tls != NULL;

    for (size_t i = 0; good && i < r->load->connections; i++)
        good = dial(r, &r->connection[i], tls, i);
    SSL_CTX_free(tls);
    if (!good)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no TLS connection to be had");
    return MAUTH_OK;
}

static double
cpu_s(clockid_t clock)
{
    struct timespec ts = {0};

    clock_gettime(clock, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Works on whatever comes until then; false when nothing does any more. */
static bool
work_until(struct run *r, int64_t end_ns)
{
    struct epoll_event events[EVENTS];

    while (bench_now_ns() < end_ns && !r->out_of_tokens) {
        int n = epoll_wait(r->epoll, events, EVENTS, STALL_MS);

        if (n == 0 || r->live == 0 || (n < 0 && errno != EINTR))
            return false;
        for (int i = 0; i < n; i++)
            receive(r, events[i].data.ptr);
    }
    return true;
}

static enum mauth_rc
measure(struct run *r, clockid_t server, struct mauth_err *err)
{
    struct bench_load_result *result = r->result;
    int64_t start = bench_now_ns();

    for (size_t i = 0; i < r->load->connections; i++)
        ask(r, &r->connection[i]);
    if (!work_until(r, start + (int64_t)(r->load->warm_up_s * 1e9)))
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: the server does not answer");
    start = bench_now_ns();
    r->measuring = true;
    result->server_cpu_s = -cpu_s(server);
    result->client_cpu_s = -cpu_s(CLOCK_THREAD_CPUTIME_ID);
    if (!work_until(r, start + (int64_t)(r->load->seconds * 1e9)))
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: the server does not answer");
    result->seconds = (double)(bench_now_ns() - start) / 1e9;
    result->server_cpu_s += cpu_s(server);
    result->client_cpu_s += cpu_s(CLOCK_THREAD_CPUTIME_ID);
    if (!result->exchanges)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no good answer at all; %s",
            result->errors ? result->complaint : "the ID tokens were used up");
    return MAUTH_OK;
}

enum mauth_rc
bench_load_run(
    const struct bench_load *load, struct bench_load_result *out, struct mauth_err *err)
{
    struct run r = {.load = load, .result = out, .epoll = -1};
    clockid_t server;
    enum mauth_rc rc = MAUTH_OK;

    memset(out, 0, sizeof(*out));
    out->latency_ms = calloc(bench_tokens_count(load->tokens), sizeof(double));
    r.connection = calloc(load->connections, sizeof(*r.connection));
    r.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!out->latency_ms || !r.connection || r.epoll < 0)
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    else if (clock_getcpuclockid(load->server, &server) != 0)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "bench: the server's CPU time");
    if (rc == MAUTH_OK)
        rc = dial_all(&r, err);
    if (rc == MAUTH_OK)
        rc = measure(&r, server, err);
    for (size_t i = 0; r.connection && i < load->connections; i++)
        if (r.connection[i].ssl)
            hang_up(&r, &r.connection[i]);
    free(r.connection);
    if (r.epoll >= 0)
        close(r.epoll);
    return rc;
}
