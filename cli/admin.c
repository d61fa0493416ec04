#include "cli/admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/admin_store.h"
#include "net/fetch.h"

enum {
    ANSWER_MAX = 128 << 20,
    ANSWER_TIMEOUT_MS = 60000,
    PAGES = 1 << 16 /* of a list that has no end */
};

/* Is there somebody at the other end? MAUTH_NOT_FOUND: no. */
static enum mauth_rc
knock(const char *path, struct mauth_err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd, code = 0;

    if (strlen(path) >= sizeof(address.sun_path))
        return mauth_fail(err, MAUTH_INVALID, "%s: too long for a socket", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        code = errno;
    if (fd >= 0)
        close(fd);
    if (code == ENOENT || code == ECONNREFUSED)
        return MAUTH_NOT_FOUND;
    if (code == EACCES)
        return mauth_fail(err, MAUTH_DENIED,
            "%s: only root and the user that meshauthd runs as may ask", path);
    if (code)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", path, strerror(code));
    return MAUTH_OK;
}

enum command_exit
admin_failed(const struct call *call, const struct mauth_err *err)
{
    command_complain(call, "%s", err->text);
    switch (err->rc) {
    case MAUTH_DENIED:
    case MAUTH_NOT_FOUND:
    case MAUTH_CONFLICT: return COMMAND_REFUSED;
    default: return COMMAND_FAILED;
    }
}

enum command_exit
admin_open(const struct call *call, const char *file, struct admin *out)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    if (!file)
        return command_misused(call, "-c FILE is missing: the service's meshauth.conf");
    if (config_load(file, &out->config, &err) != MAUTH_OK)
        return command_misconfigured(call, &err);
    rc = knock(out->config->listen.admin_socket, &err);
    out->served = rc == MAUTH_OK;
    if (rc != MAUTH_OK && rc != MAUTH_NOT_FOUND)
        return admin_failed(call, &err);
    return COMMAND_DONE;
}

void
admin_close(struct admin *a)
{
    config_free(a->config);
}

const char *
admin_text(const json_t *node, const char *name)
{
    const char *s = json_string_value(json_object_get(node, name));

    return s ? s : "";
}

/* Asking the service. */

/* A problem document (RFC 9457), as our own failure. */
static enum mauth_rc
take_problem(const json_t *o, long status, struct mauth_err *err)
{
    static const struct {
        long status;
        enum mauth_rc rc;
    } codes[] = {{400, MAUTH_DENIED}, {403, MAUTH_DENIED}, {404, MAUTH_NOT_FOUND},
        {409, MAUTH_CONFLICT}, {412, MAUTH_CONFLICT}, {413, MAUTH_DENIED}};
    const char *detail = admin_text(o, "detail"), *title = admin_text(o, "title");
    enum mauth_rc rc = MAUTH_UNAVAILABLE;
    char quoted[192];

    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
        if (codes[i].status == status)
            rc = codes[i].rc;
    if (!*detail)
        detail = title;
    mauth_quote(detail, strlen(detail), quoted, sizeof(quoted));
    if (*quoted)
        return mauth_fail(err, rc, "%s", quoted);
    return mauth_fail(err, rc, "the service answered with status %ld", status);
}

static enum mauth_rc
take_answer(const struct buf *body, long status, json_t **out, struct mauth_err *err)
{
    json_t *o =
        json_loadb((const char *)body->data, body->len, JSON_REJECT_DUPLICATES, NULL);
    enum mauth_rc rc = MAUTH_OK;

    if (status < 200 || status > 299)
        rc = take_problem(o, status, err);
    else if (body->len && !json_is_object(o))
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "the service's answer is no object");
    else
        *out = json_incref(o);
    json_decref(o);
    return rc;
}

/* The body as text, for PATCH a merge patch; a change of what is there needs a match. */
static enum mauth_rc
send_request(struct fetch *f, const struct admin_request *r, long *status,
    struct buf *answer, struct mauth_err *err)
{
    static const char *const match[] = {"If-Match: *", NULL};
    bool patch = strcmp(r->method, "PATCH") == 0;
    char *body = r->body ? json_dumps(r->body, JSON_COMPACT) : NULL;
    struct fetch_request request = {.method = r->method};
    enum mauth_rc rc;
    struct buf url;

