#include "tests/bench/callers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "tests/bench/bench.h"
#include "tests/bench/wire.h"

enum {
    ANSWER_MAX = 128 << 10, /* a page of 64 nodes is much smaller */
    REQUEST_MAX = 16 << 10,
    PATH_BYTES = 256,
    PAGES_MAX = 10000
};

/* The text of a member of this name, which needs no unescaping; "" when there is none. */
static struct text
member_of(const char *json, const char *name)
{
    char start[64];
    struct text value = {"", 0};
    const char *at;

    snprintf(start, sizeof(start), "\"%s\":\"", name);
    at = strstr(json, start);
    if (!at)
        return value;
    value.p = at + strlen(start);
    value.len = strcspn(value.p, "\"");
    return value;
}

static enum mauth_rc
refused(const struct callers *c, const char *what, int status, struct mauth_err *err)
{
    char quoted[200];

    return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: %s: %d %s", what, status,
        status ? mauth_quote(c->answer, strlen(c->answer), quoted, sizeof(quoted))
               : "no answer");
}

static enum mauth_rc
log_in(struct callers *c, size_t i, struct text id_token, struct mauth_err *err)
{
    char request[REQUEST_MAX];
    size_t len = wire_exchange(c->service->port, id_token, request, sizeof(request));
    int status = wire_ask(c->ssl[i], request, len, c->answer, ANSWER_MAX);
    struct text ticket;

    if (status != 200)
        return refused(c, "a login", status, err);
    ticket = member_of(c->answer, "access_token");
    c->ticket[i] = strndup(ticket.p, ticket.len);
    if (!c->ticket[i])
        return mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    return MAUTH_OK;
}

enum mauth_rc
callers_open(struct callers *c, const struct bench_service *service,
    const struct bench_mesh *mesh, const struct bench_tokens *tokens,
    struct mauth_err *err)
{
    char ca_file[PATH_MAX + 16];
    enum mauth_rc rc = MAUTH_OK;
    SSL_CTX *tls;

    memset(c, 0, sizeof(*c));
    c->service = service;
    c->mesh = mesh;
    c->answer = malloc(ANSWER_MAX);
    snprintf(ca_file, sizeof(ca_file), "%s/tls.crt", service->home);
    tls = wire_tls(ca_file);
    if (!tls || !c->answer || clock_getcpuclockid(service->pid, &c->cpu) != 0)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no clients to be had");
    for (size_t i = 0; i < CALLERS && rc == MAUTH_OK; i++) {
        c->ssl[i] = wire_dial(tls, service->port, i);
        if (!c->ssl[i])
            rc = mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no TLS connection");
        else
            rc = log_in(c, i, bench_token(tokens, i), err);
    }
    SSL_CTX_free(tls);
    return rc;
}

void
callers_close(struct callers *c)
{
    for (size_t i = 0; i < CALLERS; i++) {
        wire_hang_up(c->ssl[i]);
        free(c->ticket[i]);
    }
    free(c->answer);
    memset(c, 0, sizeof(*c));
}

/* more: further headers, each with its end of line, then an empty line and the body. */
static enum mauth_rc
ask(struct callers *c, size_t i, const char *method, const char *path, const char *more,
    struct mauth_err *err)
{
    char request[REQUEST_MAX];
    int len = snprintf(request, sizeof(request),
        "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n%s",
        method, path, c->service->port, c->ticket[i], more);
    int status;

    if (len < 0 || len >= (int)sizeof(request))
        return mauth_fail(err, MAUTH_TOO_LARGE, "bench: a request that is too long");
    status = wire_ask(c->ssl[i], request, (size_t)len, c->answer, ANSWER_MAX);
    return status == 200 ? MAUTH_OK : refused(c, path, status, err);
}

/* Whose turn it is, of all but user 0. */
static size_t
next_caller(struct callers *c)
{
    return c->turn++ % (CALLERS - 1) + 1;
}

