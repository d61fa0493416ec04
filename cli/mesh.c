#include "cli/mesh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/account.h"
#include "cli/account_choice.h"
#include "cli/mesh_tickets.h"
#include "cli/output.h"
#include "cli/token_exchange.h"
#include "net/fetch.h"

#define PROBLEM "urn:meshauth:problem:"

enum {
    PAGES = 1 << 16, /* of a list that has no end */
    TRIES = 2,       /* of a change, while others change the same */
    HEADERS = 4,
    STATUS_UNAUTHORIZED = 401,
    STATUS_STALE = 412,
    TEXT_MAX = 300 /* of the service's in a message */
};

struct mesh {
    const struct call *call;
    const struct mesh_hint *hints;
    struct service_url service;
    struct account *account;
    struct fetch *fetch;
};

/* What would be right, whatever was asked; %s is the service's URL. */
static const struct mesh_hint general_hints[] = {
    {"session", "That is `meshauth login %s`."},
    {"expired", "That is `meshauth login %s`."},
    {"revoked", "That is `meshauth login %s`."},
    {"key-revoked", "Log in again: `meshauth login %s`."},
    {"key-unknown", "Log in again: `meshauth login %s`."},
    {"holder", "This device's key is another one by now: `meshauth login %s`."},
    {"claimed",
        "Who has claimed it releases it first, with `meshauth device release`."},
    {"version", "Others change it, too; try again."},
    {NULL, NULL},
};

struct fetch *
mesh_fetch(const struct mesh *m)
{
    return m->fetch;
}

const struct account *
mesh_account(const struct mesh *m)
{
    return m->account;
}

const char *
mesh_user(const struct mesh *m)
{
    return mauth_ticket_subject(grant_ticket(account_grant(m->account), 0));
}

const char *
mesh_key(const struct mesh *m)
{
    return mauth_key_id(account_key(m->account));
}

static enum command_exit
load(struct mesh *m)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct fetch_options o = {.max_bytes = 0};
    enum mauth_rc rc;

    rc = account_load(&m->service, &m->account, &err);
    if (rc == MAUTH_NOT_FOUND) {
        command_complain(m->call,
            "Nobody is logged in at %s; `meshauth login %s` does that.",
            m->service.text, m->service.text);
        return COMMAND_REFUSED;
    }
    if (rc == MAUTH_OK)
        rc = net_init(&err);
    if (rc == MAUTH_OK) {
        o.ca_file = account_ca_file(m->account);
        o.cert_file = account_certificate_file(m->account);
        o.key_file = account_key_file(m->account);
        rc = fetch_open(&o, &m->fetch, &err);
    }
    return rc == MAUTH_OK ? COMMAND_DONE : command_failed(m->call, &err);
}

enum command_exit
mesh_open(const struct call *call, const struct service_url *service,
    const struct mesh_hint *hints, struct mesh **out)
{
    struct mesh *m = calloc(1, sizeof(*m));

    *out = m;
    if (!m) {
        command_complain(call, "no memory");
        return COMMAND_FAILED;
    }
    m->call = call;
    m->hints = hints;
    m->service = *service;
    return load(m);
}

void
mesh_close(struct mesh *m)
{
    if (!m)
        return;
    fetch_close(m->fetch);
    account_free(m->account);
    free(m);
}

enum command_exit
mesh_log_out(struct mesh *m)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    return account_forget(m->account, &err) == MAUTH_OK ? COMMAND_DONE
                                                        : command_failed(m->call, &err);
}

enum command_exit
mesh_run(const struct call *call, const struct mesh_hint *hints, mesh_work *work)
{
    struct service_url service;
    enum command_exit code;
    struct mesh *m = NULL;

    code = account_choose(call, call->option[0], NULL, &service);
    if (code == COMMAND_DONE)
        code = mesh_open(call, &service, hints, &m);
    if (code == COMMAND_DONE)
        code = work(m, call);
    mesh_close(m);
    return code;
}

/* One exchange. */

/* The ticket goes to its issuer and nowhere else, whatever a node links to. */
static enum mauth_rc
write_url(const struct mesh *m, const char *url, struct buf *out, struct mauth_err *err)
{
    size_t len = strlen(m->service.text);

    if (!strstr(url, "://"))
        buf_printf(out, "%s/v1/mesh/%s", m->service.text, url);
    else if (strncmp(url, m->service.text, len) == 0 && url[len] == '/')
        buf_str(out, url);
    else
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "the service names a place that is not its own");
    return buf_cstr(out) ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
}

struct exchange {
    struct buf url;
    struct buf authorization; /* secret */
    struct buf match;
    char *body; /* may hold a secret */
    struct buf answer;
    long status;
};

