/*
 * The TLS side of the HTTP server: which certificate it shows, that it asks
 * clients for theirs, and which key a client proved.
 *
 * Certificate and key are an immutable pair behind one atomic pointer. A reload
 * swaps the pointer; handshakes under way may still use the old pair, so it is
 * kept until the end (some kilobytes for each reload).
 */
#ifndef AUTHSVC_HTTP_TLS_H
#define AUTHSVC_HTTP_TLS_H

#include <stdbool.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include <meshauth/err.h>
#include <meshauth/key.h>

/*
 * TLS 1.2 and 1.3 with forward secrecy; AES-128-GCM first, it is the cheapest. On
 * curves only: a handshake with FFDHE-8192 costs the server 200 times as much.
 */
#define HTTP_TLS_PRIORITIES                                     \
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:"       \
    "-DHE-RSA:-GROUP-DH-ALL:"                                   \
    "-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:" \
    "%SERVER_PRECEDENCE"

struct http_tls;

/*
 * PEM files. The key's must be a secret as file_read_secret() wants it, and
 * belong to the first certificate.
 */
MAUTH_MUST_USE enum mauth_rc http_tls_new(const char *certificate_file,
    const char *key_file, struct http_tls **out, struct mauth_err *err);
/* Reads the same files again; on failure the old pair stays. From any thread. */
MAUTH_MUST_USE enum mauth_rc http_tls_reload(struct http_tls *t, struct mauth_err *err);
void http_tls_free(struct http_tls *t);

/* Where a session's records go. */
struct http_tls_way {
    int fd;
    bool more; /* after the next record comes another one: let it wait for that */
};

/* Before the handshake. Takes the session's pointer for itself; the session uses way
 * until its end. */
void http_tls_prepare(
    struct http_tls *t, gnutls_session_t session, int fd, struct http_tls_way *way);

/* A gnutls_certificate_retrieve_function3 for prepared sessions. */
int http_tls_certificate(gnutls_session_t session,
    const struct gnutls_cert_retr_st *request, gnutls_pcert_st **certs,
    unsigned *cert_count, gnutls_ocsp_data_st **ocsp, unsigned *ocsp_count,
    gnutls_privkey_t *key, unsigned *flags);

/* *out is NULL when the client showed no certificate; else the caller's. */
MAUTH_MUST_USE enum mauth_rc http_tls_peer_key(
    gnutls_session_t session, struct mauth_key **out, struct mauth_err *err);

#endif