enum mauth_rc
callers_read(struct callers *c, struct mauth_err *err)
{
    size_t k = c->turn / (CALLERS - 1) % MESH_FOLDERS, i = next_caller(c);
    struct id id = mesh_folder(c->mesh, mesh_caller(c->mesh, i), k);
    char folder[ID_LEN + 1], path[PATH_BYTES];

    id_format(ID_FOLDER, &id, folder);
    snprintf(path, sizeof(path), "/v1/mesh/folders/%s", folder);
    return ask(c, i, "GET", path, "\r\n", err);
}

enum mauth_rc
callers_change(struct callers *c, struct mauth_err *err)
{
    bool lower = c->turn / (CALLERS - 1) % 2;
    size_t i = next_caller(c), owner = mesh_caller(c->mesh, i);
    struct id folder_id = mesh_folder(c->mesh, owner, 0);
    struct id user_id = mesh_user(c->mesh, owner + 1);
    char folder[ID_LEN + 1], user[ID_LEN + 1], path[PATH_BYTES], body[64], more[256];

    id_format(ID_FOLDER, &folder_id, folder);
    id_format(ID_USER, &user_id, user);
    snprintf(path, sizeof(path), "/v1/mesh/folders/%s/members/%s", folder, user);
    snprintf(body, sizeof(body), "{\"role\":\"%s\"}", lower ? "reader" : "contributor");
    snprintf(more, sizeof(more),
        "If-Match: *\r\nContent-Type: application/merge-patch+json\r\n"
        "Content-Length: %zu\r\n\r\n%s",
        strlen(body), body);
    return ask(c, i, "PATCH", path, more, err);
}

static double
cpu_us(const struct callers *c)
{
    struct timespec ts = {0};

    clock_gettime(c->cpu, &ts);
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

enum mauth_rc
callers_measure(
    struct callers *c, callers_fn *fn, size_t count, double *out, struct mauth_err *err)
{
    double start = cpu_us(c);
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < count && rc == MAUTH_OK; i++)
        rc = fn(c, err);
    *out = (cpu_us(c) - start) / (double)count;
    return rc;
}

/* What the service has of its own; pages of its store's map are the kernel's. */
static double
memory_kib(const struct callers *c)
{
    char path[64], line[128];
    double kib = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)c->service->pid);
    f = fopen(path, "r");
    if (!f)
        return 0;
    while (fgets(line, sizeof(line), f))
        if (strncmp(line, "RssAnon:", 8) == 0)
            kib = strtod(line + 8, NULL);
    fclose(f);
    return kib;
}

/* The path of the next page; false when this was the last. */
static bool
next_page(const struct callers *c, char path[PATH_BYTES])
{
    struct text next = member_of(c->answer, "next");
    const char *start = memmem(next.p, next.len, "/v1/", 4);

    if (!start)
        return false;
    snprintf(path, PATH_BYTES, "%.*s", (int)(next.p + next.len - start), start);
    return true;
}

static size_t
count_items(const char *json)
{
    size_t n = 0;

    for (const char *p = json; (p = strstr(p, "\"version\":")); p++)
        n++;
    return n;
}

enum mauth_rc
callers_read_list(struct callers *c, const char *first, struct callers_list *out,
    struct mauth_err *err)
{
    double before = memory_kib(c), grown, ms;
    char path[PATH_BYTES];
    int64_t start;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    snprintf(path, sizeof(path), "%s", first);
    do {
        start = bench_now_ns();
        rc = ask(c, 0, "GET", path, "\r\n", err);
        ms = (double)(bench_now_ns() - start) / 1e6;
        if (rc != MAUTH_OK)
            return rc;
        grown = memory_kib(c) - before;
        out->grown_kib = grown > out->grown_kib ? grown : out->grown_kib;
        out->longest_ms = ms > out->longest_ms ? ms : out->longest_ms;
        out->items += count_items(c->answer);
        out->pages++;
    } while (next_page(c, path) && out->pages < PAGES_MAX);
    return MAUTH_OK;
}