static void
exchange_clear(struct exchange *x)
{
    if (x->body)
        mauth_wipe(x->body, strlen(x->body));
    free(x->body);
    buf_clear(&x->answer);
    buf_clear(&x->match);
    buf_clear(&x->authorization);
    buf_clear(&x->url);
}

static enum mauth_rc
send_request(const struct mesh *m, const struct mesh_request *r, struct exchange *x,
    struct mauth_err *err)
{
    const char *headers[HEADERS + 1] = {"Accept: application/json"};
    struct fetch_request f = {.method = r->method, .headers = headers};
    size_t n = 1;
    bool ok;

    if (!r->anyone) {
        buf_printf(&x->authorization, "Authorization: Bearer %s",
            grant_credential(account_grant(m->account), 0));
        headers[n++] = buf_cstr(&x->authorization);
    }
    if (r->match) {
        buf_printf(&x->match, "If-Match: %s", r->match);
        headers[n++] = buf_cstr(&x->match);
    }
    if (r->body) {
        x->body = json_dumps(r->body, JSON_COMPACT);
        f.body = text_of(x->body);
        f.content_type = strcmp(r->method, "PATCH") == 0
                             ? "application/merge-patch+json"
                             : "application/json";
    }
    f.url = buf_cstr(&x->url);
    ok = f.url && (!r->body || x->body);
    for (size_t i = 0; i < n; i++)
        ok = ok && headers[i];
    if (!ok)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    return fetch_do(m->fetch, &f, &x->status, &x->answer, err);
}

static enum mauth_rc
exchange(const struct mesh *m, const struct mesh_request *r, struct exchange *x,
    struct mauth_err *err)
{
    enum mauth_rc rc;

    memset(x, 0, sizeof(*x));
    buf_init(&x->url);
    buf_init_secret(&x->authorization);
    buf_init(&x->match);
    buf_init_secret(&x->answer);
    rc = write_url(m, r->url, &x->url, err);
    return rc ? rc : send_request(m, r, x, err);
}

/* Problems. */

static const char *
find_hint(const struct mesh_hint *hints, const char *problem)
{
    for (; hints && hints->problem; hints++)
        if (strcmp(hints->problem, problem) == 0)
            return hints->text;
    return NULL;
}

/* As a sentence follows another, or "". */
static void
write_hint(const struct mesh *m, const char *problem, char *out, size_t size)
{
    const char *text = find_hint(m->hints, problem), *mark;

    if (!text)
        text = find_hint(general_hints, problem);
    mark = text ? strstr(text, "%s") : NULL;
    if (mark)
        snprintf(out, size, " %.*s%s%s", (int)(mark - text), text, m->service.text,
            mark + 2);
    else
        snprintf(out, size, "%s%s", text ? " " : "", text ? text : "");
}

/* The service's own words (RFC 9457), escaped when they are printed. */
static enum command_exit
say_problem(const struct mesh *m, const json_t *o, long status)
{
    const char *title = mesh_text(o, "title"), *detail = mesh_text(o, "detail");
    const char *type = mesh_text(o, "type"), *request = mesh_text(o, "request_id");
    char hint[TEXT_MAX + SERVICE_URL_MAX];

    if (*title && text_starts(text_of(type), PROBLEM)) {
        type += strlen(PROBLEM);
        write_hint(m, type, hint, sizeof(hint));
        command_complain(m->call, "%.*s%s%.*s%s (%.64s%s%.64s)", TEXT_MAX, title,
            *detail ? " " : "", TEXT_MAX, detail, hint, type,
            *request ? ", request " : "", request);
    } else {
        command_complain(m->call,
            "%s answered with status %ld and no reason; is this an account service?",
            m->service.text, status);
    }
    return status >= 500 || status == 429 ? COMMAND_FAILED : COMMAND_REFUSED;
}

static enum command_exit
take_answer(const struct mesh *m, const struct exchange *x, json_t **out)
{
    json_t *o = json_loadb(
        (const char *)x->answer.data, x->answer.len, JSON_REJECT_DUPLICATES, NULL);
    enum command_exit code = COMMAND_DONE;

    if (x->status < 200 || x->status > 299) {
        code = say_problem(m, o, x->status);
    } else if (x->answer.len && !json_is_object(o)) {
        command_complain(m->call, "the answer of %s is no object", m->service.text);
        code = COMMAND_FAILED;
    } else {
        mesh_keep_tickets(m->call, m->account, o);
        if (out)
            *out = json_incref(o);
    }
    json_decref(o);
    return code;
}

/* No word came back. */
static enum command_exit
say_silence(const struct mesh *m, const struct mauth_err *err)
{
    if (err->rc == MAUTH_UNAVAILABLE)
        command_complain(
            m->call, "%s; meshauthd must run at %s", err->text, m->service.text);
    else
        command_complain(m->call, "%s", err->text);
    return COMMAND_FAILED;
}

