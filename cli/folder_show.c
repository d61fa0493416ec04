/* meshauth folder show: who has it, and where, drawn. */
#include <stdio.h>

#include "cli/folder_picture.h"
#include "cli/mesh.h"
#include "cli/mesh_find.h"
#include "cli/output.h"

static const struct command_option options[] = {
    MESH_ACCOUNT_OPTION,
    {NULL, 0, NULL, NULL},
};

static const struct mesh_hint hints[] = {
    {"not-found", "`meshauth folder list` shows yours."},
    {NULL, NULL},
};

/* All that is to be seen; released with the whole. */
struct view {
    json_t *folder, *members, *mappings, *devices;
};

static void
view_clear(struct view *v)
{
    json_decref(v->devices);
    json_decref(v->mappings);
    json_decref(v->members);
    json_decref(v->folder);
}

static enum command_exit
look(const struct mesh *m, const struct call *call, struct view *v)
{
    char id[ID_LEN + 1], url[MESH_URL_MAX];
    enum command_exit code = mesh_find_folder(m, call, call->arg[0], id);

    if (code == COMMAND_DONE) {
        snprintf(url, sizeof(url), "folders/%s", id);
        code = mesh_read(m, url, &v->folder);
    }
    if (code == COMMAND_DONE)
        code = mesh_list(m, mesh_link(v->folder, "members"), &v->members);
    if (code == COMMAND_DONE)
        code = mesh_list(m, mesh_link(v->folder, "mappings"), &v->mappings);
    if (code == COMMAND_DONE && !call->json)
        code = mesh_own_devices(m, &v->devices);
    return code;
}

static bool
print(const struct mesh *m, const struct call *call, const struct view *v)
{
    const struct folder_picture picture = {.folder = v->folder,
        .members = v->members,
        .mappings = v->mappings,
        .devices = v->devices,
        .user = mesh_user(m),
        .key = mesh_key(m),
        .utf8 = folder_picture_is_utf8()};

    if (call->json)
        return output_json(json_pack("{s:O, s:O, s:O}", "folder", v->folder, "members",
            v->members, "mappings", v->mappings));
    return folder_picture_print(&picture);
}

static enum command_exit
do_show(struct mesh *m, const struct call *call)
{
    struct view v = {.folder = NULL};
    enum command_exit code = look(m, call, &v);

    if (code == COMMAND_DONE && !print(m, call, &v)) {
        command_complain(call, "no memory");
        code = COMMAND_FAILED;
    }
    view_clear(&v);
    return code;
}

static enum command_exit
show(const struct call *call)
{
    return mesh_run(call, hints, do_show);
}

const struct command folder_show_command = {
    .noun = "folder",
    .verb = "show",
    .synopsis = "FOLDER [--account URL] [--json]",
    .summary = "draw its members, and where each has it",
    .about =
        "Draws a folder with its members and, under each, the devices on which it is\n"
        "mapped; your own by name. FOLDER is its id, or its exact name when only one "
        "of\n"
        "yours has it.",
    .example = "  meshauth folder show Trip",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = show,
};