    buf_init(&url);
    buf_printf(&url, "http://localhost%s", r->path);
    request.url = buf_cstr(&url);
    if (body) {
        request.body = text_of(body);
        request.content_type =
            patch ? "application/merge-patch+json" : "application/json";
    }
    if (patch || strcmp(r->method, "DELETE") == 0)
        request.headers = match;
    if (!request.url || (r->body && !body))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    else
        rc = fetch_do(f, &request, status, answer, err);
    buf_clear(&url);
    free(body);
    return rc;
}

enum mauth_rc
admin_ask(const struct admin *a, const struct admin_request *r, json_t **out,
    struct mauth_err *err)
{
    const struct fetch_options o = {
        .unix_socket = a->config->listen.admin_socket,
        .max_bytes = ANSWER_MAX,
        .timeout_ms = r->timeout_ms ? r->timeout_ms : ANSWER_TIMEOUT_MS,
    };
    struct fetch *f = NULL;
    struct buf answer;
    enum mauth_rc rc;
    long status = 0;

    *out = NULL;
    buf_init(&answer);
    rc = net_init(err);
    if (rc == MAUTH_OK)
        rc = fetch_open(&o, &f, err);
    if (rc == MAUTH_OK)
        rc = send_request(f, r, &status, &answer, err);
    if (rc == MAUTH_OK)
        rc = take_answer(&answer, status, out, err);
    fetch_close(f);
    buf_clear(&answer);
    return rc;
}

/* Ids are names as well, but for keys'. */
static bool
may_be_named(enum admin_kind kind, const char *whom)
{
    return kind == ADMIN_KEYS ? admin_key_is_id(text_of(whom))
                              : str_is_name(text_of(whom));
}

static enum mauth_rc
nobody(enum admin_kind kind, const char *whom, struct mauth_err *err)
{
    static const struct {
        const char *noun, *hint;
    } kinds[ADMIN_KINDS] = {
        [ADMIN_USERS] = {"user", "; `meshauth user list` shows them"},
        [ADMIN_SERVICES] = {"service", "; `meshauth service list` shows them"},
        [ADMIN_ROLES] = {"principal",
            ", which is a user, usr_..., or a service, svc_... or its name"},
        [ADMIN_REVOCATIONS] = {"revocation", ""},
        [ADMIN_ERASURES] = {"user", ", and there never was one"},
        [ADMIN_KEYS] = {"signing key", "; `meshauth keys list` shows them"},
        [ADMIN_METADATA_KEY] = {"metadata key", ""},
    };
    char quoted[64];

    mauth_quote(whom, strlen(whom), quoted, sizeof(quoted));
    return mauth_fail(err, MAUTH_NOT_FOUND, "there is no %s %s%s", kinds[kind].noun,
        quoted, kinds[kind].hint);
}

enum mauth_rc
admin_show(const struct admin *a, enum admin_kind kind, const char *whom, json_t **out,
    struct mauth_err *err)
{
    struct admin_question question = {.kind = kind, .whom = whom};
    char path[256];
    const struct admin_request request = {.method = "GET", .path = path};
    enum mauth_rc rc = MAUTH_NOT_FOUND;

    *out = NULL;
    snprintf(path, sizeof(path), "/v1/admin/%s/%s", admin_kind_name(kind), whom);
    if (!may_be_named(kind, whom))
        return nobody(kind, whom, err);
    if (!a->served)
        rc = admin_store_look(a, &question, out, err);
    else
        rc = admin_ask(a, &request, out, err);
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    mauth_err_reset(err);
    return nobody(kind, whom, err);
}

/* One page; the next one goes on behind what "next" says. whom: of his sessions. */
static enum mauth_rc
list_page(const struct admin *a, enum admin_kind kind, const char *whom,
    const char *after, json_t **out, struct mauth_err *err)
{
    struct admin_question question = {
        .kind = kind, .whom = whom, .sessions = whom, .after = after};
    char path[256];
    const struct admin_request request = {.method = "GET", .path = path};

    if (!a->served)
        return admin_store_look(a, &question, out, err);
    snprintf(path, sizeof(path), "/v1/admin/%s%s%s%s%s%s", admin_kind_name(kind),
        whom ? "/" : "", whom ? whom : "", whom ? "/sessions" : "",
        after ? "?after=" : "", after ? after : "");
    return admin_ask(a, &request, out, err);
}

