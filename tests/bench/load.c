#include "tests/bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/fail.h"
#include "tests/bench/bench.h"
#include "tests/bench/device.h"

enum {
    REQUEST_MAX = 4096,
    ANSWER_MAX = 65536,
    EVENTS = 64,
    STALL_MS = 10000, /* nothing at all for so long: give up */
};

static const char form[] =
    "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange"
    "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token"
    "&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Asaml2"
    "&subject_token=";

struct connection {
    int fd;
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
    SSL_free(c->ssl);
    if (c->fd >= 0)
        close(c->fd);
    c->ssl = NULL;
    c->fd = -1;
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
    n = snprintf(request, sizeof(request),
        "POST /v1/token HTTP/1.1\r\n"
        "Host: 127.0.0.1:%d\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: %zu\r\n\r\n%s%.*s",
        r->load->port, sizeof(form) - 1 + token.len, form, (int)token.len, token.p);
    c->have = c->need = 0;
    c->asked_ns = bench_now_ns();
    /* Nothing else is under way: it always fits into the socket's buffer. */
    if (SSL_write(c->ssl, request, n) != n) {
        complain(r, "a request could not be sent", "", 0);
        hang_up(r, c);
    }
}

/* How long the answer is, once its header is there. */
static size_t
answer_length(const struct connection *c)
{
    static const char name[] = "\r\nContent-Length:";
    const char *end = memmem(c->answer, c->have, "\r\n\r\n", 4), *field;
    struct text head = {c->answer, end ? (size_t)(end - c->answer) : 0};

    for (; head.len >= sizeof(name); head.p++, head.len--) {
        if (strncasecmp(head.p, name, sizeof(name) - 1) != 0)
            continue;
        field = head.p + sizeof(name) - 1;
        return (size_t)(end - c->answer) + 4 + strtoul(field, NULL, 10);
    }
    return 0;
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
            c->need = answer_length(c);
        if (c->need && c->have >= c->need) {
            take_answer(r, c);
            return;
        }
    }
}

static bool
dial(struct run *r, struct connection *c, SSL_CTX *tls, size_t i)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
        .sin_port = htons((uint16_t)r->load->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int one = 1;

    c->next = i;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    c->ssl = SSL_new(tls);
    r->live++;
    return c->fd >= 0 && c->ssl && device_present(c->ssl, i) &&
           X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(c->ssl), "127.0.0.1") == 1 &&
           connect(c->fd, (const struct sockaddr *)&to, sizeof(to)) == 0 &&
           setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0 &&
           SSL_set_fd(c->ssl, c->fd) == 1 && SSL_connect(c->ssl) == 1 &&
           fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0 &&
           epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->fd, &event) == 0;
}

static enum mauth_rc
dial_all(struct run *r, struct mauth_err *err)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    bool good = tls && SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) == 1 &&
                SSL_CTX_load_verify_file(tls, r->load->ca_file) == 1;

    if (good)
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
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
