/* What commands on the mesh have in common behind mesh.c: nodes are read and printed. */
#include <string.h>

#include "cli/mesh.h"
#include "cli/output.h"

const char *
mesh_text(const json_t *node, const char *name)
{
    const char *s = json_string_value(json_object_get(node, name));

    return s ? s : "";
}

const char *
mesh_link(const json_t *node, const char *name)
{
    return mesh_text(json_object_get(node, "links"), name);
}

const char *
mesh_url_id(const char *url)
{
    const char *slash = strrchr(url, '/');

    return slash ? slash + 1 : url;
}

static enum command_exit
printed(const struct call *call, bool ok)
{
    if (ok)
        return COMMAND_DONE;
    command_complain(call, "no memory");
    return COMMAND_FAILED;
}

enum command_exit
mesh_print(
    const struct call *call, const json_t *node, bool (*print)(const json_t *node))
{
    return printed(call, call->json ? output_json(json_deep_copy(node)) : print(node));
}

enum command_exit
mesh_print_list(const struct call *call, const struct mesh *m, const char *name,
    const json_t *items, bool (*print)(const struct mesh *m, const json_t *items))
{
    if (!call->json)
        return printed(call, print(m, items));
    return printed(call, output_json(json_pack("{s:o}", name, json_deep_copy(items))));
}

enum command_exit
mesh_done(
    const struct call *call, const json_t *node, const char *what, const char *done)
{
    if (call->json)
        return printed(call, output_json(node ? json_deep_copy(node) : json_object()));
    output_line(STYLE_BOLD, what, ": %s", done);
    return COMMAND_DONE;
}
