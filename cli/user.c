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
    return table_end(t);
}

static enum command_exit
show(const struct call *call)
{
    return admin_print_one(call, ADMIN_USERS, print_user);
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
    .summary = "one of them",
    .about = "Shows a user: usr_...",
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
