/* meshauth revoke: what ends at once, wherever it is shown; for admins. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "cli/admin.h"
#include "cli/output.h"

enum {
    OPT_CONFIG,
    OPT_NOTE,
    OPT_LIST
};

static const struct command_option options[] = {
    [OPT_CONFIG] = {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    [OPT_NOTE] = {"note", 0, "TEXT", "why, for the audit log"},
    [OPT_LIST] = {"list", 0, NULL, "instead: what is on the revocation list now"},
    {NULL, 0, NULL, NULL},
};

/* All that is typed is looked at before the first is done. */
static enum command_exit
check(const struct call *call)
{
    struct admin_revoke what;

    if (!call->arg[0])
        return command_misused(call, "ID is missing: what is to be revoked");
    for (size_t i = 0; call->arg[i]; i++)
        if (!admin_revoke_parse(text_of(call->arg[i]), &what))
            return command_misused(call,
                "ID: %.80s is none of ses_..., usr_..., dev_..., a ticket's ID (_ and "
                "32 hex digits), dev_...+usr_..., fld_...+usr_..., dev_...+fld_...",
                call->arg[i]);
    return COMMAND_DONE;
}

static enum command_exit
revoke_one(const struct call *call, const struct admin *admin, const char *id)
{
    struct admin_change change = {
        .op = ADMIN_REVOKE, .whom = id, .note = call->option[OPT_NOTE]};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct admin_revoke what;
    json_t *node = NULL;
    enum mauth_rc rc = admin_do(admin, &change, &node, &err);

    json_decref(node);
    if (rc == MAUTH_CONFLICT) { /* the one thing that is not ended */
        mauth_err_reset(&err);
        (void)mauth_fail(&err, rc,
            "%s: the folder's owner stays: the folder is passed on (`meshauth folder "
            "pass`) or deleted first",
            id);
    }
    if (rc != MAUTH_OK)
        return admin_failed(call, &err);
    if (!call->json && admin_revoke_parse(text_of(id), &what))
        output_line(STYLE_PLAIN, id, ": %s", admin_revoke_done(&what));
    return COMMAND_DONE;
}

/* The first failure decides, and ends nothing but a service that does not answer. */
static enum command_exit
revoke_all(const struct call *call)
{
    struct admin admin = {.config = NULL};
    enum command_exit code = check(call), one;
    json_t *done;

    if (code != COMMAND_DONE)
        return code;
    done = json_array();
    code = admin_open(call, call->option[OPT_CONFIG], &admin);
    for (size_t i = 0; call->arg[i] && code < COMMAND_USAGE; i++) {
        one = revoke_one(call, &admin, call->arg[i]);
        if (one == COMMAND_DONE)
            json_array_append_new(done, json_string(call->arg[i]));
        code = one > code ? one : code;
    }
    if (call->json && code < COMMAND_USAGE)
        output_json(json_pack("{s:O}", "revoked", done));
    json_decref(done);
    admin_close(&admin);
    return code;
}

static bool
print_list(const json_t *items)
{
    static const char *const heads[] = {
        "tickets before state", "that mention", "since"};
    struct table *t;

    if (!json_array_size(items)) {
        output_line(STYLE_PLAIN, "", "Nothing is on the list.");
        return true;
    }
    t = table_new(sizeof(heads) / sizeof(*heads), heads);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *node = json_array_get(items, i);
        const json_t *ids = json_object_get(node, "ids");
        char text[REVOKED_IDS * (REVOKED_ID_MAX + 1) + 1] = "";

        for (size_t k = 0; k < json_array_size(ids); k++) {
            size_t at = strlen(text);

            snprintf(text + at, sizeof(text) - at, "%s%s", k ? " " : "",
                json_string_value(json_array_get(ids, k)));
        }
        table_cell(t, STYLE_PLAIN, "%" JSON_INTEGER_FORMAT,
            json_integer_value(json_object_get(node, "state")));
        table_cell(t, STYLE_BOLD, "%s", strcmp(text, "*") == 0 ? "* (all)" : text);
        table_cell(t, STYLE_DIM, "%s", admin_text(node, "listed"));
    }
    return table_end(t);
}

static enum command_exit
run(const struct call *call)
{
    if (!call->option[OPT_LIST])
        return revoke_all(call);
    if (call->arg[0])
        return command_misused(call, "--list goes without an ID");
    return admin_print_list(call, ADMIN_REVOCATIONS, print_list);
}

const struct command revoke_command = {
    .noun = "revoke",
    .synopsis = "ID... -c FILE [--note TEXT] [--list] [--json]",
    .summary = "end tickets, sessions, users, devices, links",
    .about =
        "Ends what the IDs name, 16 at most, with all tickets that mention it; none "
        "comes\n"
        "back by being renewed. Services know it within a few seconds, by the trust "
        "file.\n"
        "\n"
        "  _0123...      a ticket, by its ID; the audit log has it\n"
        "  ses_...       a session, which is closed; `user show` lists a user's\n"
        "  usr_...       all sessions of a user, who may log in again (`user remove`\n"
        "                closes the account)\n"
        "  dev_...       a device: released, unmapped, sessions with its key closed\n"
        "  dev_+usr_...  a claim: the device is released, as its user could do it\n"
        "  fld_+usr_...  a membership: the user is removed from the folder\n"
        "  dev_+fld_...  a mapping: the folder is taken off the device\n"
        "\n"
        "Ends with 1 when there is nothing of that name.",
    .example = "  meshauth revoke dev_... --note \"lost in a train\" -c "
               "/srv/mesh/meshauth.conf",
    .options = options,
    .args_min = 0,
    .args_max = 16,
    .run = run,
};
