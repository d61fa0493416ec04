#include "authsvc/http_listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"

enum {
    BACKLOG = 1024
};

static int
open_socket(int family)
{
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static enum mauth_rc
resolve(const char *address, int port, struct addrinfo **out, struct mauth_err *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    char service[16];
    int n;

    snprintf(service, sizeof(service), "%d", port);
    n = getaddrinfo(address, service, &hints, out);
    return n == 0 ? MAUTH_OK
                  : mauth_fail(err, MAUTH_INVALID, "listen on %s port %d: %s", address,
                        port, gai_strerror(n));
}

static int
port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof(a);

    memset(&a, 0, sizeof(a));
    if (getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        return 0;
    if (a.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)(const void *)&a)->sin6_port);
    return ntohs(((const struct sockaddr_in *)(const void *)&a)->sin_port);
}

/* The daemon restarts at once, while old connections are in TIME_WAIT. */
static bool
bind_and_listen(int fd, const struct addrinfo *a)
{
    const int yes = 1;

    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
           bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
}

enum mauth_rc
http_listen_tcp(
    const char *address, int port, struct http_listener *out, struct mauth_err *err)
{
    struct http_listener l = {.fd = -1};
    struct addrinfo *a = NULL;
    enum mauth_rc rc = resolve(address, port, &a, err);

    *out = l;
    if (rc != MAUTH_OK)
        return rc;
    l.fd = open_socket(a->ai_family);
    if (l.fd < 0 || !bind_and_listen(l.fd, a)) {
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "listen on %s port %d: %s", address,
            port, strerror(errno));
        http_listener_clear(&l);
    } else {
        l.port = port_of(l.fd);
        *out = l;
    }
    freeaddrinfo(a);
    return rc;
}

/* What connect() says to one who tries: 0 when somebody listens. */
static int
knock(const struct sockaddr_un *a)
{
    int fd = open_socket(AF_UNIX);
    int e = 0;

    if (fd < 0)
        return errno;
    if (connect(fd, (const struct sockaddr *)a, sizeof(*a)) != 0)
        e = errno;
    close(fd);
    return e;
}

/* A socket that refuses was left by one who died; anything else is not ours to take. */
static enum mauth_rc
remove_stale(const struct sockaddr_un *a, struct mauth_err *err)
{
    struct stat st;
    int e;

    if (lstat(a->sun_path, &st) != 0)
        return errno == ENOENT ? MAUTH_OK
                               : mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s",
                                     a->sun_path, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return mauth_fail(err, MAUTH_CONFLICT, "%s: is no socket", a->sun_path);
    e = knock(a);
    if (e != ECONNREFUSED)
        return mauth_fail(err, MAUTH_CONFLICT, "%s: in use (%s)", a->sun_path,
            e ? strerror(e) : "somebody answers");
    if (unlink(a->sun_path) != 0)
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "%s: %s", a->sun_path, strerror(errno));
    return MAUTH_OK;
}

static bool
remember_file(struct http_listener *l)
{
    struct stat st;

    if (lstat(l->unix_socket, &st) != 0)
        return false;
    l->device = st.st_dev;
    l->inode = st.st_ino;
    return true;
}

/* Nobody can connect before listen(), so the mode is right from the start. */
static enum mauth_rc
bind_unix(struct http_listener *l, const struct sockaddr_un *a, struct mauth_err *err)
{
    l->fd = open_socket(AF_UNIX);
    if (l->fd < 0 || bind(l->fd, (const struct sockaddr *)a, sizeof(*a)) != 0)
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "%s: %s", a->sun_path, strerror(errno));
    l->unix_socket = strdup(a->sun_path);
    if (!l->unix_socket)
        return mauth_fail(err, MAUTH_NO_MEMORY, "http: no memory");
    if (!remember_file(l) || chmod(a->sun_path, FILE_PRIVATE) != 0 ||
        listen(l->fd, BACKLOG) != 0)
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "%s: %s", a->sun_path, strerror(errno));
    return MAUTH_OK;
}

enum mauth_rc
http_listen_unix(const char *path, struct http_listener *out, struct mauth_err *err)
{
    struct http_listener l = {.fd = -1};
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    enum mauth_rc rc;

    *out = l;
    if (strlen(path) >= sizeof(a.sun_path))
        return mauth_fail(err, MAUTH_INVALID, "%s: too long for a socket", path);
    memcpy(a.sun_path, path, strlen(path));
    rc = remove_stale(&a, err);
    if (rc == MAUTH_OK)
        rc = bind_unix(&l, &a, err);
    if (rc == MAUTH_OK)
        *out = l;
    else
        http_listener_clear(&l);
    return rc;
}

void
http_listener_shut(const struct http_listener *l)
{
    shutdown(l->fd, SHUT_RDWR);
}

/* Another daemon may have put its own socket there by now. */
static void
remove_file(const struct http_listener *l)
{
    struct stat st;

    if (lstat(l->unix_socket, &st) == 0 && st.st_dev == l->device &&
        st.st_ino == l->inode)
        unlink(l->unix_socket);
}

void
http_listener_clear(struct http_listener *l)
{
    if (l->unix_socket)
        remove_file(l);
    free(l->unix_socket);
    if (l->fd >= 0)
        close(l->fd);
    memset(l, 0, sizeof(*l));
    l->fd = -1;
}

bool
http_peer_admitted(int fd, uid_t *uid)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    *uid = (uid_t)-1;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 ||
        len != sizeof(peer))
        return false;
    *uid = peer.uid;
    return peer.uid == 0 || peer.uid == geteuid();
}
