#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "authsvc/http_gate.h"
#include "authsvc/http_server.h"
#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"

enum {
    REQUEST_ID_BYTES = 8,
    OVERRUN_MAX = 1 << 20 /* of a body that is too large, read and thrown away */
};

struct http_exchange {
    struct http_server *server;
    struct MHD_Connection *mhd;
    struct http_connection *connection;
    char request_id[2 * REQUEST_ID_BYTES + 1];
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

void *
http_context(const struct http_exchange *x)
{
    return x->server->o.context;
}

const char *
http_method(const struct http_exchange *x)
{
    return x->method;
}

const char *
http_path(const struct http_exchange *x)
{
    return x->target;
}

struct text
http_path_id(const struct http_exchange *x, size_t n)
{
    struct text id = {"", 0};

    return http_path_matches(x->route->path, x->target, n, &id) ? id : text_of("");
}

const void *
http_what(const struct http_exchange *x)
{
    return x->route->what;
}

struct text
http_body(const struct http_exchange *x)
{
    struct text t = {(const char *)x->body.data, x->body.len};

    return t;
}

const char *
http_query(const struct http_exchange *x)
{
    return x->query;
}

const char *
http_header(const struct http_exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->mhd, MHD_HEADER_KIND, name);
}

const char *
http_client(const struct http_exchange *x)
{
    return x->connection->client;
}

uid_t
http_client_uid(const struct http_exchange *x)
{
    return x->connection->uid;
}

const char *
http_request_id(const struct http_exchange *x)
{
    return x->request_id;
}

/* The handshake is over and will not be repeated: one look is enough. */
enum mauth_rc
http_client_key(
    struct http_exchange *x, const struct mauth_key **out, struct mauth_err *err)
{
    struct http_connection *h = x->connection;

    *out = NULL;
    if (!h->key_known && h->session)
        h->key_rc = http_tls_peer_key(h->session, &h->key, err);
    h->key_known = true;
    *out = h->key;
    return h->key_rc;
}

void
http_set_state(struct http_exchange *x, void *state, void (*free_state)(void *))
{
    x->state = state;
    x->free_state = free_state;
}

void *
http_state(const struct http_exchange *x)
{
    return x->state;
}

void
http_set_reason(struct http_exchange *x, const char *reason)
{
    x->reason = reason;
}

void
http_suspend(struct http_exchange *x, http_step *next)
{
    x->next = next;
    x->suspended = true;
    lease_hold(&x->connection->lease);
    atomic_fetch_add(&x->server->busy, 1);
    MHD_suspend_connection(x->mhd);
}

/* When the library has it again the exchange may end in its thread at any time. */
void
http_resume(struct http_exchange *x)
{
    struct http_server *s = x->server;

    MHD_resume_connection(x->mhd);
    atomic_fetch_sub(&s->busy, 1);
}

/* "Name: value" as the library wants it. */
static bool
add_header(struct MHD_Response *r, const char *line)
{
    const char *colon = strchr(line, ':');
    char name[64];

    if (!colon || (size_t)(colon - line) >= sizeof(name))
        return false;
    memcpy(name, line, (size_t)(colon - line));
    name[colon - line] = '\0';
    return MHD_add_response_header(r, name, colon + 1 + strspn(colon + 1, " ")) ==
           MHD_YES;
}

/* Nothing is kept by anyone, but for what is said to be good for a while. */
static bool
is_kept(const char *const *headers)
{
    for (const char *const *h = headers; h && *h; h++)
        if (text_starts(text_of(*h), "Cache-Control:"))
            return true;
    return false;
}

static bool
add_headers(const struct http_exchange *x, struct MHD_Response *r,
    const char *content_type, const char *const *headers)
{
    static const char *const always[] = {"Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Strict-Transport-Security: max-age=31536000", NULL};
    bool good = true;

    for (const char *const *h = always + is_kept(headers); *h && good; h++)
        good = add_header(r, *h);
    for (const char *const *h = headers; h && *h && good; h++)
        good = add_header(r, *h);
    return good && MHD_add_response_header(r, "X-Request-Id", x->request_id) &&
           (!content_type ||
               MHD_add_response_header(r, "Content-Type", content_type)) &&
           (!x->close || MHD_add_response_header(r, "Connection", "close"));
}

/* The library has its own ideas of what is const. */
static void *
bytes_of(struct text body)
{
    union {
        const char *in;
        void *out;
    } bytes = {body.p};

    return bytes.out;
}