enum mauth_rc
admin_list(const struct admin *a, enum admin_kind kind, const char *whom, json_t **out,
    struct mauth_err *err)
{
    json_t *all = json_array(), *page = NULL;
    const char *next, *mark, *after = NULL;
    enum mauth_rc rc = MAUTH_OK;
    char kept[160] = "";

    *out = NULL;
    for (int i = 0; i < PAGES && rc == MAUTH_OK && (i == 0 || after); i++) {
        rc = list_page(a, kind, whom, after, &page, err);
        if (rc == MAUTH_OK && json_array_extend(all, json_object_get(page, "items")))
            rc = mauth_fail(err, MAUTH_UNAVAILABLE, "the answer is no list");
        next = admin_text(page, "next");
        mark = strstr(next, "?after=");
        snprintf(kept, sizeof(kept), "%s", mark ? mark + strlen("?after=") : "");
        after = mark ? kept : NULL;
        json_decref(page);
    }
    if (rc == MAUTH_OK)
        *out = all;
    else
        json_decref(all);
    return rc;
}

/* Changes. */

static enum admin_kind
kind_of(const struct admin_change *c)
{
    if (admin_change_is_of_key(c))
        return ADMIN_KEYS;
    if (c->op == ADMIN_USER_DELETE)
        return ADMIN_USERS;
    if (c->op == ADMIN_ERASE)
        return ADMIN_ERASURES;
    return c->role ? ADMIN_ROLES : ADMIN_SERVICES;
}

/* Of whom there is nothing to be changed. */
static enum mauth_rc
not_found(const struct admin_change *c, struct mauth_err *err)
{
    if (!c->whom)
        return MAUTH_NOT_FOUND;
    mauth_err_reset(err);
    if (c->op == ADMIN_SESSION_CLOSE)
        return mauth_fail(
            err, MAUTH_NOT_FOUND, "there is no open session %.64s", c->whom);
    if (c->op == ADMIN_REVOKE)
        return mauth_fail(
            err, MAUTH_NOT_FOUND, "%s: there is nothing that could be ended", c->whom);
    if (c->op == ADMIN_ROLE_REVOKE)
        return mauth_fail(err, MAUTH_NOT_FOUND, "%s has no role %s", c->whom, c->role);
    return nobody(kind_of(c), c->whom, err);
}

static json_t *
service_body(const struct admin_change *c)
{
    const struct graph_service *s = &c->service;
    json_t *o = json_object(), *actions = json_array();
    char pem[ADMIN_PEM_MAX] = "";

    if (c->op == ADMIN_SERVICE_CREATE)
        json_object_set_new(o, "name", json_string(s->name));
    if (c->gives & ADMIN_GIVES_KEY) {
        if (s->spki_len)
            admin_view_pem(s->spki, s->spki_len, pem);
        json_object_set_new(o, "key", json_string(pem));
    }
    if (c->gives & ADMIN_GIVES_PREFIX)
        json_object_set_new(o, "prefix", json_string(s->url));
    for (size_t i = 0; i < s->actions; i++)
        json_array_append_new(actions, json_string(s->action[i]));
    if (c->gives & ADMIN_GIVES_ACTIONS)
        json_object_set(o, "actions", actions);
    json_decref(actions);
    return o;
}

static void
set_time(json_t *o, const char *name, int64_t t_s)
{
    char text[TIME_LEN + 1];

    time_format(t_s, text);
    if (t_s)
        json_object_set_new(o, name, json_string(text));
}

