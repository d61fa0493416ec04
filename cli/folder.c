/* meshauth folder: made, listed, renamed, deleted; mapped on devices. */
#include <stdio.h>
#include <string.h>

#include "cli/mesh.h"
#include "cli/mesh_find.h"
#include "cli/output.h"

enum {
    OPT_ACCOUNT, /* of each of these */
    OPT_CONTRIBUTORS_INVITE
};

static const struct command_option options[] = {
    [OPT_ACCOUNT] = MESH_ACCOUNT_OPTION,
    {NULL, 0, NULL, NULL},
};

static const struct command_option create_options[] = {
    [OPT_ACCOUNT] = MESH_ACCOUNT_OPTION,
    [OPT_CONTRIBUTORS_INVITE] = {"contributors-invite", 0, NULL,
        "contributors may invite, too, up to their own role"},
    {NULL, 0, NULL, NULL},
};

static const struct mesh_hint hints[] = {
    {"not-found", "`meshauth folder list` shows yours."},
    {"forbidden", "Only its owner may."},
    {NULL, NULL},
};

static const struct mesh_hint map_hints[] = {
    {"not-found", "Only what you share, `meshauth folder list`, can be mapped on what "
                  "you have claimed, `meshauth device list`."},
    {"forbidden", "A folder is mapped on devices that you have claimed."},
    {NULL, NULL},
};

static enum command_exit
do_create(struct mesh *m, const struct call *call)
{
    json_t *body = json_pack("{s:s}", "name", call->arg[0]), *folder = NULL;
    const struct mesh_request r = {.method = "POST", .url = "folders", .body = body};
    enum command_exit code;

    if (call->option[OPT_CONTRIBUTORS_INVITE])
        json_object_set_new(body, "contributors_invite", json_true());
    code = mesh_ask(m, &r, &folder);
    if (code == COMMAND_DONE)
        code = mesh_done(call, folder, call->arg[0], mesh_text(folder, "id"));
    json_decref(folder);
    json_decref(body);
    return code;
}

static bool
print_list(const struct mesh *m, const json_t *items)
{
    static const char *const heads[] = {"name", "id", "your role", "since"};
    struct table *t;

    (void)m;
    if (!json_array_size(items)) {
        output_line(STYLE_PLAIN, "", "You have no folder.");
        return true;
    }
    t = table_new(sizeof(heads) / sizeof(*heads), heads);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *f = json_array_get(items, i);

        table_cell(t, STYLE_BOLD, "%s", mesh_text(f, "name"));
        table_cell(t, STYLE_PLAIN, "%s", mesh_text(f, "id"));
        table_cell(t, STYLE_PLAIN, "%s", mesh_text(f, "role"));
        table_cell(t, STYLE_DIM, "%s", mesh_text(f, "created"));
    }
    return table_end(t);
}

static enum command_exit
do_list(struct mesh *m, const struct call *call)
{
    enum command_exit code;
    json_t *folders;

    code = mesh_own_folders(m, &folders);
    if (code == COMMAND_DONE)
        code = mesh_print_list(call, m, "folders", folders, print_list);
    json_decref(folders);
    return code;
}

static enum command_exit
do_rename(struct mesh *m, const struct call *call)
{
    json_t *body = json_pack("{s:s}", "name", call->arg[1]), *folder = NULL;
    char id[ID_LEN + 1], url[MESH_URL_MAX];
    enum command_exit code = mesh_find_folder(m, call, call->arg[0], id);

    if (code == COMMAND_DONE) {
        snprintf(url, sizeof(url), "folders/%s", id);
        code = mesh_patch(m, url, body, &folder);
    }
    if (code == COMMAND_DONE)
        code = mesh_done(call, folder, call->arg[0], "renamed");
    json_decref(folder);
    json_decref(body);
    return code;
}

static enum command_exit
do_delete(struct mesh *m, const struct call *call)
{
    char id[ID_LEN + 1], url[MESH_URL_MAX];
    enum command_exit code = mesh_find_folder(m, call, call->arg[0], id);

    if (code == COMMAND_DONE) {
        snprintf(url, sizeof(url), "folders/%s", id);
        code = mesh_delete(m, url);
    }
    if (code == COMMAND_DONE)
        code = mesh_done(call, NULL, call->arg[0], "deleted");
    return code;
}