/* len: of the body. r: NULL, without memory. */
static void
answer_with(struct http_exchange *x, int status, const char *content_type, size_t len,
    struct MHD_Response *r, const char *const *headers)
{
    if (atomic_load(&x->server->draining))
        x->close = true;
    lease_extend(&x->connection->lease, x->server->o.request_s * 1000);
    x->connection->way.more = len > 0;
    if (r && add_headers(x, r, content_type, headers))
        x->answered = MHD_queue_response(x->mhd, (unsigned)status, r) == MHD_YES;
    if (r)
        MHD_destroy_response(r);
    if (x->server->o.log)
        x->server->o.log(x, status, x->reason);
}

void
http_answer(struct http_exchange *x, int status, const char *content_type,
    struct text body, const char *const *headers)
{
    answer_with(x, status, content_type, body.len,
        MHD_create_response_from_buffer(
            body.len, bytes_of(body), MHD_RESPMEM_MUST_COPY),
        headers);
}

void
http_answer_held(struct http_exchange *x, int status, const char *content_type,
    const struct http_held *held, const char *const *headers)
{
    struct MHD_Response *r = MHD_create_response_from_buffer_with_free_callback_cls(
        held->body.len, bytes_of(held->body), held->release, held->arg);

    if (!r)
        held->release(held->arg);
    answer_with(x, status, content_type, held->body.len, r, headers);
}

void
http_answer_problem(struct http_exchange *x, int status, const char *name,
    const char *title, const char *detail)
{
    static const char *const none[] = {NULL};

    http_answer_problem_with(x, status, name, title, detail, none);
}

void
http_answer_problem_with(struct http_exchange *x, int status, const char *name,
    const char *title, const char *detail, const char *const *headers)
{
    static const char no_memory[] = "{\"title\":\"No memory\"}";
    struct text body = {no_memory, sizeof(no_memory) - 1};
    char type[96];
    json_t *o;
    char *text;

    snprintf(type, sizeof(type), "urn:meshauth:problem:%s", name);
    o = json_pack("{s:s, s:s, s:i, s:s*, s:s}", "type", type, "title", title, "status",
        status, "detail", detail, "request_id", x->request_id);
    text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    if (text)
        body = text_of(text);
    if (!x->reason)
        x->reason = name;
    http_answer(x, status, "application/problem+json", body, headers);
    free(text);
    json_decref(o);
}

/* The request line has come: the exchange begins. Called once for each request. */
void *
http_exchange_begin(void *cls, const char *target, struct MHD_Connection *c)
{
    struct http_server *s = cls;
    struct http_connection *h =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    struct http_exchange *x = h ? calloc(1, sizeof(*x)) : NULL;
    uint8_t id[REQUEST_ID_BYTES];

    if (!x)
        return NULL;
    x->server = s;
    x->mhd = c;
    x->connection = h;
    x->query = "";
    buf_init_secret(&x->body);
    x->target = strdup(target);
    if (!x->target || mauth_random(id, sizeof(id), NULL) != MAUTH_OK) {
        free(x->target);
        free(x);
        return NULL;
    }
    str_hex(id, sizeof(id), x->request_id);
    lease_extend(&h->lease, s->o.request_s * 1000);
    atomic_fetch_add(&s->running, 1);
    return x;
}

void
http_exchange_end(void *cls, struct MHD_Connection *c, void **exchange,
    enum MHD_RequestTerminationCode code)
{
    struct http_exchange *x = *exchange;
    struct http_server *s = cls;

    (void)c;
    (void)code;
    if (!x)
        return;
    if (x->free_state)
        x->free_state(x->state);
    lease_extend(&x->connection->lease, s->o.idle_s * 1000);
    buf_clear(&x->body);
    free(x->target);
    free(x);
    *exchange = NULL;
    atomic_fetch_sub(&s->running, 1);
}

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

/* A refusal before any route has seen the request. */
static void
refuse(struct http_exchange *x, int status, const char *name, const char *title,
    const char *const *headers)
{
    x->close = true;
    if (x->server->o.refused)
        x->server->o.refused(x, name);
    http_answer_problem_with(x, status, name, title, NULL, headers);
}

