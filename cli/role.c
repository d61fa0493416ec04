/* meshauth role: what admins trust users and services with. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/admin.h"
#include "cli/output.h"
#include "policy/rules.h"
#include "policy/rules_file.h"

enum {
    OPT_CONFIG
};

static const struct command_option options[] = {
    [OPT_CONFIG] = {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    {NULL, 0, NULL, NULL},
};

static enum command_exit
change(const struct call *call, enum admin_op op, const char *done)
{
    struct admin_change change = {.op = op, .whom = call->arg[0], .role = call->arg[1]};
    char what[256];

    snprintf(what, sizeof(what), "%s of %s", call->arg[1], call->arg[0]);
    return admin_run(call, &change, done, what);
}

static bool
speaks_of(const struct mauth_rules *rules, const char *role)
{
    for (size_t i = 0; i < rules->literal_count; i++) {
        const struct literal *l = &rules->literal[i];

        if (l->kind == LITERAL_SOURCE && l->predicate == PREDICATE_ROLE &&
            (l->arg[1].kind != TERM_CONSTANT || text_is(l->arg[1].text, role)))
            return true;
    }
    return false;
}

/* Rules of services may speak of any role: so it is granted, and remarked on. */
static void
remark(const struct call *call)
{
    struct mauth_rules *rules = NULL;
    struct config *config = NULL;

    if (config_load(call->option[OPT_CONFIG], &config, NULL) == MAUTH_OK &&
        rules_file_read(config->rules_file, &rules, NULL) == MAUTH_OK &&
        !speaks_of(rules, call->arg[1]))
        command_complain(call,
            "granted, but no rule of %s speaks of the role '%s': here it opens nothing",
            config->rules_file, call->arg[1]);
    mauth_rules_free(rules);
    config_free(config);
}

static enum command_exit
grant(const struct call *call)
{
    enum command_exit code = change(call, ADMIN_ROLE_GRANT, "granted");

    if (code == COMMAND_DONE)
        remark(call);
    return code;
}

static enum command_exit
revoke_it(const struct call *call)
{
    return change(call, ADMIN_ROLE_REVOKE, "revoked");
}

static bool
print_list(const json_t *items)
{
    static const char *const heads[] = {"role", "principal", "since"};
    struct table *t;

    if (!json_array_size(items)) {
        output_line(STYLE_PLAIN, "", "Nobody has a role.");
        return true;
    }
    t = table_new(sizeof(heads) / sizeof(*heads), heads);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *node = json_array_get(items, i);

        table_cell(t, STYLE_BOLD, "%s", admin_text(node, "role"));
        table_cell(t, STYLE_PLAIN, "%s", admin_text(node, "principal"));
        table_cell(t, STYLE_DIM, "%s", admin_text(node, "created"));
    }
    return table_end(t);
}

static enum command_exit
list(const struct call *call)
{
    return admin_print_list(call, ADMIN_ROLES, print_list);
}

const struct command role_grant_command = {
    .noun = "role",
    .verb = "grant",
    .synopsis = "PRINCIPAL ROLE -c FILE [--json]",
    .summary = "let a user or a service do more",
    .about =
        "Grants a role to a principal: usr_..., svc_..., or a service by its name. "
        "What a\n"
        "role opens the mesh's rules say; those that `meshauth init` writes know "
        "admin,\n"
        "auditor and revoke, and for services introspect, changes and publish.",
    .example = "  meshauth role grant usr_... auditor -c /srv/mesh/meshauth.conf\n"
               "  meshauth role grant relay changes -c /srv/mesh/meshauth.conf",
    .options = options,
    .args_min = 2,
    .args_max = 2,
    .run = grant,
};

const struct command role_revoke_command = {
    .noun = "role",
    .verb = "revoke",
    .synopsis = "PRINCIPAL ROLE -c FILE [--json]",
    .summary = "take a role away",
    .about = "Takes a role from a principal; the tickets that it has die.",
    .example = "  meshauth role revoke usr_... auditor -c /srv/mesh/meshauth.conf",
    .options = options,
    .args_min = 2,
    .args_max = 2,
    .run = revoke_it,
};

const struct command role_list_command = {
    .noun = "role",
    .verb = "list",
    .synopsis = "-c FILE [--json]",
    .summary = "who has which role",
    .about = "Lists the roles of all principals. Roles in folders are not among them.",
    .example = "  meshauth role list -c /srv/mesh/meshauth.conf",
    .options = options,
    .run = list,
};