/* The URL of the mapping that FOLDER and DEVICE name. */
static enum command_exit
find_mapping(const struct mesh *m, const struct call *call, char url[MESH_URL_MAX])
{
    char folder[ID_LEN + 1], device[ID_LEN + 1];
    enum command_exit code = mesh_find_folder(m, call, call->arg[0], folder);

    if (code == COMMAND_DONE)
        code = mesh_find_device(m, call, call->arg[1], device);
    if (code == COMMAND_DONE)
        snprintf(url, MESH_URL_MAX, "folders/%s/mappings/%s", folder, device);
    return code;
}

static enum command_exit
do_map(struct mesh *m, const struct call *call)
{
    char url[MESH_URL_MAX];
    const struct mesh_request r = {.method = "PUT", .url = url};
    enum command_exit code = find_mapping(m, call, url);
    json_t *mapping = NULL;

    if (code == COMMAND_DONE)
        code = mesh_ask(m, &r, &mapping);
    if (code == COMMAND_DONE)
        code = mesh_done(call, mapping, call->arg[0], "mapped");
    json_decref(mapping);
    return code;
}

static enum command_exit
do_unmap(struct mesh *m, const struct call *call)
{
    char url[MESH_URL_MAX];
    enum command_exit code = find_mapping(m, call, url);

    if (code == COMMAND_DONE)
        code = mesh_delete(m, url);
    if (code == COMMAND_DONE)
        code = mesh_done(call, NULL, call->arg[0], "not mapped any more");
    return code;
}

static enum command_exit
create(const struct call *call)
{
    return mesh_run(call, hints, do_create);
}

static enum command_exit
list(const struct call *call)
{
    return mesh_run(call, hints, do_list);
}

static enum command_exit
rename_it(const struct call *call)
{
    return mesh_run(call, hints, do_rename);
}

static enum command_exit
delete_it(const struct call *call)
{
    return mesh_run(call, hints, do_delete);
}

static enum command_exit
map(const struct call *call)
{
    return mesh_run(call, map_hints, do_map);
}

static enum command_exit
unmap(const struct call *call)
{
    return mesh_run(call, map_hints, do_unmap);
}

const struct command folder_create_command = {
    .noun = "folder",
    .verb = "create",
    .synopsis = "NAME [--contributors-invite]\n"
                "           [--account URL] [--json]",
    .summary = "make a folder, which is yours",
    .about =
        "Makes a folder of which you are the owner. Several may have the same name.",
    .example = "  meshauth folder create Trip",
    .options = create_options,
    .args_min = 1,
    .args_max = 1,
    .run = create,
};

const struct command folder_list_command = {
    .noun = "folder",
    .verb = "list",
    .synopsis = "[--account URL] [--json]",
    .summary = "your folders, and those that are shared with you",
    .about = "Lists the folders that you are a member of, with your role in each.",
    .example = "  meshauth folder list",
    .options = options,
    .run = list,
};

const struct command folder_rename_command = {
    .noun = "folder",
    .verb = "rename",
    .synopsis = "FOLDER NAME [--account URL] [--json]",
    .summary = "call it otherwise",
    .about =
        "Gives a folder another name. FOLDER is its id, or its exact name when only "
        "one\n"
        "of yours has it.",
    .example = "  meshauth folder rename Trip Journey",
    .options = options,
    .args_min = 2,
    .args_max = 2,
    .run = rename_it,
};

const struct command folder_delete_command = {
    .noun = "folder",
    .verb = "delete",
    .synopsis = "FOLDER [--account URL] [--json]",
    .summary = "end it, for all of its members",
    .about = "Deletes a folder that you own, with its members, mappings and "
             "invitations.\n"
             "FOLDER is its id, or its exact name when only one of yours has it.",
    .example = "  meshauth folder delete Trip",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = delete_it,
};

const struct command folder_map_command = {
    .noun = "folder",
    .verb = "map",
    .synopsis = "FOLDER [DEVICE] [--account URL] [--json]",
    .summary = "let it live on a device of yours",
    .about =
        "Maps a folder on a device that you have claimed, without DEVICE on this one.\n"
        "FOLDER and DEVICE are ids, or exact names when only one of yours has it.",
    .example = "  meshauth folder map Trip",
    .options = options,
    .args_min = 1,
    .args_max = 2,
    .run = map,
};

const struct command folder_unmap_command = {
    .noun = "folder",
    .verb = "unmap",
    .synopsis = "FOLDER [DEVICE] [--account URL] [--json]",
    .summary = "let it not live there any more",
    .about =
        "Ends a mapping. DEVICE and FOLDER are as `meshauth folder map` takes them.",
    .example = "  meshauth folder unmap Trip dev_...",
    .options = options,
    .args_min = 1,
    .args_max = 2,
    .run = unmap,
};