static json_t *
new_key_body(const struct admin_key *k)
{
    json_t *o = k->token[0]
                    ? json_pack("{s:s}", "pkcs11", k->token)
                    : json_pack("{s:s}", "algorithm", signer_kind_name(k->kind));
    struct text rest = text_of(k->audiences), one;
    json_t *list = json_array();

    set_time(o, "from", k->from_s);
    set_time(o, "until", k->until_s);
    while (text_cut(&rest, ',', &one))
        json_array_append_new(list, json_stringn(one.p, one.len));
    if (rest.len) {
        json_array_append_new(list, json_stringn(rest.p, rest.len));
        json_object_set(o, "audiences", list);
    }
    json_decref(list);
    return o;
}

static json_t *
revoke_body(const struct admin_change *c)
{
    struct text rest = text_of(c->whom), one;
    json_t *ids = json_array();

    while (text_cut(&rest, '+', &one))
        json_array_append_new(ids, json_stringn(one.p, one.len));
    json_array_append_new(ids, json_stringn(rest.p, rest.len));
    return json_pack("{s:o, s:s*}", "ids", ids, "note", c->note);
}

/* NULL: none. */
static json_t *
body_of(const struct admin_change *c)
{
    if (c->op == ADMIN_SERVICE_CREATE || c->op == ADMIN_SERVICE_UPDATE)
        return service_body(c);
    if (c->op == ADMIN_REVOKE)
        return revoke_body(c);
    if (c->op == ADMIN_KEY_PREPARE)
        return new_key_body(&c->key);
    if (c->op == ADMIN_KEY_ACTIVATE)
        return json_pack("{s:b}", "force", c->key.force);
    return NULL;
}

static enum mauth_rc
do_by_service(
    const struct admin *a, struct admin_change *c, json_t **out, struct mauth_err *err)
{
    static const struct {
        const char *method, *kind, *action;
    } ways[] = {
        [ADMIN_SERVICE_CREATE] = {"POST", "services", ""},
        [ADMIN_SERVICE_UPDATE] = {"PATCH", "services", ""},
        [ADMIN_SERVICE_DELETE] = {"DELETE", "services", ""},
        [ADMIN_ROLE_GRANT] = {"PUT", "roles", ""},
        [ADMIN_ROLE_REVOKE] = {"DELETE", "roles", ""},
        [ADMIN_USER_DELETE] = {"DELETE", "users", ""},
        [ADMIN_SESSION_CLOSE] = {"DELETE", "sessions", ""},
        [ADMIN_TICKET_REVOKE] = {"DELETE", "tickets", ""},
        [ADMIN_REVOKE] = {"POST", "revocations", ""},
        [ADMIN_KEY_PREPARE] = {"POST", "keys", ""},
        [ADMIN_KEY_ACTIVATE] = {"POST", "keys", "/activate"},
        [ADMIN_KEY_REVOKE] = {"POST", "keys", "/revoke"},
        [ADMIN_ERASE] = {"PUT", "erasures", ""},
    };
    const char *whom = c->op == ADMIN_REVOKE ? NULL : c->whom; /* that is in the body */
    json_t *body = body_of(c);
    char path[256];
    const struct admin_request request = {
        .method = ways[c->op].method, .path = path, .body = body};
    enum mauth_rc rc;

    snprintf(path, sizeof(path), "/v1/admin/%s%s%s%s%s%s", ways[c->op].kind,
        whom ? "/" : "", whom ? whom : "", c->role ? "/" : "", c->role ? c->role : "",
        ways[c->op].action);
    rc = admin_ask(a, &request, out, err);
    json_decref(body);
    return rc;
}

enum mauth_rc
admin_do(
    const struct admin *a, struct admin_change *c, json_t **out, struct mauth_err *err)
{
    enum mauth_rc rc;

    *out = NULL;
    if (c->whom && !may_be_named(kind_of(c), c->whom) && c->op != ADMIN_TICKET_REVOKE &&
        c->op != ADMIN_REVOKE)
        return nobody(c->role ? ADMIN_SERVICES : kind_of(c), c->whom, err);
    if (c->role && !str_is_name(text_of(c->role)))
        return mauth_fail(err, MAUTH_DENIED,
            "a role's name is [a-z][a-z0-9_.-]*, 64 characters at most");
    rc = a->served ? do_by_service(a, c, out, err) : admin_store_do(a, c, out, err);
    return rc == MAUTH_NOT_FOUND ? not_found(c, err) : rc;
}
