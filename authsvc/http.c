#include "authsvc/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "authsvc/http_server.h"
#include "base/fail.h"
#include "base/secret.h"
#include "base/time.h"

enum {
    /* Headers up to 60,000 bytes of credential. (All of it is zeroed for each request:
     * 96 KiB took 1 us more.) */
    CONNECTION_MEMORY = 72 * 1024,
    TICK_MS = 250,
    POLL_MS = 5
};

static const union MHD_ConnectionInfo *
info(struct MHD_Connection *c, enum MHD_ConnectionInfoType what)
{
    return MHD_get_connection_info(c, what);
}

static void
name_client(const struct sockaddr *a, char *out, socklen_t size)
{
    const void *bytes = NULL;

    if (a->sa_family == AF_INET)
        bytes = &((const struct sockaddr_in *)(const void *)a)->sin_addr;
    else if (a->sa_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
    if (!bytes || !inet_ntop(a->sa_family, bytes, out, size))
        snprintf(out, size, "unknown");
}

static struct http_connection *
connection_open(struct http_server *s, struct MHD_Connection *c)
{
    struct http_connection *h = calloc(1, sizeof(*h));
    int fd = info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;

    if (!h)
        return NULL; /* its requests are refused for want of it */
    h->uid = (uid_t)-1;
    if (s->tls) {
        h->session = info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
        http_tls_prepare(s->tls, h->session, fd, &h->way);
        name_client(info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr, h->client,
            sizeof(h->client));
        h->admitted = true;
    } else {
        snprintf(h->client, sizeof(h->client), "unix");
        h->admitted = http_peer_admitted(fd, &h->uid);
    }
    janitor_watch(s->janitor, &h->lease, fd, s->o.request_s * 1000);
    return h;
}

static void
connection_close(struct http_server *s, struct http_connection *h)
{
    if (!h)
        return;
    janitor_leave(s->janitor, &h->lease);
    mauth_key_free(h->key);
    free(h);
}

/* The library closes the socket after it has told us of the end. */
static void
on_connection(void *cls, struct MHD_Connection *c, void **context,
    enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *context = connection_open(cls, c);
    else
        connection_close(cls, *context);
}

/* What the library has to say is of handshakes and requests that strangers broke. */
static void
say_nothing(void *cls, const char *format, va_list ap)
{
    (void)cls;
    (void)format;
    (void)ap;
}

static enum mauth_rc
open_parts(struct http_server *s, struct mauth_err *err)
{
    const struct http_options *o = &s->o;
    enum mauth_rc rc = janitor_new(TICK_MS, &s->janitor, err);

    if (rc == MAUTH_OK && !o->unix_socket)
        rc = http_tls_new(o->certificate_file, o->key_file, &s->tls, err);
    if (rc == MAUTH_OK)
        rc = o->unix_socket ? http_listen_unix(o->unix_socket, &s->listener, err)
                            : http_listen_tcp(o->address, o->port, &s->listener, err);
    return rc;
}

/* A function's address in an option's value, as the library wants it. */
#define OPTION_FUNCTION(name, function, closure) \
    {                                            \
        name, (intptr_t)(function), (closure)    \
    }
#define OPTION_VALUE(name, number)     \
    {                                  \
        name, (intptr_t)(number), NULL \
    }
#define OPTION_POINTER(name, pointer) \
    {                                 \
        name, 0, (pointer)            \
    }

static enum mauth_rc
start_daemon(struct http_server *s, struct mauth_err *err)
{
    static char priorities[] = HTTP_TLS_PRIORITIES;
    const struct http_options *o = &s->o;
    unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ITC |
                     MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem options[] = {
        OPTION_FUNCTION(MHD_OPTION_EXTERNAL_LOGGER, say_nothing, NULL),
        OPTION_VALUE(MHD_OPTION_LISTEN_SOCKET, s->listener.fd),
        OPTION_VALUE(MHD_OPTION_CONNECTION_LIMIT, o->connections),
        OPTION_VALUE(MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->connections_per_ip),
        OPTION_VALUE(MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY),
        OPTION_VALUE(MHD_OPTION_STRICT_FOR_CLIENT, 1),
        OPTION_FUNCTION(MHD_OPTION_NOTIFY_CONNECTION, on_connection, s),
        OPTION_FUNCTION(MHD_OPTION_URI_LOG_CALLBACK, http_exchange_begin, s),
        OPTION_FUNCTION(MHD_OPTION_NOTIFY_COMPLETED, http_exchange_end, s),
        OPTION_VALUE(MHD_OPTION_END, 0), /* one thread needs no pool */
        OPTION_VALUE(MHD_OPTION_END, 0), /* TLS takes the next two */
        OPTION_VALUE(MHD_OPTION_END, 0),
        OPTION_VALUE(MHD_OPTION_END, 0),
    };
    size_t n = sizeof(options) / sizeof(*options) - 4;

    if (o->threads > 1)
        options[n++] = (struct MHD_OptionItem)OPTION_VALUE(
            MHD_OPTION_THREAD_POOL_SIZE, o->threads);
    if (s->tls) {
        flags |= MHD_USE_TLS;
        options[n++] = (struct MHD_OptionItem)OPTION_POINTER(
            MHD_OPTION_HTTPS_PRIORITIES, priorities);
        options[n++] = (struct MHD_OptionItem)OPTION_POINTER(
            MHD_OPTION_HTTPS_CERT_CALLBACK2, (void *)http_tls_certificate);
    }
    s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, http_exchange_go_on, s,
        MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    return s->daemon ? MAUTH_OK
                     : mauth_fail(err, MAUTH_UNAVAILABLE,
                           "http: the server did not start (see limits.*)");
}

static void
server_free(struct http_server *s)
{
    http_listener_clear(&s->listener);
    janitor_free(s->janitor);
    http_tls_free(s->tls);
    free(s);
}

enum mauth_rc
http_start(
    const struct http_options *o, struct http_server **out, struct mauth_err *err)
{
    struct http_server *s = calloc(1, sizeof(*s));
    enum mauth_rc rc;

    *out = NULL;
    if (!s)
        return mauth_fail(err, MAUTH_NO_MEMORY, "http: no memory");
    s->o = *o;
    s->listener.fd = -1;
    rc = mauth_random(&s->seed, sizeof(s->seed), err);
    if (rc == MAUTH_OK)
        rc = open_parts(s, err);
    if (rc == MAUTH_OK)
        rc = start_daemon(s, err);
    if (rc == MAUTH_OK)
        *out = s;
    else
        server_free(s);
    return rc;
}

int
http_port(const struct http_server *s)
{
    return s->listener.port;
}

enum mauth_rc
http_reload_certificate(struct http_server *s, struct mauth_err *err)
{
    return http_tls_reload(s->tls, err);
}

static void
wait_until_zero(const _Atomic size_t *count, int64_t timeout_ms)
{
    const struct timespec pause = {0, POLL_MS * 1000000L};
    int64_t end_ms = time_monotonic_ms() + timeout_ms;

    while (atomic_load(count) > 0 && time_monotonic_ms() < end_ms)
        nanosleep(&pause, NULL);
}

/*
 * The library aborts when it is stopped while a request is suspended. So once the
 * time is over nothing begins anew, and what is suspended is waited for: commits
 * and fetches end by themselves.
 */
void
http_stop(struct http_server *s, int64_t timeout_ms)
{
    if (!s)
        return;
    atomic_store(&s->draining, true);
    MHD_quiesce_daemon(s->daemon);
    http_listener_shut(&s->listener);
    wait_until_zero(&s->running, timeout_ms);
    atomic_store(&s->closing, true);
    wait_until_zero(&s->busy, INT64_MAX / 2);
    MHD_stop_daemon(s->daemon);
    server_free(s);
}
