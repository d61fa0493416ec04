/* meshauth user: the users of the service, for admins. */
#include <stdio.h>
#include <string.h>

#include "cli/admin.h"
#include "cli/output.h"

enum {
    OPT_CONFIG
};

static const struct command_option options[] = {
    [OPT_CONFIG] = {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    {NULL, 0, NULL, NULL},
};

static bool
print_list(const json_t *items)
{
    static const char *const heads[] = {"id", "e-mail", "since"};
    struct table *t;

    if (!json_array_size(items)) {
        output_line(STYLE_PLAIN, "", "There are no users yet.");
        return true;
    }
    t = table_new(sizeof(heads) / sizeof(*heads), heads);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *node = json_array_get(items, i);

        table_cell(t, STYLE_BOLD, "%s", admin_text(node, "id"));
        table_cell(t, STYLE_PLAIN, "%s", admin_text(node, "email"));
        table_cell(t, STYLE_DIM, "%s", admin_text(node, "created"));
    }
    return table_end(t);
}

static enum command_exit
list(const struct call *call)
{
    return admin_print_list(call, ADMIN_USERS, print_list);
}

static bool
print_sessions(const json_t *sessions)
{
    static const char *const heads[] = {"open session", "since", "until", "device key"};
    struct table *t;

    if (!json_array_size(sessions)) {
        output_line(STYLE_PLAIN, "", "No session is open.");
        return true;
    }
    t = table_new(sizeof(heads) / sizeof(*heads), heads);
    for (size_t i = 0; i < json_array_size(sessions); i++) {
        const json_t *s = json_array_get(sessions, i);
        const char *device = admin_text(s, "device");

        table_cell(t, STYLE_BOLD, "%s", admin_text(s, "id"));
        table_cell(t, STYLE_PLAIN, "%s", admin_text(s, "created"));
        table_cell(t, STYLE_PLAIN, "%s", admin_text(s, "ends"));
        table_cell(
            t, STYLE_DIM, "%s%s%s", admin_text(s, "key"), *device ? ", " : "", device);
    }
    return table_end(t);
}

static bool
print_user(const json_t *node)
{
    static const struct {
        const char *head, *member;
    } rows[] = {{"e-mail", "email"}, {"since", "created"}, {"changed", "updated"}};
    struct table *t;

    output_line(STYLE_BOLD, admin_text(node, "id"), ", a user");
    t = table_new(2, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!*admin_text(node, rows[i].member))
            continue;
        table_cell(t, STYLE_DIM, "%s", rows[i].head);
        table_cell(t, STYLE_PLAIN, "%s", admin_text(node, rows[i].member));
    }
    return table_end(t) && print_sessions(json_object_get(node, "sessions"));
}

static enum command_exit
show(const struct call *call)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct admin admin = {.config = NULL};
    json_t *user = NULL, *sessions = NULL;
    enum command_exit code = admin_open(call, call->option[OPT_CONFIG], &admin);
    enum mauth_rc rc = MAUTH_OK;

    if (code == COMMAND_DONE)
        rc = admin_show(&admin, ADMIN_USERS, call->arg[0], &user, &err);
    if (code == COMMAND_DONE && rc == MAUTH_OK)
        rc = admin_list(&admin, ADMIN_USERS, call->arg[0], &sessions, &err);
    if (rc != MAUTH_OK)
        code = admin_failed(call, &err);
    else if (code == COMMAND_DONE && json_object_set(user, "sessions", sessions) != 0)
        code = COMMAND_FAILED;
    else if (code == COMMAND_DONE)
        code = admin_print(call, user, print_user);
    json_decref(sessions);
    json_decref(user);
    admin_close(&admin);
    return code;
}

static enum command_exit
remove_it(const struct call *call)
{
    struct admin_change change = {.op = ADMIN_USER_DELETE, .whom = call->arg[0]};

    return admin_run(call, &change, "removed", call->arg[0]);
}

const struct command user_list_command = {
    .noun = "user",
    .verb = "list",
    .synopsis = "-c FILE [--json]",
    .summary = "the users of the service",
    .about = "Lists the users that have logged in, by id.",
    .example = "  meshauth user list -c /srv/mesh/meshauth.conf",
    .options = options,
    .run = list,
};

const struct command user_show_command = {
    .noun = "user",
    .verb = "show",
    .synopsis = "USER -c FILE [--json]",
    .summary = "one of them, and the sessions that are open",
    .about = "Shows a user, usr_..., and the user's open sessions, which `meshauth "
             "revoke`\n"
             "closes.",
    .example = "  meshauth user show usr_... -c /srv/mesh/meshauth.conf",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = show,
};

const struct command user_remove_command = {
    .noun = "user",
    .verb = "remove",
    .synopsis = "USER -c FILE [--json]",
    .summary = "close an account, with all that is its own",
    .about =
        "Closes a user's account: its devices are released, its folders deleted, those "
        "of\n"
        "others left; its tickets die. The identity cannot log in again.",
    .example = "  meshauth user remove usr_... -c /srv/mesh/meshauth.conf",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = remove_it,
};
