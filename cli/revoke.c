/* meshauth revoke: what ends at once, wherever it is shown; for admins. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "cli/admin.h"
#include "cli/output.h"
#include "store/graph_ticket.h"

enum {
    OPT_CONFIG
};

static const struct command_option options[] = {
    [OPT_CONFIG] = {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    {NULL, 0, NULL, NULL},
};

static bool
is_session(const char *id)
{
    struct id read;

    return id_parse(ID_SESSION, id, strlen(id), &read);
}

static bool
is_ticket(const char *id)
{
    return graph_ticket_is_id(text_of(id));
}

/* What ids may name. */
static const struct kind {
    bool (*is)(const char *id);
    enum admin_op op;
    const char *done;
} kinds[] = {
    {is_session, ADMIN_SESSION_CLOSE, "closed"},
    {is_ticket, ADMIN_TICKET_REVOKE, "revoked"},
};

static const struct kind *
kind_of(const char *id)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (kinds[i].is(id))
            return &kinds[i];
    return NULL;
}

/* All that is typed is looked at before the first is done. */
static enum command_exit
check(const struct call *call)
{
    for (size_t i = 0; call->arg[i]; i++)
        if (!kind_of(call->arg[i]))
            return command_misused(call,
                "ID: %.64s is neither a session, ses_..., nor a ticket's ID, _ and 32 "
                "hex digits",
                call->arg[i]);
    return COMMAND_DONE;
}

static enum command_exit
revoke_one(const struct call *call, const struct admin *admin, const char *id)
{
    const struct kind *kind = kind_of(id);
    struct admin_change change = {.op = kind->op, .whom = id};
    struct mauth_err err = MAUTH_ERR_INIT;
    json_t *node = NULL;
    enum mauth_rc rc = admin_do(admin, &change, &node, &err);

    json_decref(node);
    if (rc != MAUTH_OK)
        return admin_failed(call, &err);
    if (!call->json)
        output_line(STYLE_PLAIN, id, ": %s", kind->done);
    return COMMAND_DONE;
}

/* The first failure decides, and ends nothing but a service that does not answer. */
static enum command_exit
run(const struct call *call)
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

const struct command revoke_command = {
    .noun = "revoke",
    .synopsis = "ID... -c FILE [--json]",
    .summary = "close sessions, revoke tickets",
    .about =
        "Closes sessions, ses_..., with all tickets that were issued in them, and "
        "revokes\n"
        "single tickets by their ID, 16 of both at most. Services know it within a "
        "few\n"
        "seconds, by the trust file. `meshauth user show` lists a user's sessions, "
        "the\n"
        "audit log has the IDs of tickets. Ends with 1 when a session is not open.",
    .example = "  meshauth revoke ses_... -c /srv/mesh/meshauth.conf",
    .options = options,
    .args_min = 1,
    .args_max = 16,
    .run = run,
};
