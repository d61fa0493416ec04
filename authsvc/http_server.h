/*
 * What http.c (the server and its connections) and http_exchange.c (the
 * requests on them) share.
 */
#ifndef AUTHSVC_HTTP_SERVER_H
#define AUTHSVC_HTTP_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <microhttpd.h>

#include "authsvc/http.h"
#include "authsvc/http_janitor.h"
#include "authsvc/http_listen.h"
#include "authsvc/http_tls.h"
#include <meshauth/key.h>

struct http_server {
    struct http_options o;
    struct http_listener listener;
    struct http_tls *tls; /* NULL on a Unix socket */
    struct janitor *janitor;
    struct MHD_Daemon *daemon;
    atomic_bool draining;   /* no new requests */
    atomic_bool closing;    /* nothing goes on at all */
    _Atomic size_t running; /* requests that have begun and not ended */
    _Atomic size_t busy;    /* callbacks at work, and requests to be resumed */
};

/* One connection, from its accept to its close; used by its thread alone. */
struct http_connection {
    struct lease lease;
    bool admitted; /* the peer may talk to us at all */
    uid_t uid;     /* of the peer on a Unix socket */
    char client[64];
    gnutls_session_t session; /* NULL on a Unix socket */
    struct http_tls_way way;
    bool key_known; /* the next two are what the handshake proved */
    enum mauth_rc key_rc;
    struct mauth_key *key;
};

/* libmicrohttpd's callbacks for requests; cls is the server. */
void *http_exchange_begin(void *cls, const char *target, struct MHD_Connection *c);
enum MHD_Result http_exchange_go_on(void *cls, struct MHD_Connection *c,
    const char *path, const char *method, const char *version, const char *data,
    size_t *data_len, void **exchange);
void http_exchange_end(void *cls, struct MHD_Connection *c, void **exchange,
    enum MHD_RequestTerminationCode code);

#endif
