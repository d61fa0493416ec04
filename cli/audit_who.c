/* meshauth audit who FOLDER */
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/audit_ask.h"
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

static void
cell_rights(struct table *t, const json_t *member)
{
    const json_t *rights = json_object_get(member, "rights");
    const char *text;
    struct buf b;

    buf_init(&b);
    for (size_t i = 0; i < json_array_size(rights); i++) {
        const char *right = json_string_value(json_array_get(rights, i));

        buf_printf(&b, "%s%s", i ? " " : "", right ? right : "?");
    }
    text = buf_cstr(&b);
    table_cell(t, STYLE_PLAIN, "%s", rights && text ? text : "");
    buf_clear(&b);
}

/* Which record says so. */
static void
cells_record(struct table *t, const json_t *row)
{
    table_cell(t, STYLE_DIM, "%.19sZ", admin_text(row, "since"));
    table_cell(t, STYLE_PLAIN, "%s", admin_text(row, "by"));
    table_cell(t, STYLE_PLAIN, "%lld",
        (long long)json_integer_value(json_object_get(row, "sequence")));
}

static bool
print_members(const json_t *members)
{
    static const char *const heads[] = {
        "member", "role", "rights", "since", "by", "record"};
    struct table *t = table_new(sizeof(heads) / sizeof(*heads), heads);

    for (size_t i = 0; i < json_array_size(members); i++) {
        const json_t *row = json_array_get(members, i);

        table_cell(t, STYLE_BOLD, "%s", admin_text(row, "user"));
        table_cell(t, STYLE_PLAIN, "%s", admin_text(row, "role"));
        cell_rights(t, row);
        cells_record(t, row);
    }
    return table_end(t);
}

static bool
print_devices(const json_t *devices)
{
    static const char *const heads[] = {"device", "of", "since", "by", "record"};
    struct table *t;

    if (!json_array_size(devices))
        return true;
    t = table_new(sizeof(heads) / sizeof(*heads), heads);
    for (size_t i = 0; i < json_array_size(devices); i++) {
        const json_t *row = json_array_get(devices, i);

        table_cell(t, STYLE_BOLD, "%s", admin_text(row, "device"));
        table_cell(t, STYLE_PLAIN, "%s", admin_text(row, "user"));
        cells_record(t, row);
    }
    return table_end(t);
}

static bool
print(const json_t *answer)
{
    const char *at = admin_text(answer, "at");
    const char *changed = admin_text(answer, "rules_changed");
    bool complete = json_is_true(json_object_get(answer, "complete"));

    if (!json_is_true(json_object_get(answer, "exists")) && !complete) {
        output_line(STYLE_BAD, "Not known",
            ": neither log nor archive goes back far enough to tell of such a folder "
            "at %s.",
            at);
        return true;
    }
    if (!json_is_true(json_object_get(answer, "exists"))) {
        output_line(STYLE_PLAIN, "", "The log has no such folder at %s.", at);
        return true;
    }
    output_line(STYLE_DIM, "", "As it was at %s:", at);
    if (!print_members(json_object_get(answer, "members")) ||
        !print_devices(json_object_get(answer, "devices")))
        return false;
    if (*changed)
        output_line(STYLE_PLAIN, "",
            "Other rules came into force at %.19sZ: what a role was good for before is "
            "not told.",
            changed);
    if (!complete)
        output_line(STYLE_BAD, "Not complete",
            ": the log does not go back to the folder's beginning.");
    return true;
}

static enum command_exit
answer(const struct call *call, struct audit_source *s, const struct id *folder,
    const char *at)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    json_t *told = NULL;
    enum command_exit code = COMMAND_DONE;

    if (audit_ask_who(s, folder, at, &told, &err) != MAUTH_OK) {
        code = command_failed(call, &err);
    } else if (!(call->json ? output_json(json_incref(told)) : print(told))) {
        command_complain(call, "no memory");
        code = COMMAND_FAILED;
    } else if (!json_is_true(json_object_get(told, "exists")) ||
               !json_is_true(json_object_get(told, "complete"))) {
        code = COMMAND_REFUSED;
    }
    json_decref(told);
    return code;
}

static enum command_exit
run(const struct call *call)
{
    struct audit_source source = {0};
    char at[TIME_LEN + 1];
    enum command_exit code = COMMAND_DONE;
    const char *when = call->option[OPT_AT];
    int64_t t_s = time_now_s();
    struct id folder;

    if (!id_parse(ID_FOLDER, call->arg[0], strlen(call->arg[0]), &folder))
        code = command_misused(call, "FOLDER is an id like fld_...");
    else if (when && !when_read(when, t_s, WHEN_AGO, &t_s))
        code = command_misused(
            call, "--at: a time like 2026-11-22 or 2026-11-22T10:05:00Z, or 7d");
    time_format(t_s, at);
    if (code == COMMAND_DONE)
        code = audit_source_open(call, &source);
    if (code == COMMAND_DONE)
        code = answer(call, &source, &folder, when ? at : NULL);
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
        "member then, in which role, what the rules let it do, on which devices the\n"
        "folder was, and which record says so. Exit code 1 when the log has no such\n"
        "folder then, or does not go back to its beginning.",
    .example = "  meshauth audit who fld_... -c /srv/mesh/meshauth.conf --at 7d",
    .options = options,
    .run = run,
};
