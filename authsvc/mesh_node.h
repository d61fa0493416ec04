/*
 * Nodes as clients read them: {"id","url","type","version","created","updated", fields,
 * "links"}. Written in one go, in this order; the buffer latches what fails.
 */
#ifndef AUTHSVC_MESH_NODE_H
#define AUTHSVC_MESH_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/id.h"

enum {
    NODE_URL_MAX = 640 /* an issuer's URL and a node's path */
};

/* "ISSUER/v1/mesh/folders/fld_..." */
void node_url(
    const char *issuer, enum id_kind kind, const struct id *id, char out[NODE_URL_MAX]);
/* "FOLDER/members/usr_...": a link is a node below one of its ends. */
void node_link_url(const char *issuer, const struct id *folder, const char *list,
    enum id_kind kind, const struct id *id, char out[NODE_URL_MAX]);

struct node {
    enum id_kind kind; /* of id */
    struct id id;
    const char *url;
    const char *type;
    uint64_t version;
    int64_t created_s;
    int64_t updated_s;
};

void node_begin(struct buf *b, const struct node *n);
void node_text(struct buf *b, const char *name, const char *value);
void node_bool(struct buf *b, const char *name, bool value);
void node_time(struct buf *b, const char *name, int64_t value_s);
/* The URL of another node. */
void node_ref(struct buf *b, const char *name, const char *issuer, enum id_kind kind,
    const struct id *id);
/* "links": {name: URL/name} for each name of the list, which NULL ends. */
void node_links(struct buf *b, const char *url, const char *const *names);
void node_end(struct buf *b);

#endif
