#include "authsvc/mesh_node.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/str.h"
#include "base/time.h"

static const char *const places[ID_KINDS] = {
    [ID_USER] = "users",
    [ID_DEVICE] = "devices",
    [ID_FOLDER] = "folders",
    [ID_INVITATION] = "invitations",
};

void
node_url(
    const char *issuer, enum id_kind kind, const struct id *id, char out[NODE_URL_MAX])
{
    char text[ID_LEN + 1];

    id_format(kind, id, text);
    snprintf(out, NODE_URL_MAX, "%s/v1/mesh/%s/%s", issuer, places[kind], text);
}

void
node_link_url(const char *issuer, const struct id *folder, const char *list,
    enum id_kind kind, const struct id *id, char out[NODE_URL_MAX])
{
    char near[ID_LEN + 1], far[ID_LEN + 1];

    id_format(ID_FOLDER, folder, near);
    id_format(kind, id, far);
    snprintf(out, NODE_URL_MAX, "%s/v1/mesh/folders/%s/%s/%s", issuer, near, list, far);
}

static void
put_name(struct buf *b, const char *name)
{
    buf_u8(b, ',');
    buf_json(b, text_of(name));
    buf_u8(b, ':');
}

void
node_begin(struct buf *b, const struct node *n)
{
    char id[ID_LEN + 1];

    id_format(n->kind, &n->id, id);
    buf_printf(b, "{\"id\":\"%s\"", id);
    node_text(b, "url", n->url);
    node_text(b, "type", n->type);
    buf_printf(b, ",\"version\":%" PRIu64, n->version);
    node_time(b, "created", n->created_s);
    node_time(b, "updated", n->updated_s);
}

void
node_text(struct buf *b, const char *name, const char *value)
{
    put_name(b, name);
    buf_json(b, text_of(value));
}

void
node_bool(struct buf *b, const char *name, bool value)
{
    put_name(b, name);
    buf_str(b, value ? "true" : "false");
}

void
node_time(struct buf *b, const char *name, int64_t value_s)
{
    char text[TIME_LEN + 1];

    time_format(value_s, text);
    node_text(b, name, text);
}

void
node_ref(struct buf *b, const char *name, const char *issuer, enum id_kind kind,
    const struct id *id)
{
    char url[NODE_URL_MAX];

    node_url(issuer, kind, id, url);
    node_text(b, name, url);
}

void
node_links(struct buf *b, const char *url, const char *const *names)
{
    put_name(b, "links");
    for (size_t i = 0; names[i]; i++)
        buf_printf(b, "%s\"%s\":\"%s/%s\"", i ? "," : "{", names[i], url, names[i]);
    buf_str(b, names[0] ? "}" : "{}");
}

void
node_end(struct buf *b)
{
    buf_u8(b, '}');
}
