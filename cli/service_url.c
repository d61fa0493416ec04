#include "cli/service_url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"

static const char SCHEME[] = "https://";

/* The one spelling of an address is the system's own (RFC 5952). */
static bool
is_address(const char *host)
{
    char again[INET6_ADDRSTRLEN];
    struct in6_addr raw;
    int family = strchr(host, ':') ? AF_INET6 : AF_INET;

    return inet_pton(family, host, &raw) == 1 &&
           inet_ntop(family, &raw, again, sizeof(again)) && strcmp(host, again) == 0;
}

/* Labels of [a-z0-9-], at most 63 long, no hyphen at either end (RFC 1123 2.1). */
static bool
is_dns_name(const char *host)
{
    struct text rest = text_of(host), label;
    bool letters = false;

    for (bool last = false; !last;) {
        last = !text_cut(&rest, '.', &label);
        if (last)
            label = rest;
        if (!label.len || label.len > 63 || label.p[0] == '-' ||
            label.p[label.len - 1] == '-')
            return false;
        letters = false;
        for (size_t i = 0; i < label.len; i++) {
            char c = label.p[i];

            if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
                return false;
            letters = letters || c < '0' || c > '9';
        }
    }
    return letters; /* a last label of digits would look like an address */
}

static bool
read_port(struct text t, int *out)
{
    uint64_t port;

    if (t.len > 5 || !str_number(t, &port) || port < 1 || port > 65535)
        return false;
    *out = (int)port;
    return true;
}

/* "host", "host:port", "[v6]:port"; *port stays when there is none. */
static bool
read_authority(struct text rest, struct service_url *out)
{
    struct text host = rest;
    bool brackets = text_starts(rest, "["), has_port;

    if (brackets) {
        rest.p++, rest.len--;
        if (!text_cut(&rest, ']', &host))
            return false;
        has_port = rest.len > 0;
        if (has_port && !text_starts(rest, ":"))
            return false;
        if (has_port)
            rest.p++, rest.len--;
    } else {
        has_port = text_cut(&rest, ':', &host);
    }
    if (host.len > SERVICE_HOST_MAX || memchr(host.p, 0, host.len) ||
        (has_port && !read_port(rest, &out->port)))
        return false;
    memcpy(out->host, host.p, host.len);
    out->host[host.len] = '\0';
    out->is_address = is_address(out->host);
    if (brackets != (strchr(out->host, ':') != NULL))
        return false;
    return out->is_address || is_dns_name(out->host);
}

static void
write_url(struct service_url *u)
{
    bool brackets = strchr(u->host, ':') != NULL;
    char port[8] = "";

    if (u->port != 443)
        snprintf(port, sizeof(port), ":%d", u->port);
    snprintf(u->text, sizeof(u->text), "%s%s%s%s%s", SCHEME, brackets ? "[" : "",
        u->host, brackets ? "]" : "", port);
}

enum mauth_rc
service_url_parse(const char *text, struct service_url *out, struct mauth_err *err)
{
    struct text rest = text_of(text);
    char quoted[96];

    memset(out, 0, sizeof(*out));
    out->port = 443;
    mauth_quote(rest.p, rest.len, quoted, sizeof(quoted));
    if (!text_starts(rest, SCHEME))
        return mauth_fail(err, MAUTH_INVALID,
            "'%s' does not begin with https://; like https://auth.example.org", quoted);
    rest.p += strlen(SCHEME);
    rest.len -= strlen(SCHEME);
    if (!read_authority(rest, out))
        return mauth_fail(err, MAUTH_INVALID,
            "'%s' is not https:// and a host in lower case, perhaps with a port, and "
            "nothing behind it; like https://auth.example.org",
            quoted);
    write_url(out);
    if (strcmp(out->text, text) != 0)
        return mauth_fail(
            err, MAUTH_INVALID, "'%s' must be written '%s'", quoted, out->text);
    return MAUTH_OK;
}

enum mauth_rc
service_url_from_listen(
    const char *listen, struct service_url *out, struct mauth_err *err)
{
    char quoted[96];

    memset(out, 0, sizeof(*out));
    if (!read_authority(text_of(listen), out) || !out->is_address || !out->port)
        return mauth_fail(err, MAUTH_INVALID,
            "'%s' is not an address and a port, like 127.0.0.1:8443 or [::1]:8443",
            mauth_quote(listen, strlen(listen), quoted, sizeof(quoted)));
    write_url(out);
    return MAUTH_OK;
}

const char *
service_url_name(const struct service_url *url)
{
    return url->text + strlen(SCHEME);
}
