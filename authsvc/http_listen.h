/*
 * The sockets that the HTTP server listens on, and who may come in through the
 * one on the file system.
 */
#ifndef AUTHSVC_HTTP_LISTEN_H
#define AUTHSVC_HTTP_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>

#include <meshauth/err.h>

struct http_listener {
    int fd;
    int port;          /* of TCP */
    char *unix_socket; /* its path, or NULL */
    dev_t device;      /* and which file it is, so that we remove only ours */
    ino_t inode;
};

/* address is numeric; port 0 is any. MAUTH_INVALID, MAUTH_UNAVAILABLE. */
MAUTH_MUST_USE enum mauth_rc http_listen_tcp(
    const char *address, int port, struct http_listener *out, struct mauth_err *err);

/* Mode 0600. MAUTH_CONFLICT when somebody serves there, or the path is no socket. */
MAUTH_MUST_USE enum mauth_rc http_listen_unix(
    const char *path, struct http_listener *out, struct mauth_err *err);

/* No new connections; the fd stays open until http_listener_clear(). */
void http_listener_shut(const struct http_listener *l);
/* Closes the fd and removes the socket's file. */
void http_listener_clear(struct http_listener *l);

/* Who is at the other end of a Unix connection: root or our own user. */
MAUTH_MUST_USE bool http_peer_admitted(int fd, uid_t *uid);

#endif
