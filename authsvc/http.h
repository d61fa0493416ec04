/*
 * The HTTP face of the service, on libmicrohttpd: one listener with TLS for
 * the world, one on a Unix socket for the admin. It knows routes and bytes,
 * nothing of tickets.
 *
 * Every request passes a gate before a route sees it: one Host,
 * Content-Length, Transfer-Encoding, Authorization and Content-Type at most,
 * no smuggling shapes, no control bytes, HTTP/1.1 only, exact paths, body and
 * header sizes bounded. A janitor cuts connections that do not deliver a
 * handshake or a request in time.
 *
 * A request is worked on in steps, each a function that runs in a thread of the
 * pool. A step answers, or suspends the connection, hands work to another
 * thread and returns; that thread calls http_resume() exactly once, and the
 * next step runs. No thread of the pool ever waits.
 */
#ifndef AUTHSVC_HTTP_H
#define AUTHSVC_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include <meshauth/err.h>
#include <meshauth/key.h>

struct http_exchange;

/* A step; it has answered, or suspended, when it returns. */
typedef void http_step(struct http_exchange *x);

struct http_route {
    const char *method;       /* "GET", "POST"; HEAD is GET, with no body sent */
    const char *path;         /* matched exactly; "{id}" is any one segment */
    size_t body_max;          /* 0: no body */
    const char *content_type; /* that the body must have; NULL with no body */
    http_step *start;         /* called when the body is complete */
    const void *what;         /* http_what() of its exchanges */
};

struct http_server;

struct http_options {
    /* TLS over TCP: all of these ... */
    const char *address;
    int port; /* 0: any; see http_port() */
    const char *certificate_file;
    const char *key_file;
    /* ... or plain HTTP on a Unix socket, mode 0600, for root and our own uid. */
    const char *unix_socket;

    const struct http_route *routes;
    size_t route_count;
    void *context; /* http_context() of every exchange */
    /* Called for each answer, to write a line of log; from any thread. reason is
     * what the gate or http_set_reason() said, or NULL. */
    void (*log)(const struct http_exchange *x, int status, const char *reason);
    /* Called as well, before it, when the gate or the router refuses a request that
     * no route has seen; from any thread. reason is a static name. */
    void (*refused)(const struct http_exchange *x, const char *reason);

    int threads;
    int connections;
    int connections_per_ip;
    int64_t request_s;
    int64_t idle_s;
};

MAUTH_MUST_USE enum mauth_rc http_start(
    const struct http_options *o, struct http_server **out, struct mauth_err *err);
int http_port(const struct http_server *s);

/*
 * Read certificate and key again; new handshakes use them. On failure the old
 * ones stay.
 */
MAUTH_MUST_USE enum mauth_rc http_reload_certificate(
    struct http_server *s, struct mauth_err *err);

/* Refuse new connections and requests, let running ones end (or timeout_ms pass), free. */
void http_stop(struct http_server *s, int64_t timeout_ms);

/* What the request is. Strings belong to the exchange. */
void *http_context(const struct http_exchange *x);
const char *http_method(const struct http_exchange *x);
const char *http_path(const struct http_exchange *x);
/* What stands in the path for the route's n-th "{id}", from 0; empty: no such. */
struct text http_path_id(const struct http_exchange *x, size_t n);
/* What the route says that this is. */
const void *http_what(const struct http_exchange *x);
struct text http_body(const struct http_exchange *x);
/* The raw query string after '?', not decoded; "" when there is none. */
const char *http_query(const struct http_exchange *x);
/* The one value of a header that may come once; NULL when it did not. */
const char *http_header(const struct http_exchange *x, const char *name);
const char *http_client(
    const struct http_exchange *x); /* address, "unix" on the socket */
uid_t http_client_uid(const struct http_exchange *x); /* of the socket's peer */
const char *http_request_id(const struct http_exchange *x);

/*
 * The public key that the TLS client proved with its certificate; NULL when it
 * showed none. Its chain, dates and names are not judged. Belongs to the
 * exchange. MAUTH_MALFORMED when it is of a kind that tickets cannot be bound to.
 */
MAUTH_MUST_USE enum mauth_rc http_client_key(
    struct http_exchange *x, const struct mauth_key **out, struct mauth_err *err);

/* A step's own state; freed when the exchange ends, however it ends. */
void http_set_state(struct http_exchange *x, void *state, void (*free_state)(void *));
void *http_state(const struct http_exchange *x);

/* Why it is refused, a static name, for the log function below. */
void http_set_reason(struct http_exchange *x, const char *reason);

/* Suspend; when http_resume(x) is called, next runs. Call this before the work
 * is handed over. */
void http_suspend(struct http_exchange *x, http_step *next);
void http_resume(struct http_exchange *x);

/*
 * Answer. body is copied; content_type is NULL for none; extra headers are "Name: value"
 * strings, ended by NULL, or NULL. Every answer has the request id (X-Request-Id),
 * Cache-Control: no-store (unless headers has another) and the usual hardening headers.
 */
void http_answer(struct http_exchange *x, int status, const char *content_type,
    struct text body, const char *const *headers);

/* What is large, and the same for many: sent from where it lies, then released. */
struct http_held {
    struct text body;
    void (*release)(void *arg); /* once, from any thread */
    void *arg;
};

/* The same of a body that is held, in any case until it is released. */
void http_answer_held(struct http_exchange *x, int status, const char *content_type,
    const struct http_held *held, const char *const *headers);

/* application/problem+json (RFC 9457), type urn:meshauth:problem:NAME. */
void http_answer_problem(struct http_exchange *x, int status, const char *name,
    const char *title, const char *detail);
/* The same with extra headers, as in http_answer(). */
void http_answer_problem_with(struct http_exchange *x, int status, const char *name,
    const char *title, const char *detail, const char *const *headers);

#endif
