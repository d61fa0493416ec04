#include "cli/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"

#define PATH "/callback"

struct client {
    int fd; /* -1: free */
    int64_t until_ms;
    size_t len;
    char head[LOOPBACK_HEAD_MAX]; /* may hold a code */
};

struct loopback {
    int fd;
    char url[64];
    const char *authority; /* in authority_text */
    char authority_text[32];
    struct client client[LOOPBACK_CLIENTS];
};

/* Listening. */

static int
listen_on(const struct sockaddr *address, socklen_t len)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && bind(fd, address, len) == 0 && listen(fd, LOOPBACK_CLIENTS) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* The port that the system has picked. */
static void
name(struct loopback *l, bool six)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } a = {.six.sin6_port = 0};
    socklen_t len = sizeof(a);
    int port = 0;

    if (getsockname(l->fd, &a.any, &len) == 0)
        port = ntohs(six ? a.six.sin6_port : a.four.sin_port);
    snprintf(l->authority_text, sizeof(l->authority_text), "%s:%d",
        six ? "[::1]" : "127.0.0.1", port);
    l->authority = l->authority_text;
    snprintf(l->url, sizeof(l->url), "http://%s" PATH, l->authority);
}

enum mauth_rc
loopback_open(struct loopback **out, struct mauth_err *err)
{
    const struct sockaddr_in four = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct sockaddr_in6 six = {
        .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct loopback *l = calloc(1, sizeof(*l));
    bool is_six;

    *out = NULL;
    if (!l)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    for (size_t i = 0; i < LOOPBACK_CLIENTS; i++)
        l->client[i].fd = -1;
    l->fd = listen_on((const struct sockaddr *)&four, sizeof(four));
    is_six = l->fd < 0;
    if (is_six)
        l->fd = listen_on((const struct sockaddr *)&six, sizeof(six));
    if (l->fd < 0) {
        free(l);
        return mauth_fail(err, MAUTH_UNAVAILABLE,
            "cannot listen on loopback, for the browser to come back to: %s",
            strerror(errno));
    }
    name(l, is_six);
    *out = l;
    return MAUTH_OK;
}

const char *
loopback_url(const struct loopback *l)
{
    return l->url;
}

static void
drop(struct client *c)
{
    if (c->fd < 0)
        return;
    close(c->fd);
    c->fd = -1;
    mauth_wipe(c->head, c->len);
}

void
loopback_close(struct loopback *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < LOOPBACK_CLIENTS; i++)
        drop(&l->client[i]);
    close(l->fd);
    free(l);
}

/* Judging. */

/* A line without its end; false when there is none, or it holds what no line may. */
static bool
take_line(struct text *rest, struct text *out)
{
    if (!text_cut(rest, '\n', out) || !out->len || out->p[out->len - 1] != '\r')
        return false;
    out->len--;
    for (size_t i = 0; i < out->len; i++)
        if (((unsigned char)out->p[i] < 0x20 && out->p[i] != '\t') || out->p[i] == 0x7f)
            return false;
    return true;
}

/* Exactly one Host, which is ours. */
static bool
is_for_us(struct text headers, const char *authority)
{
    static const char host[] = "host:";
    struct text line;
    size_t hosts = 0;

    while (take_line(&headers, &line) && line.len) {
        if (line.len < sizeof(host) - 1 ||
            strncasecmp(line.p, host, sizeof(host) - 1) != 0)
            continue;
        line.p += sizeof(host) - 1;
        line.len -= sizeof(host) - 1;
        while (line.len && *line.p == ' ')
            line.p++, line.len--;
        if (hosts++ || !text_is(line, authority))
            return false;
    }
    return hosts == 1 && !headers.len; /* all lines were good, and nothing follows */
}

enum loopback_verdict
loopback_judge(struct text head, const char *authority, struct text *query)
{
    struct text rest = head, line, target, path;

    *query = text_of(NULL);
    if (!memmem(head.p, head.len, "\r\n\r\n", 4))
        return head.len < LOOPBACK_HEAD_MAX ? LOOPBACK_MORE : LOOPBACK_BAD;
    if (!take_line(&rest, &line) || !text_starts(line, "GET /"))
        return LOOPBACK_BAD;
    line.p += strlen("GET ");
    line.len -= strlen("GET ");
    if (!text_cut(&line, ' ', &target) ||
        (!text_is(line, "HTTP/1.1") && !text_is(line, "HTTP/1.0")) ||
        !is_for_us(rest, authority))
        return LOOPBACK_BAD;
    if (!text_cut(&target, '?', &path) || !text_is(path, PATH))
        return LOOPBACK_ELSE;
    *query = target;
    return LOOPBACK_CAME;
}

