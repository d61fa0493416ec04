/*
 * The URL that names an account service, and where it listens: https, a host in
 * lower case or an address, a port unless it is 443, nothing behind it. One
 * spelling for each, because tickets carry it as their issuer.
 */
#ifndef CLI_SERVICE_URL_H
#define CLI_SERVICE_URL_H

#include <stdbool.h>

#include <meshauth/err.h>

enum {
    SERVICE_HOST_MAX = 253,
    SERVICE_URL_MAX = 280, /* https://[host]:65535 */
};

struct service_url {
    char text[SERVICE_URL_MAX + 1];
    char host[SERVICE_HOST_MAX + 1]; /* without brackets */
    bool is_address;                 /* IPv4 or IPv6, else a DNS name */
    int port;
};

/* MAUTH_INVALID: err->text says what is wrong and what would be right. */
MAUTH_MUST_USE enum mauth_rc service_url_parse(
    const char *text, struct service_url *out, struct mauth_err *err);

/* "127.0.0.1:8443", "[::1]:8443": an address and a port; the text is that of its URL. */
MAUTH_MUST_USE enum mauth_rc service_url_from_listen(
    const char *listen, struct service_url *out, struct mauth_err *err);

/* The URL without "https://": how notes and folders are named. */
const char *service_url_name(const struct service_url *url);

#endif
