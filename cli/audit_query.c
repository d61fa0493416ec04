/* meshauth audit query */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/audit_ask.h"
#include "cli/audit_rows.h"
#include "cli/command.h"
#include "cli/output.h"

enum {
    OPT_ORDER = AUDIT_OPTIONS,
    OPT_LIMIT,
    OPT_ARCHIVE
};

static const struct command_option options[] = {
    AUDIT_OPTION_ROWS,
    {"order", 0, "ORDER", "newest (of all that fit; unless given) or oldest"},
    {"limit", 0, "N", "so many (100), 1000000 at most"},
    {"archive", 0, NULL, "also what has left the store; takes its time"},
    {NULL, 0, NULL, NULL},
};

enum {
    LIMIT_MAX = 1000000
};

static bool
keep(json_t *record, void *arg)
{
    return json_array_append(arg, record) == 0;
}

/* The newest last, whichever came first: next to the prompt, as in any log. */
static json_t *
item(const json_t *items, size_t i, bool oldest_first)
{
    return json_array_get(items, oldest_first ? i : json_array_size(items) - 1 - i);
}

static bool
print_table(const json_t *items, bool oldest_first, const char *issuer)
{
    struct table *t;

    if (!json_array_size(items)) {
        output_line(STYLE_PLAIN, "", "No record fits.");
        return true;
    }
    t = audit_rows_new();
    for (size_t i = 0; i < json_array_size(items); i++)
        audit_rows_add(t, item(items, i, oldest_first), issuer);
    return table_end(t);
}

static bool
print_lines(const json_t *items, bool oldest_first)
{
    bool ok = true;

    for (size_t i = 0; ok && i < json_array_size(items); i++)
        ok = output_json(json_incref(item(items, i, oldest_first)));
    return ok;
}

/* An answer that is short because it was not looked everywhere must not look like one. */
static void
say_what_was_not_seen(const struct call *call, const struct audit_source *s,
    const struct audit_question *q)
{
    uint64_t first = s->looked.in_store.first;

    if (s->looked.missing)
        command_complain(call,
            "%" PRIu64 " records were not looked at: their segments are not in the "
            "archive",
            s->looked.missing);
    if (first && !q->filter.archive && !call->json)
        output_line(STYLE_DIM, "",
            "The first %" PRIu64
            " records have left the store; --archive looks at them "
            "too.",
            first);
}

static enum command_exit
answer(const struct call *call, struct audit_source *s, struct audit_question *q,
    uint64_t limit)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    json_t *items = json_array();
    enum command_exit code = COMMAND_DONE;
    bool printed = false;

    if (audit_ask(s, q, limit, keep, items, &err) != MAUTH_OK)
        code = command_failed(call, &err);
    else if (call->json)
        printed = print_lines(items, q->filter.oldest_first);
    else
        printed =
            print_table(items, q->filter.oldest_first, s->admin.config->issuer.url);
    json_decref(items);
    if (code == COMMAND_DONE && printed)
        say_what_was_not_seen(call, s, q);
    if (code != COMMAND_DONE || printed)
        return code;
    command_complain(call, "no memory");
    return COMMAND_FAILED;
}

static enum command_exit
run(const struct call *call)
{
    const char *order = call->option[OPT_ORDER], *number = call->option[OPT_LIMIT];
    uint64_t limit = AUDIT_LIMIT_DEFAULT;
    struct audit_source source = {0};
    struct audit_question q;
    enum command_exit code = audit_question_read(call, &q);

    if (code == COMMAND_DONE && order && !audit_question_set(call, &q, "order", order))
        code = COMMAND_USAGE;
    if (code == COMMAND_DONE && call->option[OPT_ARCHIVE] &&
        !audit_question_set(call, &q, "archive", "true"))
        code = COMMAND_USAGE;
    if (code == COMMAND_DONE)
        code = audit_limit_read(call, number, LIMIT_MAX, &limit);
    if (code == COMMAND_DONE)
        code = audit_source_open(call, &source);
    if (code == COMMAND_DONE)
        code = answer(call, &source, &q, limit);
    audit_source_close(&source);
    audit_question_clear(&q);
    return code;
}

const struct command audit_query_command = {
    .noun = "audit",
    .verb = "query",
    .synopsis = "-c FILE [FILTER...] [--order ORDER] [--limit N]\n"
                "           [--archive] [--json]",
    .summary = "who got what, when, by which rule",
    .about = "Shows the records of the audit log that fit all filters, the newest "
             "last; with\n"
             "--json, one whole record a line. Asks meshauthd through its admin socket "
             "while\n"
             "it runs, else reads the store. The question itself goes on record.",
    .example =
        "  meshauth audit query -c /srv/mesh/meshauth.conf --outcome deny --since 7d",
    .options = options,
    .run = run,
};
