#include "base/url.h"

#include <string.h>

#include "base/utf8.h"

enum {
    PORT_MAX = 65535,
    PORT_HTTPS = 443
};

/* What a byte may be; one table, for this is asked of every byte of every URL. */
enum {
    HOST = 1,    /* a-z 0-9 -: of a label */
    ADDRESS = 2, /* 0-9 a-f : . between the brackets of an IPv6 address */
    SEGMENT = 4, /* literally in a segment: pchar of RFC 3986, less ';' */
};

/* clang-format off */
static const uint8_t bytes[256] = {
    [0x20] =
    0, 4, 0, 0, 4, 0, 4, 4, 4, 4, 4, 4, 4, 5, 6, 0, /* 0x20 */
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 0, 0, 4, 0, 0, /* 0x30 */
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, /* 0x40 */
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 0, 0, 0, 0, 4, /* 0x50 */
    0, 7, 7, 7, 7, 7, 7, 5, 5, 5, 5, 5, 5, 5, 5, 5, /* 0x60 */
    5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 0, 0, 0, 4, 0, /* 0x70 */
};
/* clang-format on */

static bool
is_byte(char c, unsigned class)
{
    return bytes[(uint8_t)c] & class;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Takes what comes before the first end, or all. */
static struct text
take_until(struct text *rest, char end)
{
    const char *hit = rest->len ? memchr(rest->p, end, rest->len) : NULL;
    struct text taken = {rest->p, hit ? (size_t)(hit - rest->p) : rest->len};

    rest->p += taken.len;
    rest->len -= taken.len;
    return taken;
}

/* Labels with a dot between them; an empty one would be another spelling. */
static bool
is_host_name(struct text host)
{
    bool dot = true;

    for (size_t i = 0; i < host.len; i++) {
        bool is_dot = host.p[i] == '.';

        if (!is_dot && !is_byte(host.p[i], HOST))
            return false;
        if (is_dot && dot)
            return false;
        dot = is_dot;
    }
    return !dot;
}

static bool
is_host_address(struct text host) /* "[::1]" */
{
    if (host.len < 4 || host.p[0] != '[' || host.p[host.len - 1] != ']')
        return false;
    for (size_t i = 1; i < host.len - 1; i++)
        if (!is_byte(host.p[i], ADDRESS))
            return false;
    return true;
}

static bool
is_port(struct text port)
{
    uint64_t n;

    return str_number(port, &n) && n > 0 && n <= PORT_MAX && n != PORT_HTTPS;
}

/* The host, and the port behind the last colon that is not inside brackets. */
static bool
is_authority(struct text authority)
{
    bool address = authority.len && authority.p[0] == '[';
    struct text host = take_until(&authority, address ? ']' : ':');

    if (address && authority.len) { /* the bracket is part of it */
        host.len++;
        authority.p++;
        authority.len--;
    }
    if (!(address ? is_host_address(host) : is_host_name(host)))
        return false;
    if (authority.len == 0)
        return true;
    authority.p++;
    authority.len--;
    return host.p[host.len] == ':' && is_port(authority);
}

/* The byte that "%XX" stands for at the start of t, or -1. */
static int
escaped_byte(struct text t)
{
    int high, low;

    if (t.len < 3 || t.p[0] != '%')
        return -1;
    high = hex_digit(t.p[1]);
    low = hex_digit(t.p[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool
may_be_escaped(int byte)
{
    if (byte < 0x20 || byte == 0x7f || byte == '%' || byte == '/' || byte == '\\')
        return false;
    return byte != ';' && !is_byte((char)byte, SEGMENT);
}

/* How long the escaped character at the start of t is; 0 when it is not allowed. */
static size_t
take_escaped(struct text t)
{
    uint8_t raw[4];
    uint32_t rune;
    size_t n, used;

    for (n = 0; n < sizeof(raw); n++) {
        struct text at = {t.p + 3 * n, t.len - 3 * n};
        int byte = escaped_byte(at);

        if (byte < 0 || (n > 0 && byte < 0x80))
            break;
        raw[n] = (uint8_t)byte;
        if (byte < 0x80 && n == 0)
            return may_be_escaped(byte) ? 3 : 0;
    }
    used = utf8_next(raw, n, &rune);
    return 3 * used;
}

static bool
is_segment(struct text s)
{
    size_t i = 0;

    if (text_is(s, ".") || text_is(s, ".."))
        return false;
    while (i < s.len) {
        struct text rest = {s.p + i, s.len - i};
        size_t n = is_byte(s.p[i], SEGMENT) ? 1 : take_escaped(rest);

        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

static bool
is_path(struct text path)
{
    if (path.len == 0) /* "https://host" and "https://host/" are one resource */
        return false;
    while (path.len) { /* begins with a slash */
        struct text segment;

        path.p++;
        path.len--;
        segment = take_until(&path, '/');
        if ((segment.len == 0 && path.len) || !is_segment(segment))
            return false;
    }
    return true;
}

bool
url_is_strict(struct text url)
{
    static const char scheme[] = "https://";

    if (!text_starts(url, scheme))
        return false;
    url.p += sizeof(scheme) - 1;
    url.len -= sizeof(scheme) - 1;
    return is_authority(take_until(&url, '/')) && is_path(url);
}

static bool
has_path(struct text url)
{
    static const char scheme[] = "https://";
    size_t skip = sizeof(scheme) - 1;

    return url.len > skip && memchr(url.p + skip, '/', url.len - skip) != NULL;
}

/* The bytes first: most of the places that a ticket permits are other ones. */
bool
url_is_within(struct text url, struct text place)
{
    struct text head = {url.p, place.len};

    if (url.len < place.len || !text_equal(head, place))
        return false;
    if (url.len > place.len && url.p[place.len] != '/')
        return false;
    /* A strict URL cut before a slash of its path is strict itself. */
    return has_path(place) && url_is_strict(url);
}

static const char *
node_path(enum id_kind kind)
{
    switch (kind) {
    case ID_USER: return "/v1/mesh/users/";
    case ID_DEVICE: return "/v1/mesh/devices/";
    case ID_FOLDER: return "/v1/mesh/folders/";
    case ID_INVITATION:
    case ID_SESSION:
    case ID_SERVICE:
    case ID_KINDS: break;
    }
    return NULL;
}

bool
url_is_node(struct text url, struct text issuer, enum id_kind kind, struct text *id)
{
    const char *path = node_path(kind);
    struct text rest, head = {url.p, issuer.len};

    *id = text_of(NULL);
    if (!path || url.len < issuer.len || !text_equal(head, issuer))
        return false;
    rest.p = url.p + issuer.len;
    rest.len = url.len - issuer.len;
    if (!text_starts(rest, path))
        return false;
    rest.p += strlen(path);
    rest.len -= strlen(path);
    if (id_kind_of(rest.p, rest.len) != kind || !url_is_strict(url))
        return false;
    *id = rest;
    return true;
}
