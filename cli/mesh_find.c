#include "cli/mesh_find.h"

#include <stdio.h>
#include <string.h>

static enum command_exit
list_own(const struct mesh *m, const char *what, json_t **out)
{
    char url[MESH_URL_MAX];

    snprintf(url, sizeof(url), "users/%s/%s", mesh_user(m), what);
    return mesh_list(m, url, out);
}

enum command_exit
mesh_own_folders(const struct mesh *m, json_t **out)
{
    return list_own(m, "folders", out);
}

enum command_exit
mesh_own_devices(const struct mesh *m, json_t **out)
{
    return list_own(m, "devices", out);
}

/* The only item of this value; others are counted as well. */
static const json_t *
find_only(const json_t *items, const char *member, const char *value, size_t *count)
{
    const json_t *found = NULL;

    *count = 0;
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);

        if (strcmp(mesh_text(item, member), value) == 0) {
            found = item;
            ++*count;
        }
    }
    return found;
}

static void
say_which(const struct call *call, const json_t *folders, const char *name)
{
    command_complain(call, "Several folders have that name; say which, by its id:");
    for (size_t i = 0; i < json_array_size(folders); i++) {
        const json_t *f = json_array_get(folders, i);

        if (strcmp(mesh_text(f, "name"), name) == 0)
            command_complain(call, "%s (%s)", mesh_text(f, "id"), mesh_text(f, "role"));
    }
}

/* An id that the service gave is looked at as well, before it is part of a URL. */
static bool
take_id(enum id_kind kind, const char *text, char out[ID_LEN + 1])
{
    struct id id;

    if (!id_parse(kind, text, strlen(text), &id))
        return false;
    id_format(kind, &id, out);
    return true;
}

static enum command_exit
take_node(const struct call *call, enum id_kind kind, const json_t *node,
    char out[ID_LEN + 1])
{
    if (take_id(kind, mesh_text(node, "id"), out))
        return COMMAND_DONE;
    command_complain(call, "the service's answer names no id");
    return COMMAND_FAILED;
}

enum command_exit
mesh_find_folder(const struct mesh *m, const struct call *call, const char *folder,
    char out[ID_LEN + 1])
{
    enum command_exit code;
    const json_t *only;
    json_t *folders;
    size_t count;

    if (take_id(ID_FOLDER, folder, out))
        return COMMAND_DONE;
    code = mesh_own_folders(m, &folders);
    if (code != COMMAND_DONE)
        return code;
    only = find_only(folders, "name", folder, &count);
    if (count == 1) {
        code = take_node(call, ID_FOLDER, only, out);
    } else {
        if (count)
            say_which(call, folders, folder);
        else
            command_complain(call,
                "You have no folder '%s'; `meshauth folder list` shows yours.", folder);
        code = COMMAND_REFUSED;
    }
    json_decref(folders);
    return code;
}

enum command_exit
mesh_find_device(const struct mesh *m, const struct call *call, const char *device,
    char out[ID_LEN + 1])
{
    enum command_exit code;
    const json_t *only;
    json_t *devices;
    size_t count;

    if (device)
        return mesh_find_id(call, ID_DEVICE, device, out);
    code = mesh_own_devices(m, &devices);
    if (code != COMMAND_DONE)
        return code;
    only = find_only(devices, "key", mesh_key(m), &count);
    if (only) {
        code = take_node(call, ID_DEVICE, only, out);
    } else {
        command_complain(call, "You have not claimed this device; "
                               "`meshauth login URL --claim NAME` does that.");
        code = COMMAND_REFUSED;
    }
    json_decref(devices);
    return code;
}

enum command_exit
mesh_find_id(
    const struct call *call, enum id_kind kind, const char *text, char out[ID_LEN + 1])
{
    if (take_id(kind, text, out))
        return COMMAND_DONE;
    return command_misused(
        call, "'%s' is no id, which is %s and 26 characters", text, id_prefix(kind));
}
