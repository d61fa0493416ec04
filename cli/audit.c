/* meshauth audit query */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/output.h"
#include "config/config.h"
#include "net/fetch.h"
#include "store/audit_query.h"

enum {
    OPT_CONFIG,
    OPT_FIRST_FILTER
};

/* Behind -c they carry the names of the filters. */
static const struct command_option options[] = {
    [OPT_CONFIG] = {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    {"since", 0, "TIME", "from this time on, like 2026-11-22T10:05:00Z"},
    {"until", 0, "TIME", "before this time"},
    {"actor", 0, "WHO", "usr_..., svc_..., uid:0, meshauthd"},
    {"action", 0, "NAME", "login, ticket.issue, user.create, refused, ..."},
    {"outcome", 0, "NAME", "allow, deny, done"},
    {"reason", 0, "NAME", "why it was refused"},
    {"ticket", 0, "ID", "about this ticket"},
    {"session", 0, "ID", "about this session"},
    {"limit", 0, "N", "the newest N (100; 10000 are the most)"},
    {NULL, 0, NULL, NULL},
};

enum {
    ANSWER_MAX = 128 << 20,
    ANSWER_TIMEOUT_MS = 60000
};

struct question {
    struct audit_filter filter;
    struct buf query; /* as in a URL */
};

static enum command_exit
read_filters(const struct call *call, struct question *q)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    for (size_t i = OPT_FIRST_FILTER; options[i].name; i++) {
        const char *value = call->option[i];

        if (!value)
            continue;
        if (audit_query_set(&q->filter, options[i].name, value, &err) != MAUTH_OK)
            return command_misused(call, "--%s", err.text);
        buf_printf(&q->query, "%s%s=", q->query.len ? "&" : "", options[i].name);
        fetch_form_escape(&q->query, value, strlen(value));
    }
    return COMMAND_DONE;
}

/* Asking the service. */

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

static enum mauth_rc
take_items(const struct buf *body, long status, json_t **out, struct mauth_err *err)
{
    json_t *o =
        json_loadb((const char *)body->data, body->len, JSON_REJECT_DUPLICATES, NULL);
    json_t *items = json_object_get(o, "items");
    enum mauth_rc rc = MAUTH_OK;

    if (status == 200 && json_is_array(items))
        *out = json_incref(items);
    else if (status == 200)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "the service's answer is no list");
    else
        rc = mauth_fail(
            err, MAUTH_UNAVAILABLE, "the service answered with status %ld", status);
    json_decref(o);
    return rc;
}

static enum mauth_rc
ask_service(
    const struct config *c, const char *query, json_t **out, struct mauth_err *err)
{
    const struct fetch_options o = {
        .unix_socket = c->listen.admin_socket,
        .max_bytes = ANSWER_MAX,
        .timeout_ms = ANSWER_TIMEOUT_MS,
    };
    struct fetch_request r = {0};
    struct fetch *f = NULL;
    struct buf url, body;
    enum mauth_rc rc;
    long status = 0;

    buf_init(&url);
    buf_init(&body);
    buf_str(&url, "http://localhost/v1/audit");
    if (*query)
        buf_printf(&url, "?%s", query);
    r.url = buf_cstr(&url);
    if (r.url)
        rc = net_init(err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    if (rc == MAUTH_OK)
        rc = fetch_open(&o, &f, err);
    if (rc == MAUTH_OK)
        rc = fetch_do(f, &r, &status, &body, err);
    if (rc == MAUTH_OK)
        rc = take_items(&body, status, out, err);
    fetch_close(f);
    buf_clear(&body);
    buf_clear(&url);
    return rc;
}

/* Asking the store, while no service has it. */

struct reading {
    const struct question *q;
    struct audit_entry *entry; /* the question is on record before its answer */
    json_t *items;
    bool failed;
};

static enum mauth_rc
record(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return audit_append(txn, ((const struct reading *)arg)->entry, err);
}

static bool
add_item(uint64_t sequence, struct text json, void *arg)
{
    struct reading *r = arg;

    (void)sequence;
    if (json_array_append_new(r->items, json_loadb(json.p, json.len, 0, NULL)) != 0)
        r->failed = true;
    return !r->failed;
}

static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct reading *r = arg;

    return audit_query(txn, &r->q->filter, add_item, r, err);
}

static enum mauth_rc
ask_store(const struct config *c, const struct question *q, const char *query,
    json_t **out, struct mauth_err *err)
{
    struct reading r = {.q = q, .items = json_array()};
    struct kv *kv = NULL;
    enum mauth_rc rc;

    if (!r.items)
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    else
        rc = audit_query_entry(getuid(), query, "local", NULL, &r.entry, err);
    if (rc == MAUTH_OK)
        rc = kv_open(c->store, KV_OPEN, &kv, err);
    if (rc == MAUTH_OK)
        rc = kv_write(kv, record, &r, err);
    if (rc == MAUTH_OK)
        rc = kv_read(kv, look, &r, err);
    if (rc == MAUTH_OK && r.failed)
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory, or a damaged record");
    kv_close(kv);
    audit_entry_free(r.entry);
    if (rc == MAUTH_OK)
        *out = r.items;
    else
        json_decref(r.items);
    return rc;
}

