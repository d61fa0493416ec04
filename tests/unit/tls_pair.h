/* A server's and a client's end of a TLS connection, over a socketpair and in one
 * thread; ours as libmicrohttpd drives it. Asserts nothing, so that any thread may. */
#ifndef TESTS_TLS_PAIR_H
#define TESTS_TLS_PAIR_H

#include <sys/socket.h>
#include <unistd.h>

#include "authsvc/http_tls.h"
#include "tests/unit/identity.h"

enum {
    PAIR_STEPS = 1000 /* of a handshake; a handful is enough */
};

/* Both ends of one connection. */
struct pair {
    int fd[2];
    gnutls_session_t server;
    struct http_tls_way way; /* of the server's records */
    gnutls_session_t client;
    gnutls_certificate_credentials_t credentials; /* the client's */
    int server_rc, client_rc;                     /* how the handshake ended */
};

static inline bool
pair_open_end(gnutls_session_t *session, unsigned flags, const char *priorities,
    gnutls_certificate_credentials_t credentials, int fd)
{
    if (gnutls_init(session, flags | GNUTLS_NONBLOCK) != 0 ||
        gnutls_priority_set_direct(*session, priorities, NULL) != 0 ||
        gnutls_credentials_set(*session, GNUTLS_CRD_CERTIFICATE, credentials) != 0)
        return false;
    gnutls_transport_set_int(*session, fd);
    return true;
}

/* With a client that has the certificate of who, or none. */
static inline void
pair_open(gnutls_certificate_credentials_t server, struct http_tls *tls, struct pair *p,
    const char *priorities, const struct identity *who)
{
    gnutls_x509_crt_t certificate = who ? who->certificate : NULL;

    memset(p, 0, sizeof(*p));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p->fd) !=
            0 ||
        gnutls_certificate_allocate_credentials(&p->credentials) != 0 ||
        (who && gnutls_certificate_set_x509_key(
                    p->credentials, &certificate, 1, who->key) < 0) ||
        !pair_open_end(
            &p->server, GNUTLS_SERVER, HTTP_TLS_PRIORITIES, server, p->fd[0]) ||
        !pair_open_end(&p->client, GNUTLS_CLIENT, priorities, p->credentials, p->fd[1]))
        abort();
    http_tls_prepare(tls, p->server, p->fd[0], &p->way);
}

static inline void
pair_close(struct pair *p)
{
    gnutls_deinit(p->server);
    gnutls_deinit(p->client);
    gnutls_certificate_free_credentials(p->credentials);
    close(p->fd[0]);
    close(p->fd[1]);
}

/* One step of one end; false when it needs no more. */
static inline bool
pair_step(gnutls_session_t session, int *rc)
{
    *rc = gnutls_handshake(session);
    return *rc < 0 && !gnutls_error_is_fatal(*rc);
}

/* True when both ends are content. */
static inline bool
pair_shake_hands(struct pair *p)
{
    bool server = true, client = true;

    for (int i = 0; i < PAIR_STEPS && (server || client); i++) {
        if (client)
            client = pair_step(p->client, &p->client_rc);
        if (server)
            server = pair_step(p->server, &p->server_rc);
        if (p->client_rc < 0 && gnutls_error_is_fatal(p->client_rc))
            shutdown(p->fd[1], SHUT_WR);
    }
    return p->client_rc == 0 && p->server_rc == 0;
}

#endif
