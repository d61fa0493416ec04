/*
 * One HTTPS request at a time, through libcurl: bounded in time and bytes, no
 * redirects, no proxies, TLS 1.2 at least. A plain Unix socket stands in for
 * the network where the admin commands talk to meshauthd.
 *
 * net_init() once, before threads. A struct fetch is used by one thread at a
 * time (but for fetch_cancel); it keeps its connection open between requests.
 */
#ifndef NET_FETCH_H
#define NET_FETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include <meshauth/err.h>

MAUTH_MUST_USE enum mauth_rc net_init(struct mauth_err *err);

struct fetch;

struct fetch_options {
    const char *ca_file;   /* NULL: the system's authorities */
    const char *cert_file; /* client certificate and key, PEM; NULL: none */
    const char *key_file;
    const char *unix_socket;  /* talk plain HTTP over this socket instead */
    bool allow_http_loopback; /* http:// to 127.0.0.1 or [::1], for tests only */
    size_t max_bytes;         /* of an answer; 0: 1 MiB */
    long timeout_ms;          /* of a whole request; 0: 10000 */
    /* Asked about each second while a request is under way: cancel it? NULL: never. */
    bool (*gives_up)(void *arg);
    void *arg;
};

MAUTH_MUST_USE enum mauth_rc fetch_open(
    const struct fetch_options *o, struct fetch **out, struct mauth_err *err);
void fetch_close(struct fetch *f);

struct fetch_request {
    const char *url;
    const char *method;       /* "GET" when NULL */
    const char *content_type; /* of body */
    struct text body;
    const char *const *headers; /* "Name: value", ended by NULL; may be NULL */
};

/*
 * *status is the HTTP status, body is appended to; on failure both are as if
 * nothing had come.
 *
 * MAUTH_INVALID      not a URL that this fetch may ask, or a header of two lines
 * MAUTH_UNAVAILABLE  no connection, TLS refused, no answer in time, or cancelled
 * MAUTH_TOO_LARGE    more bytes than allowed
 */
MAUTH_MUST_USE enum mauth_rc fetch_do(struct fetch *f, const struct fetch_request *r,
    long *status, struct buf *body, struct mauth_err *err);

/*
 * Of the last answer: how many seconds to stay away (Retry-After, RFC 9110 10.2.3), 0:
 * it does not say; and its media type, "" when it has none, until the next request.
 */
long fetch_retry_after_s(const struct fetch *f);
const char *fetch_content_type(const struct fetch *f);

/*
 * From any thread, and from a signal's handler: the request under way ends within about a
 * second, and later ones at once.
 */
void fetch_cancel(struct fetch *f);

/* Appends text percent-encoded for an application/x-www-form-urlencoded value. */
void fetch_form_escape(struct buf *out, const char *text, size_t len);

#endif