/* Printing, the newest last: next to the prompt, as in any log. */

static const char *
field(const json_t *item, const char *name)
{
    const char *s = json_string_value(json_object_get(item, name));

    return s ? s : "";
}

/* Resources, else where it came from; and how often, when it was counted. */
static void
cell_about(struct table *t, const json_t *item)
{
    const json_t *resources = json_object_get(item, "resources");
    json_int_t count = json_integer_value(json_object_get(item, "count"));
    const char *text;
    struct buf b;

    buf_init(&b);
    for (size_t i = 0; i < json_array_size(resources); i++) {
        const char *s = json_string_value(json_array_get(resources, i));

        buf_printf(&b, "%s%s", i ? ", " : "", s ? s : "?");
    }
    if (!json_array_size(resources) && *field(item, "client"))
        buf_printf(&b, "from %s", field(item, "client"));
    if (count)
        buf_printf(&b, " (%lld times)", (long long)count);
    text = buf_cstr(&b);
    table_cell(t, STYLE_PLAIN, "%s", text ? text : "");
    buf_clear(&b);
}

static void
print_row(struct table *t, const json_t *item)
{
    const char *outcome = field(item, "outcome"), *reason = field(item, "reason");
    enum style style = strcmp(outcome, "deny") == 0 ? STYLE_BAD : STYLE_GOOD;

    table_cell(t, STYLE_DIM, "%.19sZ", field(item, "time"));
    table_cell(t, STYLE_BOLD, "%s", field(item, "action"));
    table_cell(t, style, "%s%s%s", outcome, *reason ? ": " : "", reason);
    table_cell(t, STYLE_PLAIN, "%s", field(item, "actor"));
    cell_about(t, item);
}

static bool
print_table(const json_t *items)
{
    static const char *const heads[] = {"time", "action", "outcome", "actor", "about"};
    struct table *t;

    if (!json_array_size(items)) {
        output_line(STYLE_PLAIN, "", "No record fits.");
        return true;
    }
    t = table_new(sizeof(heads) / sizeof(*heads), heads);
    for (size_t i = json_array_size(items); i-- > 0;)
        print_row(t, json_array_get(items, i));
    return table_end(t);
}

static bool
print_lines(const json_t *items)
{
    bool ok = true;

    for (size_t i = json_array_size(items); ok && i-- > 0;)
        ok = output_json(json_incref(json_array_get(items, i)));
    return ok;
}

static enum command_exit
answer(const struct call *call, const struct config *c, struct question *q)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    const char *query = buf_cstr(&q->query);
    json_t *items = NULL;
    enum mauth_rc rc;
    bool printed;

    if (query)
        rc = knock(c->listen.admin_socket, &err);
    else
        rc = mauth_fail(&err, MAUTH_NO_MEMORY, "no memory");
    if (rc == MAUTH_OK)
        rc = ask_service(c, query, &items, &err);
    else if (rc == MAUTH_NOT_FOUND)
        rc = ask_store(c, q, query, &items, &err);
    if (rc != MAUTH_OK) {
        command_complain(call, "%s", err.text);
        return rc == MAUTH_DENIED ? COMMAND_REFUSED : COMMAND_FAILED;
    }
    printed = call->json ? print_lines(items) : print_table(items);
    json_decref(items);
    if (printed)
        return COMMAND_DONE;
    command_complain(call, "no memory");
    return COMMAND_FAILED;
}

static enum command_exit
run(const struct call *call)
{
    const char *file = call->option[OPT_CONFIG];
    struct mauth_err err = MAUTH_ERR_INIT;
    struct question q = {.filter = {0}};
    struct config *config = NULL;
    enum command_exit code;

    if (!file)
        return command_misused(call, "-c FILE is missing: the service's meshauth.conf");
    buf_init(&q.query);
    code = read_filters(call, &q);
    if (code != COMMAND_DONE)
        goto out;
    if (config_load(file, &config, &err) != MAUTH_OK)
        code = command_misconfigured(call, &err);
    else
        code = answer(call, config, &q);
out:
    config_free(config);
    buf_clear(&q.query);
    return code;
}

const struct command audit_query_command = {
    .noun = "audit",
    .verb = "query",
    .synopsis =
        "-c FILE [--since TIME] [--until TIME]\n"
        "           [--actor WHO] [--action NAME] [--outcome NAME] [--reason NAME]\n"
        "           [--ticket ID] [--session ID] [--limit N] [--json]",
    .summary = "who got what, when, by which rule",
    .about =
        "Shows the newest records of the audit log, the newest last; with --json, one\n"
        "whole record a line. Asks meshauthd through its admin socket while it runs, "
        "else\n"
        "reads the store. The question itself goes on record.",
    .example =
        "  meshauth audit query -c /srv/mesh/meshauth.conf --outcome deny --limit 20",
    .options = options,
    .run = run,
};
