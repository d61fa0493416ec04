/* meshauth folder: who shares it, and in which role. */
#include <stdio.h>
#include <string.h>

#include "cli/mesh.h"
#include "cli/mesh_find.h"
#include "cli/output.h"

static const struct command_option options[] = {
    MESH_ACCOUNT_OPTION,
    {NULL, 0, NULL, NULL},
};

static const struct mesh_hint hints[] = {
    {"not-found",
        "`meshauth folder list` shows your folders, `meshauth folder members` "
        "who is in one."},
    {"forbidden", "Only the owner may, and only with others."},
    {NULL, NULL},
};

static const struct mesh_hint role_hints[] = {
    {"not-found",
        "`meshauth folder list` shows your folders, `meshauth folder members` "
        "who is in one."},
    {"forbidden", "Only the owner may, and makes others reader or contributor; for "
                  "another owner there is `meshauth folder pass`."},
    {NULL, NULL},
};

static const struct mesh_hint leave_hints[] = {
    {"not-found", "`meshauth folder list` shows your folders."},
    {"forbidden", "Its owner passes it on first: `meshauth folder pass`."},
    {NULL, NULL},
};

static bool
print_list(const struct mesh *m, const json_t *items)
{
    static const char *const heads[] = {"user", "role", "since", ""};
    struct table *t = table_new(sizeof(heads) / sizeof(*heads), heads);

    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *member = json_array_get(items, i);
        const char *id = mesh_text(member, "id");

        table_cell(t, STYLE_BOLD, "%s", id);
        table_cell(t, STYLE_PLAIN, "%s", mesh_text(member, "role"));
        table_cell(t, STYLE_DIM, "%s", mesh_text(member, "created"));
        table_cell(t, STYLE_GOOD, "%s", strcmp(id, mesh_user(m)) == 0 ? "you" : "");
    }
    return table_end(t);
}

static enum command_exit
do_list(struct mesh *m, const struct call *call)
{
    char id[ID_LEN + 1], url[MESH_URL_MAX];
    enum command_exit code = mesh_find_folder(m, call, call->arg[0], id);
    json_t *members = NULL;

    if (code == COMMAND_DONE) {
        snprintf(url, sizeof(url), "folders/%s/members", id);
        code = mesh_list(m, url, &members);
    }
    if (code == COMMAND_DONE)
        code = mesh_print_list(call, m, "members", members, print_list);
    json_decref(members);
    return code;
}

/* The URL of a member of FOLDER: the user, or what USER names. */
static enum command_exit
find_member(const struct mesh *m, const struct call *call, const char *user,
    char url[MESH_URL_MAX])
{
    char folder[ID_LEN + 1], id[ID_LEN + 1];
    enum command_exit code = mesh_find_id(call, ID_USER, user, id);

    if (code == COMMAND_DONE)
        code = mesh_find_folder(m, call, call->arg[0], folder);
    if (code == COMMAND_DONE)
        snprintf(url, MESH_URL_MAX, "folders/%s/members/%s", folder, id);
    return code;
}

static enum command_exit
give_role(struct mesh *m, const struct call *call, const char *role)
{
    json_t *body = json_pack("{s:s}", "role", role), *member = NULL;
    char url[MESH_URL_MAX];
    enum command_exit code = find_member(m, call, call->arg[1], url);

    if (code == COMMAND_DONE)
        code = mesh_patch(m, url, body, &member);
    if (code == COMMAND_DONE)
        code = mesh_done(call, member, call->arg[1], mesh_text(member, "role"));
    json_decref(member);
    json_decref(body);
    return code;
}

static enum command_exit
do_role(struct mesh *m, const struct call *call)
{
    return give_role(m, call, call->arg[2]);
}

static enum command_exit
do_pass(struct mesh *m, const struct call *call)
{
    return give_role(m, call, "owner");
}

static enum command_exit
end_membership(
    struct mesh *m, const struct call *call, const char *user, const char *done)
{
    char url[MESH_URL_MAX];
    enum command_exit code = find_member(m, call, user, url);

    if (code == COMMAND_DONE)
        code = mesh_delete(m, url);
    if (code == COMMAND_DONE)
        code = mesh_done(call, NULL, call->arg[1] ? user : call->arg[0], done);
    return code;
}

static enum command_exit
do_remove(struct mesh *m, const struct call *call)
{
    return end_membership(m, call, call->arg[1], "removed");
}

static enum command_exit
do_leave(struct mesh *m, const struct call *call)
{
    return end_membership(m, call, mesh_user(m), "left");
}

static enum command_exit
list(const struct call *call)
{
    return mesh_run(call, hints, do_list);
}

/* Ownership is not given by the way: there is one owner, and no way back. */
static enum command_exit
role(const struct call *call)
{
    if (strcmp(call->arg[2], "owner") == 0)
        return command_misused(
            call, "another owner is made by `meshauth folder pass`; you are none then");
    return mesh_run(call, role_hints, do_role);
}

static enum command_exit
pass(const struct call *call)
{
    return mesh_run(call, hints, do_pass);
}

static enum command_exit
remove_it(const struct call *call)
{
    return mesh_run(call, hints, do_remove);
}

static enum command_exit
leave(const struct call *call)
{
    return mesh_run(call, leave_hints, do_leave);
}

const struct command folder_members_command = {
    .noun = "folder",
    .verb = "members",
    .synopsis = "FOLDER [--account URL] [--json]",
    .summary = "who shares it",
    .about = "Lists the members of a folder with their roles: a reader reads, a "
             "contributor\n"
             "also writes, the owner also decides who is in.",
    .example = "  meshauth folder members Trip",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = list,
};

const struct command folder_role_command = {
    .noun = "folder",
    .verb = "role",
    .synopsis = "FOLDER USER ROLE [--account URL] [--json]",
    .summary = "give a member another role",
    .about = "Makes a member of a folder that you own a reader or a contributor. With "
             "a lower\n"
             "role the tickets for the higher one die.",
    .example = "  meshauth folder role Trip usr_... contributor",
    .options = options,
    .args_min = 3,
    .args_max = 3,
    .run = role,
};

const struct command folder_remove_command = {
    .noun = "folder",
    .verb = "remove",
    .synopsis = "FOLDER USER [--account URL] [--json]",
    .summary = "take a member out",
    .about = "Removes a member from a folder that you own, with the mappings on that "
             "user's\n"
             "devices; the tickets for it die.",
    .example = "  meshauth folder remove Trip usr_...",
    .options = options,
    .args_min = 2,
    .args_max = 2,
    .run = remove_it,
};

const struct command folder_leave_command = {
    .noun = "folder",
    .verb = "leave",
    .synopsis = "FOLDER [--account URL] [--json]",
    .summary = "be a member no more",
    .about = "Leaves a folder that is shared with you, with the mappings on your "
             "devices.",
    .example = "  meshauth folder leave Trip",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = leave,
};

const struct command folder_pass_command = {
    .noun = "folder",
    .verb = "pass",
    .synopsis = "FOLDER USER [--account URL] [--json]",
    .summary = "make another member its owner",
    .about = "Passes a folder on to another member; you are a contributor then.",
    .example = "  meshauth folder pass Trip usr_...",
    .options = options,
    .args_min = 2,
    .args_max = 2,
    .run = pass,
};
