/*
 * What http.c (the server and its connections), http_exchange.c (the requests on
 * them), http_admit.c (which of them come in) and http_answer.c (what goes out) share.
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

enum {
    HTTP_REQUEST_ID = sizeof(uint64_t), /* bytes */
    HTTP_OVERRUN_MAX = 1 << 20 /* of a body that is too large, read and thrown away */
};

struct http_server {
    struct http_options o;
    struct http_listener listener;
    struct http_tls *tls; /* NULL on a Unix socket */
    struct janitor *janitor;
    struct MHD_Daemon *daemon;
    uint64_t seed;             /* of request ids, random */
    _Atomic uint64_t requests; /* so many had one */
    atomic_bool draining;      /* no new requests */
    atomic_bool closing;       /* nothing goes on at all */
    _Atomic size_t running;    /* requests that have begun and not ended */
    _Atomic size_t busy;       /* callbacks at work, and requests to be resumed */
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

/* One request. */
struct http_exchange {
    struct http_server *server;
    struct MHD_Connection *mhd;
    struct http_connection *connection;
    char request_id[2 * HTTP_REQUEST_ID + 1];
    char *target;      /* as it came; the path, terminated, then the query */
    const char *query; /* in it, behind the '?' */
    char method[16];
    const struct http_route *route;
    struct buf body;
    size_t overrun;
    http_step *next; /* what runs when the library calls again */
    bool suspended;
    bool answered;
    bool close; /* after the answer */
    const char *reason;
    void *state;
    void (*free_state)(void *);
};

/* The head of the request is complete; true: its body may come, else it is refused. */
bool http_admit(struct http_exchange *x, const char *method, const char *version);

/* A refusal before any route has seen the request; the connection ends with it. */
void http_refuse(struct http_exchange *x, int status, const char *name,
    const char *title, const char *const *headers);

/* libmicrohttpd's callbacks for requests; cls is the server. */
void *http_exchange_begin(void *cls, const char *target, struct MHD_Connection *c);
enum MHD_Result http_exchange_go_on(void *cls, struct MHD_Connection *c,
    const char *path, const char *method, const char *version, const char *data,
    size_t *data_len, void **exchange);
void http_exchange_end(void *cls, struct MHD_Connection *c, void **exchange,
    enum MHD_RequestTerminationCode code);

#endif
