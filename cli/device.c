/* meshauth device: what the user has claimed. */
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
    {"not-found", "`meshauth device list` shows yours."},
    {"forbidden", "Only who has claimed a device may."},
    {NULL, NULL},
};

static bool
print_list(const struct mesh *m, const json_t *items)
{
    static const char *const heads[] = {"name", "id", "changed", ""};
    struct table *t;

    if (!json_array_size(items)) {
        output_line(STYLE_PLAIN, "", "You have claimed no device.");
        return true;
    }
    t = table_new(sizeof(heads) / sizeof(*heads), heads);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *d = json_array_get(items, i);
        bool here = strcmp(mesh_text(d, "key"), mesh_key(m)) == 0;
        bool alone = json_is_true(json_object_get(d, "unattended"));

        table_cell(t, STYLE_BOLD, "%s", mesh_text(d, "name"));
        table_cell(t, STYLE_PLAIN, "%s", mesh_text(d, "id"));
        table_cell(t, STYLE_DIM, "%s", mesh_text(d, "updated"));
        table_cell(t, here ? STYLE_GOOD : STYLE_PLAIN, "%s%s%s",
            here ? "this device" : "", here && alone ? ", " : "",
            alone ? "unattended" : "");
    }
    return table_end(t);
}

static enum command_exit
do_list(struct mesh *m, const struct call *call)
{
    enum command_exit code;
    json_t *devices;

    code = mesh_own_devices(m, &devices);
    if (code == COMMAND_DONE)
        code = mesh_print_list(call, m, "devices", devices, print_list);
    json_decref(devices);
    return code;
}

static bool
print_device(const json_t *d)
{
    static const struct {
        const char *head, *member;
    } rows[] = {{"name", "name"}, {"id", "id"}, {"key", "key"}, {"user", "user"},
        {"registered", "created"}, {"changed", "updated"}};
    struct table *t = table_new(2, NULL);

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        table_cell(t, STYLE_DIM, "%s", rows[i].head);
        table_cell(t, i ? STYLE_PLAIN : STYLE_BOLD, "%s", mesh_text(d, rows[i].member));
    }
    table_cell(t, STYLE_DIM, "unattended");
    table_cell(t, STYLE_PLAIN, "%s",
        json_is_true(json_object_get(d, "unattended")) ? "yes" : "no");
    return table_end(t);
}

/* The device that is meant: its id and its URL. */
static enum command_exit
find(const struct mesh *m, const struct call *call, char id[ID_LEN + 1],
    char url[MESH_URL_MAX])
{
    enum command_exit code = mesh_find_device(m, call, call->arg[0], id);

    snprintf(url, MESH_URL_MAX, "devices/%s", code == COMMAND_DONE ? id : "");
    return code;
}

static enum command_exit
do_show(struct mesh *m, const struct call *call)
{
    char id[ID_LEN + 1], url[MESH_URL_MAX];
    enum command_exit code = find(m, call, id, url);
    json_t *device = NULL;

    if (code == COMMAND_DONE)
        code = mesh_read(m, url, &device);
    if (code == COMMAND_DONE)
        code = mesh_print(call, device, print_device);
    json_decref(device);
    return code;
}

static enum command_exit
do_rename(struct mesh *m, const struct call *call)
{
    char id[ID_LEN + 1], url[MESH_URL_MAX];
    enum command_exit code = find(m, call, id, url);
    json_t *device = NULL, *body = json_pack("{s:s}", "name", call->arg[1]);

    if (code == COMMAND_DONE)
        code = mesh_patch(m, url, body, &device);
    if (code == COMMAND_DONE)
        code = mesh_done(call, device, id, "renamed");
    json_decref(device);
    json_decref(body);
    return code;
}

