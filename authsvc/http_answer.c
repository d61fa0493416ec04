/* What goes out: answers and their headers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "authsvc/http_server.h"
#include "base/str.h"

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
    x->connection->way.more = len > 0 && strcmp(x->method, "HEAD") != 0;
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
