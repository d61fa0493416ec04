/* A server on a Unix socket, and a client that asks it one thing at a time. */
#ifndef TESTS_PLAIN_HTTP_H
#define TESTS_PLAIN_HTTP_H

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "authsvc/http.h"
#include "tests/unit/unit.h"

struct plain_http {
    char dir[64];
    char path[96];
    struct http_server *server;
};

/* o has routes, context and callbacks; the rest is filled in here. */
static inline void
plain_start(struct plain_http *p, struct http_options o)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    strcpy(p->dir, "/tmp/meshauth-test.XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->path, sizeof(p->path), "%s/socket", p->dir);
    o.unix_socket = p->path;
    o.threads = 1;
    o.connections = o.connections_per_ip = 4;
    o.request_s = o.idle_s = 5;
    if (http_start(&o, &p->server, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
}

static inline void
plain_stop(struct plain_http *p)
{
    http_stop(p->server, 1000);
    rmdir(p->dir);
}

/* Sends the request line's target and further headers; the whole answer. */
static inline void
plain_ask(const struct plain_http *p, const char *method, const char *target,
    const char *headers, char *out, size_t cap)
{
    const struct timeval patience = {5, 0};
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    size_t len = 0;
    ssize_t n;

    strcpy(a.sun_path, p->path);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
    assert_true(dprintf(fd, "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n",
                    method, target, headers) > 0);
    while ((n = recv(fd, out + len, cap - len - 1, 0)) > 0)
        len += (size_t)n;
    assert_int_equal(n, 0);
    out[len] = '\0';
    close(fd);
}

#endif
