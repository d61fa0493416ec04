/* meshauth audit query */
#include "store/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/admin.h"
#include "cli/command.h"
#include "cli/output.h"
#include "net/fetch.h"

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
        if (audit_filter_set(&q->filter, options[i].name, value, &err) != MAUTH_OK)
            return command_misused(call, "--%s", err.text);
        buf_printf(&q->query, "%s%s=", q->query.len ? "&" : "", options[i].name);
        fetch_form_escape(&q->query, value, strlen(value));
    }
    return COMMAND_DONE;
}

static enum mauth_rc
ask_service(
    const struct admin *a, const char *query, json_t **out, struct mauth_err *err)
{
    struct admin_request r = {.method = "GET"};
    json_t *answer = NULL, *items;
    enum mauth_rc rc;
    struct buf path;

    buf_init(&path);
    buf_printf(&path, "/v1/audit%s%s", *query ? "?" : "", query);
    r.path = buf_cstr(&path);
    if (r.path)
        rc = admin_ask(a, &r, &answer, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    items = json_object_get(answer, "items");
    if (json_is_array(items))
        *out = json_incref(items);
    else if (rc == MAUTH_OK)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "the service's answer is no list");
    json_decref(answer);
    buf_clear(&path);
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
    struct audit_record who = {.client = "local"};
    char actor[32];
    struct kv *kv = NULL;
    enum mauth_rc rc;

    snprintf(actor, sizeof(actor), "uid:%u", (unsigned)getuid());
    who.actor = actor;
    if (!r.items)
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    else
        rc = audit_question_entry(&who, query, &r.entry, err);
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
    if (!json_array_size(resources) && *admin_text(item, "client"))
        buf_printf(&b, "from %s", admin_text(item, "client"));
    if (count == 1)
        buf_str(&b, " (once)");
    else if (count)
        buf_printf(&b, " (%lld times)", (long long)count);
    text = buf_cstr(&b);
    table_cell(t, STYLE_PLAIN, "%s", text ? text : "");
    buf_clear(&b);
}

static void
print_row(struct table *t, const json_t *item)
{
    const char *outcome = admin_text(item, "outcome"),
               *reason = admin_text(item, "reason");
    enum style style = strcmp(outcome, "deny") == 0 ? STYLE_BAD : STYLE_GOOD;

    table_cell(t, STYLE_DIM, "%.19sZ", admin_text(item, "time"));
    table_cell(t, STYLE_BOLD, "%s", admin_text(item, "action"));
    table_cell(t, style, "%s%s%s", outcome, *reason ? ": " : "", reason);
    table_cell(t, STYLE_PLAIN, "%s", admin_text(item, "actor"));
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
answer(const struct call *call, const struct admin *a, struct question *q)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    const char *query = buf_cstr(&q->query);
    json_t *items = NULL;
    enum mauth_rc rc;
    bool printed;

    if (!query)
        rc = mauth_fail(&err, MAUTH_NO_MEMORY, "no memory");
    else if (a->served)
        rc = ask_service(a, query, &items, &err);
    else
        rc = ask_store(a->config, q, query, &items, &err);
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
    struct question q = {.filter = {0}};
    struct admin admin = {.config = NULL};
    enum command_exit code;

    buf_init(&q.query);
    code = call->option[OPT_CONFIG] ? read_filters(call, &q) : COMMAND_DONE;
    if (code == COMMAND_DONE)
        code = admin_open(call, call->option[OPT_CONFIG], &admin);
    if (code == COMMAND_DONE)
        code = answer(call, &admin, &q);
    admin_close(&admin);
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
