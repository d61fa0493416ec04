/* Which requests come in: what the gate lets pass and a route is there for. */
#include <stdio.h>
#include <string.h>

#include "authsvc/http_gate.h"
#include "authsvc/http_server.h"
#include "base/str.h"

/*
 * A folded line (RFC 9112 5.2): the library appends it to the header's name, which
 * it moves behind all that it has read to do so. So "Content-Length:" and " 5" on a
 * line of its own would become an unknown header, and the body a second request.
 */
static bool
is_folded(const char *name, const char *value)
{
    return value && (uintptr_t)name > (uintptr_t)value;
}

static enum MHD_Result
see_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len,
    const char *value, size_t value_len)
{
    struct text n = {name, is_folded(name, value) ? 0 : name_len};
    struct text v = {value ? value : "", value ? value_len : 0};

    (void)kind;
    http_gate_header(cls, n, v);
    return MHD_YES;
}

void
http_refuse(struct http_exchange *x, int status, const char *name, const char *title,
    const char *const *headers)
{
    x->close = true;
    if (x->server->o.refused)
        x->server->o.refused(x, name);
    http_answer_problem_with(x, status, name, title, NULL, headers);
}

/* "Allow: GET, HEAD, POST" for a path that other methods have. */
static void
refuse_method(struct http_exchange *x)
{
    const struct http_options *o = &x->server->o;
    char line[128] = "Allow:";
    const char *headers[] = {line, NULL};

    for (size_t i = 0; i < o->route_count; i++) {
        size_t used = strlen(line);

        if (http_path_is(o->routes[i].path, x->target))
            snprintf(line + used, sizeof(line) - used, "%s %s%s",
                line[used - 1] == ':' ? "" : ",", o->routes[i].method,
                strcmp(o->routes[i].method, "GET") == 0 ? ", HEAD" : "");
    }
    http_refuse(x, 405, "method", "This path has no such method.", headers);
}

static bool
find_route(struct http_exchange *x)
{
    const struct http_options *o = &x->server->o;
    /* The library leaves out the body itself (RFC 9110 9.3.2). */
    const char *method = strcmp(x->method, "HEAD") == 0 ? "GET" : x->method;
    bool known = false;

    for (size_t i = 0; i < o->route_count; i++) {
        if (!http_path_is(o->routes[i].path, x->target))
            continue;
        known = true;
        if (strcmp(o->routes[i].method, method) == 0)
            x->route = &o->routes[i];
    }
    if (x->route)
        return true;
    if (known)
        refuse_method(x);
    else
        http_refuse(x, 404, "not-found", "There is nothing at this path.", NULL);
    return false;
}

static void
refuse_type(struct http_exchange *x)
{
    char title[96];

    snprintf(title, sizeof(title), "The body must be %s.", x->route->content_type);
    http_refuse(x, 415, "content-type", title, NULL);
}

/*
 * How long a body may say that it is. One that is too large for its route, but not by
 * far, is read and thrown away: a client that is still writing when the connection ends
 * does not see our answer. Who expects to be told (RFC 9110 10.1.1) is told.
 */
static size_t
most(const struct http_exchange *x)
{
    return http_header(x, "Expect") || x->route->body_max > HTTP_OVERRUN_MAX
               ? x->route->body_max
               : HTTP_OVERRUN_MAX;
}

bool
http_admit(struct http_exchange *x, const char *method, const char *version)
{
    struct http_gate gate;
    const char *flaw;
    char *mark;

    snprintf(x->method, sizeof(x->method), "%s", method);
    http_gate_init(&gate);
    MHD_get_connection_values_n(x->mhd, MHD_HEADER_KIND, see_header, &gate);
    flaw = http_gate_verdict(&gate, method, version, x->target);
    mark = strchr(x->target, '?');
    if (mark) {
        *mark = '\0';
        x->query = mark + 1;
    }
    if (flaw) {
        http_refuse(
            x, 400, flaw, "The request is not of the form that is read here.", NULL);
        return false;
    }
    if (!x->connection->admitted) {
        http_refuse(x, 403, "peer", "This socket is for the service's own user.", NULL);
        return false;
    }
    if (atomic_load(&x->server->draining)) {
        http_refuse(x, 503, "ending", "The service is ending.", NULL);
        return false;
    }
    if (!find_route(x))
        return false;
    if (gate.length > most(x)) {
        http_refuse(x, 413, "too-large", "The body is too large.", NULL);
        return false;
    }
    if (x->route->content_type &&
        !http_media_type_is(http_header(x, "Content-Type"), x->route->content_type)) {
        refuse_type(x);
        return false;
    }
    return true;
}
