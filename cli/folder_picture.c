#include "cli/folder_picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/mesh.h"
#include "cli/output.h"

/* How branches look: one that goes on, the last one, and what lies beside each. */
struct strokes {
    const char *fork, *end, *beside_fork, *beside_end;
};

static const struct strokes lines[] = {
    {"|-- ", "`-- ", "|   ", "    "},
    {"\xe2\x94\x9c\xe2\x94\x80\xe2\x94\x80 ", "\xe2\x94\x94\xe2\x94\x80\xe2\x94\x80 ",
        "\xe2\x94\x82   ", "    "},
};

/* POSIX: the first of these that is set and not empty. */
bool
folder_picture_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *value = NULL, *dot;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        value = getenv(names[i]);
        if (value && *value)
            break;
    }
    dot = value ? strchr(value, '.') : NULL;
    return dot &&
           (strncasecmp(dot, ".utf-8", 6) == 0 || strncasecmp(dot, ".utf8", 5) == 0);
}

/* The mappings of each user, and the user's own devices by their ids. */
static json_t *
index_mappings(const json_t *mappings)
{
    json_t *index = json_object();

    for (size_t i = 0; i < json_array_size(mappings); i++) {
        json_t *mapping = json_array_get(mappings, i), *list;
        const char *user = mesh_url_id(mesh_text(mapping, "user"));

        list = json_object_get(index, user);
        if (!list) {
            list = json_array();
            json_object_set_new(index, user, list);
        }
        json_array_append(list, mapping);
    }
    return index;
}

static json_t *
index_devices(const json_t *devices)
{
    json_t *index = json_object();

    for (size_t i = 0; i < json_array_size(devices); i++) {
        json_t *device = json_array_get(devices, i);

        json_object_set(index, mesh_text(device, "id"), device);
    }
    return index;
}

/* The owner first, then the others as they come. */
static json_t *
sort_members(const json_t *members)
{
    json_t *sorted = json_array();

    for (int owners = 1; owners >= 0; owners--)
        for (size_t i = 0; i < json_array_size(members); i++) {
            json_t *member = json_array_get(members, i);

            if ((strcmp(mesh_text(member, "role"), "owner") == 0) == owners)
                json_array_append(sorted, member);
        }
    return sorted;
}

static void
print_device(const struct folder_picture *p, const json_t *own, const json_t *mapping)
{
    const char *id = mesh_url_id(mesh_text(mapping, "device"));
    const json_t *device = json_object_get(own, id);

    if (device)
        output_line(STYLE_BOLD, mesh_text(device, "name"), "%s",
            strcmp(mesh_text(device, "key"), p->key) == 0 ? "  this device" : "");
    else
        output_line(STYLE_PLAIN, id, "%s", "");
}

static void
print_member(const struct folder_picture *p, const json_t *member)
{
    const char *id = mesh_text(member, "id");
    bool own = strcmp(id, p->user) == 0;

    output_line(own ? STYLE_GOOD : STYLE_BOLD, id, "  %s%s", mesh_text(member, "role"),
        own ? ", you" : "");
}

static void
draw(const struct folder_picture *p, const json_t *members, const json_t *mapped,
    const json_t *own)
{
    const struct strokes *s = &lines[p->utf8];
    size_t count = json_array_size(members);

    output_line(
        STYLE_BOLD, mesh_text(p->folder, "name"), "  %s", mesh_text(p->folder, "id"));
    for (size_t i = 0; i < count; i++) {
        const json_t *member = json_array_get(members, i);
        const json_t *list = json_object_get(mapped, mesh_text(member, "id"));
        bool last = i + 1 == count;

        fputs(last ? s->end : s->fork, stdout);
        print_member(p, member);
        for (size_t k = 0; k < json_array_size(list); k++) {
            fputs(last ? s->beside_end : s->beside_fork, stdout);
            fputs(k + 1 == json_array_size(list) ? s->end : s->fork, stdout);
            print_device(p, own, json_array_get(list, k));
        }
    }
}

bool
folder_picture_print(const struct folder_picture *p)
{
    json_t *members = sort_members(p->members);
    json_t *mapped = index_mappings(p->mappings);
    json_t *own = index_devices(p->devices);
    bool ok = members && mapped && own;

    if (ok)
        draw(p, members, mapped, own);
    json_decref(own);
    json_decref(mapped);
    json_decref(members);
    return ok;
}
