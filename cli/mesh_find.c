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

static void
say_which(
    const struct call *call, const json_t *items, enum id_kind kind, const char *name)
{
    const char *hint = kind == ID_FOLDER ? "role" : "updated";

    command_complain(call, "Several %ss have that name; say which, by its id:",
        kind == ID_FOLDER ? "folder" : "device");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);

        if (strcmp(mesh_text(item, "name"), name) == 0)
            command_complain(
                call, "%s (%s)", mesh_text(item, "id"), mesh_text(item, hint));
    }
}

/* The only one of the caller's own with this name. */
static enum command_exit
take_named(const struct call *call, const json_t *items, enum id_kind kind,
    const char *name, char out[ID_LEN + 1])
{
    const char *noun = kind == ID_FOLDER ? "folder" : "device";
    size_t count;
    const json_t *only = find_only(items, "name", name, &count);

    if (count == 1)
        return take_node(call, kind, only, out);
    if (count)
        say_which(call, items, kind, name);
    else
        command_complain(call, "You have no %s '%s'; `meshauth %s list` shows yours.",
            noun, name, noun);
    return COMMAND_REFUSED;
}

enum command_exit
mesh_find_folder(const struct mesh *m, const struct call *call, const char *folder,
    char out[ID_LEN + 1])
{
    enum command_exit code;
    json_t *folders;

    if (take_id(ID_FOLDER, folder, out))
        return COMMAND_DONE;
    code = mesh_own_folders(m, &folders);
    if (code == COMMAND_DONE)
        code = take_named(call, folders, ID_FOLDER, folder, out);
    json_decref(folders);
    return code;
}

static enum command_exit
take_this(const struct mesh *m, const struct call *call, const json_t *devices,
    char out[ID_LEN + 1])
{
    size_t count;
    const json_t *only = find_only(devices, "key", mesh_key(m), &count);

    if (only)
        return take_node(call, ID_DEVICE, only, out);
    command_complain(call, "You have not claimed this device; "
                           "`meshauth login URL --claim NAME` does that.");
    return COMMAND_REFUSED;
}

enum command_exit
mesh_find_device(const struct mesh *m, const struct call *call, const char *device,
    char out[ID_LEN + 1])
{
    enum command_exit code;
    json_t *devices;

    if (device && take_id(ID_DEVICE, device, out))
        return COMMAND_DONE;
    code = mesh_own_devices(m, &devices);
    if (code == COMMAND_DONE && device)
        code = take_named(call, devices, ID_DEVICE, device, out);
    else if (code == COMMAND_DONE)
        code = take_this(m, call, devices, out);
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
