#include <stdlib.h>
#include <string.h>

#include "authsvc/http_gate.h"
#include "authsvc/http_server.h"
#include "base/str.h"
#include "verifier/mix.h"

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
    struct text t = buf_slice(&x->body);

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

/* The request line has come: the exchange begins. Called once for each request. */
void *
http_exchange_begin(void *cls, const char *target, struct MHD_Connection *c)
{
    struct http_server *s = cls;
    struct http_connection *h =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    struct http_exchange *x = h ? calloc(1, sizeof(*x)) : NULL;
    uint64_t id;

    if (!x)
        return NULL;
    x->server = s;
    x->mhd = c;
    x->connection = h;
    x->query = "";
    buf_init_secret(&x->body);
    x->target = strdup(target);
    if (!x->target) {
        free(x);
        return NULL;
    }
    /* No secret, and no two alike: but what comes next, or how many, is not told. */
    id = atomic_fetch_add(&s->requests, 1);
    id = mix_bytes(s->seed, &id, sizeof(id));
    str_hex((const uint8_t *)&id, sizeof(id), x->request_id);
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

/* False: so much too much that not even an answer is due. */
static bool
take_body(struct http_exchange *x, const char *data, size_t len)
{
    if (x->overrun || x->body.len + len > x->route->body_max)
        x->overrun += len;
    else
        buf_put(&x->body, data, len);
    return x->overrun <= HTTP_OVERRUN_MAX;
}

/* The body is complete: hand the request to its route. */
static void
start(struct http_exchange *x)
{
    if (x->overrun)
        http_refuse(x, 413, "too-large", "The body is too large.", NULL);
    else if (!buf_ok(&x->body))
        http_refuse(x, 503, "unavailable", "No memory.", NULL);
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
        return http_admit(x, method, version) || x->answered ? MHD_YES : MHD_NO;
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