/* Whether somebody sits in front of it: where nobody does, its login goes on by itself. */
static enum command_exit
do_mark(struct mesh *m, const struct call *call)
{
    bool alone = strcmp(call->arg[1], "yes") == 0;
    char id[ID_LEN + 1], url[MESH_URL_MAX];
    json_t *device = NULL, *body = json_pack("{s:b}", "unattended", alone);
    enum command_exit code = COMMAND_DONE;

    if (!alone && strcmp(call->arg[1], "no") != 0)
        code = command_misused(call, "unattended: yes or no");
    if (code == COMMAND_DONE)
        code = find(m, call, id, url);
    if (code == COMMAND_DONE)
        code = mesh_patch(m, url, body, &device);
    if (code == COMMAND_DONE)
        code = mesh_done(call, device, id,
            alone ? "unattended: its login goes on until it is released"
                  : "attended: its login ends with its session");
    json_decref(device);
    json_decref(body);
    return code;
}

/* The login on this device ends with its claim; our part of it is removed as well. */
static enum command_exit
do_release(struct mesh *m, const struct call *call)
{
    char id[ID_LEN + 1], url[MESH_URL_MAX];
    enum command_exit code = find(m, call, id, url);
    json_t *device = NULL;
    bool here = false;

    if (code == COMMAND_DONE)
        code = mesh_read(m, url, &device);
    if (code == COMMAND_DONE) {
        here = strcmp(mesh_text(device, "key"), mesh_key(m)) == 0;
        code = mesh_delete(m, url);
    }
    if (code == COMMAND_DONE && here)
        code = mesh_log_out(m);
    if (code == COMMAND_DONE)
        code = mesh_done(call, NULL, id, "released, and logged out");
    json_decref(device);
    return code;
}

static enum command_exit
list(const struct call *call)
{
    return mesh_run(call, hints, do_list);
}

static enum command_exit
show(const struct call *call)
{
    return mesh_run(call, hints, do_show);
}

static enum command_exit
rename_it(const struct call *call)
{
    return mesh_run(call, hints, do_rename);
}

static enum command_exit
mark(const struct call *call)
{
    return mesh_run(call, hints, do_mark);
}

static enum command_exit
release(const struct call *call)
{
    return mesh_run(call, hints, do_release);
}

const struct command device_list_command = {
    .noun = "device",
    .verb = "list",
    .synopsis = "[--account URL] [--json]",
    .summary = "the devices that you have claimed",
    .about = "Lists your devices. `meshauth login URL --claim NAME` makes this one "
             "yours.",
    .example = "  meshauth device list",
    .options = options,
    .run = list,
};

const struct command device_show_command = {
    .noun = "device",
    .verb = "show",
    .synopsis = "[DEVICE] [--account URL] [--json]",
    .summary = "one of them",
    .about =
        "Shows a device: its id, or its exact name when only one of yours has it;\n"
        "without DEVICE this one.",
    .example = "  meshauth device show --json",
    .options = options,
    .args_max = 1,
    .run = show,
};

const struct command device_rename_command = {
    .noun = "device",
    .verb = "rename",
    .synopsis = "DEVICE NAME [--account URL] [--json]",
    .summary = "call it otherwise",
    .about = "Gives a device another name. DEVICE is its id, or its exact name when "
             "only one\n"
             "of yours has it.",
    .example = "  meshauth device rename Laptop \"Alice's laptop\"",
    .options = options,
    .args_min = 2,
    .args_max = 2,
    .run = rename_it,
};

const struct command device_unattended_command = {
    .noun = "device",
    .verb = "unattended",
    .synopsis = "DEVICE yes|no [--account URL] [--json]",
    .summary = "whether nobody sits in front of it",
    .about =
        "A server on which nobody could log in again: the login there is renewed for\n"
        "as long as your claim on it stands, beyond its session's end. DEVICE is its\n"
        "id, or its exact name when only one of yours has it.",
    .example = "  meshauth device unattended \"build server\" yes",
    .options = options,
    .args_min = 2,
    .args_max = 2,
    .run = mark,
};

const struct command device_release_command = {
    .noun = "device",
    .verb = "release",
    .synopsis = "[DEVICE] [--account URL] [--json]",
    .summary = "end your claim on it",
    .about =
        "Releases a device, without DEVICE this one: folders are not mapped on it any\n"
        "more, you are logged out on it, and its tickets die. Others may claim it.\n"
        "DEVICE is its id, or its exact name when only one of yours has it.",
    .example = "  meshauth device release dev_...",
    .options = options,
    .args_max = 1,
    .run = release,
};