/* "Allow: GET, POST" for a path that other methods have. */
static void
refuse_method(struct http_exchange *x)
{
    const struct http_options *o = &x->server->o;
    char line[128] = "Allow:";
    const char *headers[] = {line, NULL};

    for (size_t i = 0; i < o->route_count; i++) {
        size_t used = strlen(line);

        if (http_path_is(o->routes[i].path, x->target))
            snprintf(line + used, sizeof(line) - used, "%s %s",
                line[used - 1] == ':' ? "" : ",", o->routes[i].method);
    }
    refuse(x, 405, "method", "This path has no such method.", headers);
}

static bool
find_route(struct http_exchange *x)
{
    const struct http_options *o = &x->server->o;
    bool known = false;

    for (size_t i = 0; i < o->route_count; i++) {
        if (!http_path_is(o->routes[i].path, x->target))
            continue;
        known = true;
        if (strcmp(o->routes[i].method, x->method) == 0)
            x->route = &o->routes[i];
    }
    if (x->route)
        return true;
    if (known)
        refuse_method(x);
    else
        refuse(x, 404, "not-found", "There is nothing at this path.", NULL);
    return false;
}

static void
refuse_type(struct http_exchange *x)
{
    char title[96];

    snprintf(title, sizeof(title), "The body must be %s.", x->route->content_type);
    refuse(x, 415, "content-type", title, NULL);
}

/*
 * How long a body may say that it is. One that is too large for its route, but not by
 * far, is read and thrown away: a client that is still writing when the connection ends
 * does not see our answer. Who expects to be told (RFC 9110 10.1.1) is told.
 */
static size_t
most(const struct http_exchange *x)
{
    return http_header(x, "Expect") || x->route->body_max > OVERRUN_MAX
               ? x->route->body_max
               : OVERRUN_MAX;
}

/* The head of the request is complete; true: its body may come. */
static bool
admit(struct http_exchange *x, const char *method, const char *version)
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
        refuse(x, 400, flaw, "The request is not of the form that is read here.", NULL);
        return false;
    }
    if (!x->connection->admitted) {
        refuse(x, 403, "peer", "This socket is for the service's own user.", NULL);
        return false;
    }
    if (atomic_load(&x->server->draining)) {
        refuse(x, 503, "ending", "The service is ending.", NULL);
        return false;
    }
    if (!find_route(x))
        return false;
    if (gate.length > most(x)) {
        refuse(x, 413, "too-large", "The body is too large.", NULL);
        return false;
    }
    if (x->route->content_type &&
        !http_media_type_is(http_header(x, "Content-Type"), x->route->content_type)) {
        refuse_type(x);
        return false;
    }
    return true;
}

/* False: so much too much that not even an answer is due. */
static bool
take_body(struct http_exchange *x, const char *data, size_t len)
{
    if (x->overrun || x->body.len + len > x->route->body_max)
        x->overrun += len;
    else
        buf_put(&x->body, data, len);
    return x->overrun <= OVERRUN_MAX;
}

/* The body is complete: hand the request to its route. */
static void
start(struct http_exchange *x)
{
    if (x->overrun)
        refuse(x, 413, "too-large", "The body is too large.", NULL);
    else if (!buf_ok(&x->body))
        refuse(x, 503, "unavailable", "No memory.", NULL);
    else
        x->route->start(x);
}

static enum MHD_Result
run_step(struct http_exchange *x)
{
    http_step *step = x->next ? x->next : start;

    x->suspended = false;
    x->next = NULL;
    step(x);
    if (!x->suspended && !x->answered) /* without memory, or a bug of ours */
        return MHD_NO;
    return MHD_YES;
}

static enum MHD_Result
go_on(struct http_exchange *x, const char *method, const char *version,
    const char *data, size_t *data_len)
{
    bool more = *data_len > 0;

    if (x->answered)
        return MHD_YES;
    if (!x->route)
        return admit(x, method, version) || x->answered ? MHD_YES : MHD_NO;
    if (!more)
        return run_step(x);
    more = take_body(x, data, *data_len);
    *data_len = 0;
    return more ? MHD_YES : MHD_NO;
}

enum MHD_Result
http_exchange_go_on(void *cls, struct MHD_Connection *c, const char *path,
    const char *method, const char *version, const char *data, size_t *data_len,
    void **exchange)
{
    struct http_server *s = cls;
    enum MHD_Result result = MHD_NO;

    (void)c;
    (void)path;
    atomic_fetch_add(&s->busy, 1);
    if (*exchange && !atomic_load(&s->closing))
        result = go_on(*exchange, method, version, data, data_len);
    atomic_fetch_sub(&s->busy, 1);
    return result;
}