/* Waiting. */

static void
answer(int fd, enum loopback_verdict verdict)
{
    static const struct {
        const char *status, *text;
    } pages[] = {
        [LOOPBACK_CAME] = {"200 OK",
            "The provider's answer has arrived. You may close this window.\n"},
        [LOOPBACK_ELSE] = {"404 Not Found", "There is nothing here.\n"},
        [LOOPBACK_BAD] = {"400 Bad Request", "This is not for us.\n"},
    };
    const char *text = pages[verdict].text;
    char page[512];
    int len = snprintf(page, sizeof(page),
        "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Length: %zu\r\nConnection: close\r\nCache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\r\n%s",
        pages[verdict].status, strlen(text), text);

    /* It fits into any socket's buffer; whoever does not read it does without. */
    if (send(fd, page, (size_t)len, MSG_NOSIGNAL) == len)
        shutdown(fd, SHUT_WR);
}

static void
welcome(struct loopback *l, int64_t now_ms)
{
    int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    for (size_t i = 0; i < LOOPBACK_CLIENTS && fd >= 0; i++) {
        struct client *c = &l->client[i];

        if (c->fd >= 0)
            continue;
        c->fd = fd;
        c->len = 0;
        c->until_ms = now_ms + LOOPBACK_CLIENT_MS;
        return;
    }
    if (fd >= 0)
        close(fd);
}

/* What has come in; true when it is what we wait for. */
static bool
hear(struct loopback *l, struct client *c, struct buf *query)
{
    ssize_t n = recv(c->fd, c->head + c->len, sizeof(c->head) - c->len, 0);
    enum loopback_verdict verdict;
    struct text found;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        drop(c);
        return false;
    }
    c->len += (size_t)n;
    verdict = loopback_judge((struct text){c->head, c->len}, l->authority, &found);
    if (verdict == LOOPBACK_MORE)
        return false;
    if (verdict == LOOPBACK_CAME)
        buf_text(query, found);
    answer(c->fd, verdict);
    drop(c);
    return verdict == LOOPBACK_CAME;
}

/* One look at everybody, at most until then. */
static bool
look(struct loopback *l, int64_t until_ms, struct buf *query)
{
    struct pollfd p[LOOPBACK_CLIENTS + 1];
    int64_t now_ms = time_monotonic_ms(), next_ms = until_ms;
    bool full = true, came = false;

    for (size_t i = 0; i < LOOPBACK_CLIENTS; i++) {
        struct client *c = &l->client[i];

        if (c->fd >= 0 && now_ms >= c->until_ms)
            drop(c);
        p[i] = (struct pollfd){.fd = c->fd, .events = POLLIN};
        full = full && c->fd >= 0;
        if (c->fd >= 0 && c->until_ms < next_ms)
            next_ms = c->until_ms;
    }
    p[LOOPBACK_CLIENTS] =
        (struct pollfd){.fd = full ? -1 : l->fd, .events = POLLIN}; /* they queue */
    if (poll(p, LOOPBACK_CLIENTS + 1, next_ms > now_ms ? (int)(next_ms - now_ms) : 0) <=
        0)
        return false;
    for (size_t i = 0; i < LOOPBACK_CLIENTS && !came; i++)
        if (p[i].fd >= 0 && p[i].revents)
            came = hear(l, &l->client[i], query);
    if (!came && p[LOOPBACK_CLIENTS].revents)
        welcome(l, now_ms);
    return came;
}

enum mauth_rc
loopback_wait(
    struct loopback *l, int64_t timeout_ms, struct buf *query, struct mauth_err *err)
{
    int64_t until_ms = time_monotonic_ms() + timeout_ms;

    while (time_monotonic_ms() < until_ms)
        if (look(l, until_ms, query))
            return buf_ok(query) ? MAUTH_OK
                                 : mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    return mauth_fail(
        err, MAUTH_EXPIRED, "no browser has come back from the provider in time");
}
