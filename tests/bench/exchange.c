#include "tests/bench/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/time.h"
#include "store/graph_service.h"
#include "tests/bench/wire.h"

enum {
    REQUEST_MAX = 16 << 10,
    ANSWER_MAX = 64 << 10
};

static enum mauth_rc
put_relay(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct graph_service s = {.name = "relay", .created_s = time_now_s()};
    enum mauth_rc rc = id_new(&s.id, err);

    (void)arg;
    return rc ? rc : graph_service_create(txn, &s, err);
}

enum mauth_rc
exchange_put_relay(struct kv *kv, struct mauth_err *err)
{
    return kv_write(kv, put_relay, NULL, err);
}

static enum mauth_rc
refused(const char *what, int status, const char *answer, struct mauth_err *err)
{
    char quoted[200];

    return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: %s: %d %s", what, status,
        status ? mauth_quote(answer, strlen(answer), quoted, sizeof(quoted))
               : "no answer");
}

/* The user's name for a login is as bench_tokens_make() gives it. */
static enum mauth_rc
log_in(struct exchange *e, struct bench_load *l, size_t i, char *answer,
    struct mauth_err *err)
{
    static const char member[] = "\"access_token\":\"";
    char request[REQUEST_MAX];
    size_t len = exchange_login(e, i, request, sizeof(request));
    int status = len ? bench_load_ask(l, i, request, len, answer, ANSWER_MAX) : 0;
    const char *ticket = status == 200 ? strstr(answer, member) : NULL;

    if (!ticket)
        return refused("a login", status, answer, err);
    ticket += strlen(member);
    e->ticket[i] = strndup(ticket, strcspn(ticket, "\""));
    if (!e->ticket[i])
        return mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    return MAUTH_OK;
}

static enum mauth_rc
claim(struct exchange *e, struct bench_load *l, size_t i, char *answer,
    struct mauth_err *err)
{
    static const char body[] = "{\"name\":\"A device\"}";
    char request[REQUEST_MAX];
    int len = snprintf(request, sizeof(request),
        "POST /v1/mesh/devices HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
        "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
        "Content-Length: %zu\r\n\r\n%s",
        e->port, e->ticket[i], sizeof(body) - 1, body);
    int status = bench_load_ask(l, i, request, (size_t)len, answer, ANSWER_MAX);

    return status == 201 ? MAUTH_OK : refused("a claim", status, answer, err);
}

enum mauth_rc
exchange_begin(struct exchange *e, struct bench_load *l, struct mauth_err *err)
{
    char *answer = calloc(1, ANSWER_MAX);
    enum mauth_rc rc = MAUTH_OK;

    e->ticket = calloc(e->mesh->callers, sizeof(*e->ticket));
    if (!answer || !e->ticket)
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    for (size_t i = 0; i < e->mesh->callers && rc == MAUTH_OK; i++) {
        rc = log_in(e, l, i, answer, err);
        if (rc == MAUTH_OK)
            rc = claim(e, l, i, answer, err);
    }
    free(answer);
    return rc;
}

void
exchange_clear(struct exchange *e)
{
    for (size_t i = 0; e->ticket && i < e->mesh->callers; i++)
        free(e->ticket[i]);
    free(e->ticket);
    e->ticket = NULL;
}

/* Tokens are of the users in turn, and each connection has its own user. */
size_t
exchange_login(void *arg, size_t connection, char *out, size_t max)
{
    struct exchange *e = arg;
    size_t users = e->mesh->callers, token;

    token = e->next++ / users * users + connection;
    if (token >= bench_tokens_count(e->tokens))
        return 0;
    return wire_exchange(e->port, bench_token(e->tokens, token), out, max);
}

/* what: the parameters that say what for. */
static size_t
write_exchange(const struct exchange *e, size_t connection, const char *what, char *out,
    size_t max)
{
    static const char form[] =
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange"
        "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Asaml2"
        "&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Asaml2"
        "&subject_token=";
    const char *ticket = e->ticket[connection];

    return (size_t)snprintf(out, max,
        "POST /v1/token HTTP/1.1\r\n"
        "Host: 127.0.0.1:%d\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: %zu\r\n\r\n%s%s%s",
        e->port, sizeof(form) - 1 + strlen(ticket) + strlen(what), form, ticket, what);
}

size_t
exchange_rights(void *arg, size_t connection, char *out, size_t max)
{
    struct exchange *e = arg;
    size_t user = mesh_caller(e->mesh, connection);
    struct id id = mesh_folder(e->mesh, user, e->turn++ % MESH_FOLDERS);
    char folder[ID_LEN + 1], what[256];

    id_format(ID_FOLDER, &id, folder);
    snprintf(what, sizeof(what),
        "&audience=urn%%3Ameshauth%%3Aservice%%3Astorage&scope=read"
        "&resource=https%%3A%%2F%%2F127.0.0.1%%3A%d%%2Fv1%%2Fmesh%%2Ffolders%%2F%s",
        e->port, folder);
    return write_exchange(e, connection, what, out, max);
}

size_t
exchange_sync(void *arg, size_t connection, char *out, size_t max)
{
    struct exchange *e = arg;
    size_t user = mesh_caller(e->mesh, connection);
    struct id id = mesh_device(e->mesh, user, e->turn++ % MESH_DEVICES);
    char peer[ID_LEN + 1], what[384];

    id_format(ID_DEVICE, &id, peer);
    snprintf(what, sizeof(what),
        "&audience=urn%%3Ameshauth%%3Aservice%%3Arelay"
        "&audience=urn%%3Ameshauth%%3Adevice%%3A%s&scope=sync"
        "&resource=https%%3A%%2F%%2F127.0.0.1%%3A%d%%2Fv1%%2Fmesh%%2Fdevices%%2F%s",
        peer, e->port, peer);
    return write_exchange(e, connection, what, out, max);
}
