/* meshauth audit count */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/audit_ask.h"
#include "cli/command.h"
#include "cli/output.h"

enum {
    OPT_BY = AUDIT_OPTIONS,
    OPT_LIMIT,
    BAR = 40 /* characters of the longest */
};

static const struct command_option options[] = {
    AUDIT_OPTION_ROWS,
    {"by", 0, "WHAT", "minute, hour, day, or a field (required)"},
    {"limit", 0, "N", "so many rows (100), 10000 at most"},
    {NULL, 0, NULL, NULL},
};

static json_int_t
count_of(const json_t *row)
{
    return json_integer_value(json_object_get(row, "count"));
}

static json_int_t
most(const json_t *items)
{
    json_int_t best = 1;

    for (size_t i = 0; i < json_array_size(items); i++)
        if (count_of(json_array_get(items, i)) > best)
            best = count_of(json_array_get(items, i));
    return best;
}

/* As long as its count is of the largest; something, where there is anything. */
static void
cell_bar(struct table *t, json_int_t count, json_int_t largest)
{
    static const char bar[BAR + 1] = "########################################";
    int len = (int)(count * BAR / largest);

    table_cell(t, STYLE_GOOD, "%.*s", len ? len : 1, bar);
}

static bool
print(const char *by, const json_t *answer)
{
    const json_t *items = json_object_get(answer, "items");
    json_int_t kinds = json_integer_value(json_object_get(answer, "kinds"));
    json_int_t total = json_integer_value(json_object_get(answer, "total"));
    json_int_t first = json_integer_value(json_object_get(answer, "first"));
    const char *const heads[] = {by, "records", ""};
    bool ok = true;

    if (json_array_size(items)) {
        struct table *t = table_new(sizeof(heads) / sizeof(*heads), heads);

        for (size_t i = 0; i < json_array_size(items); i++) {
            const json_t *row = json_array_get(items, i);

            table_cell(t, STYLE_BOLD, "%s", admin_text(row, "value"));
            table_cell(t, STYLE_PLAIN, "%lld", (long long)count_of(row));
            cell_bar(t, count_of(row), most(items));
        }
        ok = table_end(t);
    }
    if (kinds > (json_int_t)json_array_size(items))
        output_line(STYLE_DIM, "", "... and %lld more, which --limit shows",
            (long long)kinds - (long long)json_array_size(items));
    output_line(STYLE_PLAIN, "", "%lld records fit.", (long long)total);
    if (first)
        output_line(STYLE_DIM, "",
            "The first %lld records have left the store; they are not counted.",
            (long long)first);
    return ok;
}

static enum command_exit
answer(const struct call *call, struct audit_source *s, struct audit_question *q,
    uint64_t limit)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    json_t *counts = NULL;
    bool printed;

    if (audit_ask_counts(s, q, call->option[OPT_BY], limit, &counts, &err) !=
        MAUTH_OK) {
        json_decref(counts);
        return command_failed(call, &err);
    }
    printed = call->json ? output_json(json_incref(counts))
                         : print(call->option[OPT_BY], counts);
    json_decref(counts);
    if (printed)
        return COMMAND_DONE;
    command_complain(call, "no memory");
    return COMMAND_FAILED;
}

static enum command_exit
run(const struct call *call)
{
    const char *by = call->option[OPT_BY], *number = call->option[OPT_LIMIT];
    uint64_t limit = AUDIT_LIMIT_DEFAULT;
    struct audit_source source = {0};
    struct audit_question q;
    enum command_exit code = audit_question_read(call, &q);

    if (code == COMMAND_DONE && (!by || audit_by_of(by) == AUDIT_BYS))
        code = command_misused(call,
            "--by: minute, hour, day, or a field: action, actor, client, device, "
            "folder, key, outcome, reason, request, rule, service, session, ticket, "
            "user");
    if (code == COMMAND_DONE)
        code = audit_limit_read(call, number, AUDIT_LIMIT_MAX, &limit);
    if (code == COMMAND_DONE)
        code = audit_source_open(call, &source);
    if (code == COMMAND_DONE)
        code = answer(call, &source, &q, limit);
    audit_source_close(&source);
    audit_question_clear(&q);
    return code;
}

const struct command audit_count_command = {
    .noun = "audit",
    .verb = "count",
    .synopsis = "-c FILE --by WHAT [FILTER...] [--limit N] [--json]",
    .summary = "how many records there are of each kind",
    .about =
        "Counts the records that fit all filters, by a field (the most first) or by\n"
        "minute, hour or day (in their order), and draws them. A record that names\n"
        "several users counts for each of them.",
    .example =
        "  meshauth audit count -c /srv/mesh/meshauth.conf --by hour --since 1d\n"
        "  meshauth audit count -c /srv/mesh/meshauth.conf --by reason",
    .options = options,
    .run = run,
};
