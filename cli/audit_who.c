/* meshauth audit who FOLDER */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "cli/audit_ask.h"
#include "cli/audit_replay.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/when.h"

enum {
    OPT_CONFIG,
    OPT_AT
};

static const struct command_option options[] = {
    {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    {"at", 0, "TIME", "then: 2026-11-22T10:05:00Z, or 7d ago (now)"},
    {NULL, 0, NULL, NULL},
};

static bool
keep(const json_t *record, void *arg)
{
    return json_array_append(arg, (json_t *)(uintptr_t)record) == 0;
}

/* All records of these actions until then; of the folder, or (NULL) of everything. */
static enum mauth_rc
gather(struct audit_source *s, const char *const *actions, const char *folder,
    const char *until, json_t *out, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; actions[i] && rc == MAUTH_OK; i++) {
        struct audit_question q = {.filter = {0}};

        buf_init(&q.query);
        buf_printf(&q.query, "order=oldest&outcome=done&action=%s", actions[i]);
        q.filter.oldest_first = true;
        q.filter.value[AUDIT_OUTCOME] = "done";
        q.filter.value[AUDIT_ACTION] = actions[i];
        if (folder) {
            buf_printf(&q.query, "&folder=%s", folder);
            q.filter.value[AUDIT_FOLDER] = folder;
        }
        if (until) {
            buf_printf(&q.query, "&until=%s", until);
            rc = audit_filter_set(&q.filter, "until", until, err);
        }
        if (rc == MAUTH_OK)
            rc = audit_ask(s, &q, 0, keep, out, err);
        buf_clear(&q.query);
    }
    return rc;
}

static json_int_t
sequence_of(const json_t *record)
{
    return json_integer_value(json_object_get(record, "sequence"));
}

static int
in_order(const void *a, const void *b)
{
    json_int_t x = sequence_of(*(const json_t *const *)a),
               y = sequence_of(*(const json_t *const *)b);

    return (x > y) - (x < y);
}

static enum mauth_rc
replay(struct replay *r, const json_t *records, struct mauth_err *err)
{
    size_t count = json_array_size(records);
    const json_t **sorted = calloc(count + 1, sizeof(*sorted));
    enum mauth_rc rc = MAUTH_OK;

    if (!sorted)
        return MAUTH_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        sorted[i] = json_array_get(records, i);
    if (count)
        qsort(sorted, count, sizeof(*sorted), in_order);
    for (size_t i = 0; i < count && rc == MAUTH_OK; i++)
        rc = replay_take(r, sorted[i], err);
    free(sorted);
    return rc;
}

static bool
print_table(const struct replay *r)
{
    static const char *const heads[] = {"who", "right", "since", "by", "record"};
    struct table *t = table_new(sizeof(heads) / sizeof(*heads), heads);

    for (size_t i = 0; i < r->count; i++) {
        const struct replay_row *row = &r->row[i];

        table_cell(t, STYLE_BOLD, "%s", row->id);
        table_cell(t, STYLE_PLAIN, "%s", row->role[0] ? row->role : "has it");
        table_cell(t, STYLE_DIM, "%.19sZ", row->since);
        table_cell(t, STYLE_PLAIN, "%s", row->actor);
        table_cell(t, STYLE_PLAIN, "%" PRIu64, row->sequence);
    }
    return table_end(t);
}

static json_t *
to_json(const struct replay *r, const char *at)
{
    json_t *members = json_array(), *devices = json_array();

    for (size_t i = 0; i < r->count; i++) {
        const struct replay_row *row = &r->row[i];
        json_t *o = json_pack("{s:s, s:s, s:s, s:I}", "id", row->id, "since",
            row->since, "by", row->actor, "sequence", (json_int_t)row->sequence);

        if (row->role[0])
            json_object_set_new(o, "role", json_string(row->role));
        json_array_append_new(row->role[0] ? members : devices, o);
    }
    return json_pack("{s:s, s:s, s:b, s:o, s:o}", "folder", r->folder, "at", at,
        "exists", r->exists, "members", members, "devices", devices);
}

static bool
print(const struct call *call, const struct replay *r, const char *at)
{
    if (call->json)
        return output_json(to_json(r, at));
    if (!r->exists) {
        output_line(STYLE_PLAIN, "", "There was no such folder at %s.", at);
        return true;
    }
    output_line(STYLE_DIM, "", "As it was at %s:", at);
    return print_table(r);
}

/* What the log has no record of, for it goes back to a time before, is not told. */
static enum command_exit
answer(
    const struct call *call, struct audit_source *s, const char *until, const char *at)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    json_t *records = json_array();
    enum command_exit code = COMMAND_DONE;
    struct replay r;
    enum mauth_rc rc;

    replay_init(&r, call->arg[0]);
    rc = gather(s, replay_of_folder, r.folder, until, records, &err);
    if (rc == MAUTH_OK && json_array_size(records))
        rc = gather(s, replay_of_all, NULL, until, records, &err);
    if (rc == MAUTH_OK)
        rc = replay(&r, records, &err);
    if (rc != MAUTH_OK)
        code = command_failed(call, &err);
    else if (!print(call, &r, at))
        code = COMMAND_FAILED;
    else if (!r.exists)
        code = COMMAND_REFUSED;
    json_decref(records);
    replay_clear(&r);
    return code;
}

static enum command_exit
run(const struct call *call)
{
    struct audit_source source = {0};
    char at[TIME_LEN + 1];
    enum command_exit code = COMMAND_DONE;
    const char *when = call->option[OPT_AT];
    int64_t t_s = time_now_s(), span;
    struct id id;

    if (!id_parse(ID_FOLDER, call->arg[0], strlen(call->arg[0]), &id))
        code = command_misused(call, "FOLDER is an id like fld_...");
    else if (when && when_span(when, &span))
        t_s -= span;
    else if (when && !time_parse(when, strlen(when), &t_s))
        code = command_misused(call, "--at: a time like 2026-11-22T10:05:00Z, or 7d");
    time_format(t_s, at);
    if (code == COMMAND_DONE)
        code = audit_source_open(call, &source);
    if (code == COMMAND_DONE)
        code = answer(call, &source, when ? at : NULL, at);
    audit_source_close(&source);
    return code;
}

const struct command audit_who_command = {
    .noun = "audit",
    .verb = "who",
    .args_min = 1,
    .args_max = 1,
    .synopsis = "FOLDER -c FILE [--at TIME] [--json]",
    .summary = "who had which right in a folder, and by which record",
    .about =
        "Goes through the records about the folder, up to a time, and shows who was a\n"
        "member then, in which role, on which devices it was, and which record says "
        "so.\n"
        "Exit code 1 when there was no such folder.",
    .example = "  meshauth audit who fld_... -c /srv/mesh/meshauth.conf --at 7d",
    .options = options,
    .run = run,
};
