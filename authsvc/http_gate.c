#include "authsvc/http_gate.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

/* Headers that two readers could take differently when they come twice. */
static const char *const singles[] = {"host", "content-length", "transfer-encoding",
    "authorization", "content-type", "dpop", "expect", "if-match", "if-none-match"};

_Static_assert(sizeof(singles) / sizeof(*singles) == HTTP_GATE_SINGLES,
    "every single has a counter");

enum {
    HOST,
    LENGTH,
    CODING
};

void
http_gate_init(struct http_gate *g)
{
    memset(g, 0, sizeof(*g));
}

static void
flaw(struct http_gate *g, const char *name)
{
    if (!g->flaw)
        g->flaw = name;
}

static bool
is_token_char(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool
is_token(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (!is_token_char(t.p[i]))
            return false;
    return t.len > 0;
}

/* RFC 9110 5.5: no control bytes but the tab. */
static bool
is_value(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.p[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool
equal_nocase(struct text a, const char *b)
{
    return a.len == strlen(b) && strncasecmp(a.p, b, a.len) == 0;
}

static void
take_length(struct http_gate *g, struct text value)
{
    g->has_length = true;
    if (!str_number(value, &g->length))
        flaw(g, "length");
}

static void
take_single(struct http_gate *g, size_t which, struct text value)
{
    if (++g->seen[which] > 1)
        flaw(g, "header-repeated");
    if (which == LENGTH)
        take_length(g, value);
    if (which == CODING) {
        g->has_coding = true;
        if (!equal_nocase(value, "chunked"))
            flaw(g, "coding");
    }
}

void
http_gate_header(struct http_gate *g, struct text name, struct text value)
{
    if (!is_token(name))
        flaw(g, "header-name");
    else if (!is_value(value))
        flaw(g, "header-value");
    for (size_t i = 0; i < HTTP_GATE_SINGLES; i++)
        if (equal_nocase(name, singles[i]))
            take_single(g, i, value);
}

/* '%' and two digits, of a byte that means nothing special to a path. */
static bool
is_escape(const char *p)
{
    int high = str_hex_digit(p[1]);
    int low = high < 0 ? -1 : str_hex_digit(p[2]);
    int byte = high * 16 + low;

    return low >= 0 && byte >= 0x20 && byte != 0x7f && byte != '/' && byte != '\\' &&
           byte != '.';
}

/* From behind its slash to the next slash or the end of the path. */
static bool
is_dots(const char *segment)
{
    size_t len = strcspn(segment, "/?");

    return (len == 1 && segment[0] == '.') ||
           (len == 2 && segment[0] == '.' && segment[1] == '.');
}

/* Origin form (RFC 9112 3.2.1) of one spelling only. */
static bool
is_target(const char *target)
{
    bool in_path = true;

    if (target[0] != '/')
        return false;
    for (const char *p = target; *p; p++) {
        if (*p <= 0x20 || *p >= 0x7f || strchr("#\\\"<>^`{|}", *p))
            return false;
        if (*p == '%' && in_path && !is_escape(p))
            return false;
        if (*p == '?')
            in_path = false;
        if (in_path && *p == '/' && (p[1] == '/' || is_dots(p + 1)))
            return false;
    }
    return true;
}

static bool
takes_body(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

const char *
http_gate_verdict(
    struct http_gate *g, const char *method, const char *version, const char *target)
{
    if (strcmp(version, "HTTP/1.1") != 0)
        flaw(g, "version");
    if (!is_target(target))
        flaw(g, "target");
    if (g->seen[HOST] != 1)
        flaw(g, "host");
    if (g->has_coding && g->has_length)
        flaw(g, "length");
    if (!takes_body(method) && (g->has_coding || g->length > 0))
        flaw(g, "body");
    return g->flaw;
}

bool
http_media_type_is(const char *value, const char *type)
{
    size_t len = strlen(type);

    if (!value || strncasecmp(value, type, len) != 0)
        return false;
    value += len;
    value += strspn(value, " \t");
    if (!*value)
        return true;
    if (*value++ != ';')
        return false;
    value += strspn(value, " \t");
    return strcasecmp(value, "charset=utf-8") == 0 ||
           strcasecmp(value, "charset=\"utf-8\"") == 0;
}

bool
http_path_matches(const char *route, const char *path, size_t n, struct text *id)
{
    static const char place[] = "{id}";
    size_t seen = 0;

    id->p = "";
    id->len = 0;
    while (*route) {
        size_t len;

        if (*route != place[0] || strncmp(route, place, sizeof(place) - 1) != 0) {
            if (*route++ != *path++)
                return false;
            continue;
        }
        len = strcspn(path, "/");
        if (len == 0)
            return false;
        if (seen++ == n)
            *id = (struct text){path, len};
        route += sizeof(place) - 1;
        path += len;
    }
    return *path == '\0';
}

bool
http_path_is(const char *route, const char *path)
{
    struct text id;

    return http_path_matches(route, path, 0, &id);
}