/* Before anything is sent. */
static enum command_exit
check_request(const struct mesh *m, const struct mesh_request *r)
{
    bool has_body = strcmp(r->method, "POST") == 0 || strcmp(r->method, "PATCH") == 0;
    struct mauth_err err = MAUTH_ERR_INIT;
    struct token_refusal no;
    enum mauth_rc rc;

    if (has_body && !r->body) /* jansson takes nothing else */
        return command_misused(m->call, "what is typed must be UTF-8");
    if (r->anyone)
        return COMMAND_DONE;
    rc = token_keep_fresh(m->account, time_now_s(), &no, &err);
    if (rc == MAUTH_OK)
        return COMMAND_DONE;
    if (rc == MAUTH_DENIED)
        command_complain(m->call,
            "The login at %s is over: %s Log in again: `meshauth login %s`.",
            m->service.text, no.text, m->service.text);
    else
        command_complain(m->call,
            "The login at %s has run out, and cannot be renewed: %s", m->service.text,
            err.text);
    return rc == MAUTH_DENIED ? COMMAND_REFUSED : COMMAND_FAILED;
}

/* A ticket may be dead before its time: other rules, a role that was taken away. */
static enum mauth_rc
exchange_twice(const struct mesh *m, const struct mesh_request *r, struct exchange *x,
    struct mauth_err *err)
{
    enum mauth_rc rc = exchange(m, r, x, err);
    struct token_refusal no;

    if (rc != MAUTH_OK || x->status != STATUS_UNAUTHORIZED || r->anyone ||
        token_renew(m->account, &no, NULL) != MAUTH_OK)
        return rc;
    exchange_clear(x);
    return exchange(m, r, x, err);
}

/* *stale is set, and nothing said, when the node is not what it was any more. */
static enum command_exit
ask(const struct mesh *m, const struct mesh_request *r, bool *stale, json_t **out)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code = check_request(m, r);
    struct exchange x;

    if (out)
        *out = NULL;
    if (code != COMMAND_DONE)
        return code;
    if (exchange_twice(m, r, &x, &err) != MAUTH_OK)
        code = say_silence(m, &err);
    else if (stale && x.status == STATUS_STALE)
        *stale = true;
    else
        code = take_answer(m, &x, out);
    exchange_clear(&x);
    return code;
}

enum command_exit
mesh_ask(const struct mesh *m, const struct mesh_request *r, json_t **out)
{
    return ask(m, r, NULL, out);
}

enum command_exit
mesh_read(const struct mesh *m, const char *url, json_t **out)
{
    const struct mesh_request r = {.method = "GET", .url = url};

    return mesh_ask(m, &r, out);
}

enum command_exit
mesh_list(const struct mesh *m, const char *url, json_t **out)
{
    json_t *all = json_array(), *page = NULL, *last = NULL;
    enum command_exit code = COMMAND_DONE;

    *out = NULL;
    for (int i = 0; i < PAGES && (i == 0 || *url) && code == COMMAND_DONE; i++) {
        code = mesh_read(m, url, &page);
        if (code == COMMAND_DONE &&
            json_array_extend(all, json_object_get(page, "items")) != 0) {
            command_complain(m->call, "the answer of %s is no list", m->service.text);
            code = COMMAND_FAILED;
        }
        url = mesh_text(page, "next");
        json_decref(last);
        last = page; /* url is of it */
        page = NULL;
    }
    json_decref(last);
    if (code == COMMAND_DONE)
        *out = all;
    else
        json_decref(all);
    return code;
}

/* As the node stands: read, then changed if it is still so. */
static enum command_exit
change(const struct mesh *m, const char *method, const char *url, const json_t *body,
    json_t **out)
{
    char etag[32];
    const struct mesh_request r = {
        .method = method, .url = url, .body = body, .match = etag};
    enum command_exit code = COMMAND_FAILED;
    bool stale = true;
    json_t *node;

    if (out)
        *out = NULL;
    for (int i = 1; i <= TRIES && stale; i++) {
        stale = false;
        code = mesh_read(m, url, &node);
        if (code != COMMAND_DONE)
            return code;
        snprintf(etag, sizeof(etag), "\"%" JSON_INTEGER_FORMAT "\"",
            json_integer_value(json_object_get(node, "version")));
        json_decref(node);
        code = ask(m, &r, i < TRIES ? &stale : NULL, out);
    }
    return code;
}

enum command_exit
mesh_patch(const struct mesh *m, const char *url, const json_t *body, json_t **out)
{
    return change(m, "PATCH", url, body, out);
}

enum command_exit
mesh_delete(const struct mesh *m, const char *url)
{
    return change(m, "DELETE", url, NULL, NULL);
}
