/*
 * The mesh, as one of this device's accounts sees it: asked over TLS with the device's
 * key, with the identity ticket in Authorization, JSON in both directions.
 *
 * What goes wrong is said here, in a sentence that also tells what would be right. These
 * functions then answer with the exit code and leave *out NULL.
 */
#ifndef CLI_MESH_H
#define CLI_MESH_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "cli/command.h"
#include "cli/service_url.h"

struct account;
struct fetch;
struct mesh;

enum {
    MESH_URL_MAX = 512
};

/* What would be right, where the service has answered with this problem. */
struct mesh_hint {
    const char *problem; /* its NAME; NULL ends a list */
    const char *text;
};

/* The first option of every command on the mesh. */
#define MESH_ACCOUNT_OPTION                                                      \
    {                                                                            \
        "account", 0, "URL", "at which service, as `meshauth status` lists them" \
    }

/*
 * Run work as the account that the first option names, or as the only one there is.
 * hints may be NULL.
 */
typedef enum command_exit mesh_work(struct mesh *m, const struct call *call);
enum command_exit mesh_run(
    const struct call *call, const struct mesh_hint *hints, mesh_work *work);
/* As the account at this service; mesh_close() it in either case. */
enum command_exit mesh_open(const struct call *call, const struct service_url *service,
    const struct mesh_hint *hints, struct mesh **out);
void mesh_close(struct mesh *m);

/* The login is over: what it brought is removed. Nothing more is asked with m. */
enum command_exit mesh_log_out(struct mesh *m);

/* What asks, and as whom. Belong to m. */
struct fetch *mesh_fetch(const struct mesh *m);
const struct account *mesh_account(const struct mesh *m);

/* The user's id, and that of this device's key. Belong to m. */
const char *mesh_user(const struct mesh *m);
const char *mesh_key(const struct mesh *m);

struct mesh_request {
    const char *method;
    const char *url;    /* a node's, or what follows /v1/mesh/ */
    const json_t *body; /* of POST and PATCH; NULL there: what was typed is no UTF-8 */
    const char *match;  /* the value of If-Match, or NULL */
    bool anyone;        /* send no ticket: what the body holds is enough */
};

/* *out is the answer's object, NULL for an empty one; out may be NULL. */
enum command_exit mesh_ask(
    const struct mesh *m, const struct mesh_request *r, json_t **out);

/* GET a node. */
enum command_exit mesh_read(const struct mesh *m, const char *url, json_t **out);

/* All items of a list, page by page. */
enum command_exit mesh_list(const struct mesh *m, const char *url, json_t **out);

/*
 * Change a node as it stands: it is read, then changed if it is still so, and read once
 * more if it is not. *out is what has become of it; out may be NULL.
 */
enum command_exit mesh_patch(
    const struct mesh *m, const char *url, const json_t *body, json_t **out);
enum command_exit mesh_delete(const struct mesh *m, const char *url);

/* The node as it is, for machines; else print writes for people, false: no memory. */
enum command_exit mesh_print(
    const struct call *call, const json_t *node, bool (*print)(const json_t *node));
/* {"NAME":[...]} for machines. */
enum command_exit mesh_print_list(const struct call *call, const struct mesh *m,
    const char *name, const json_t *items,
    bool (*print)(const struct mesh *m, const json_t *items));
/* "WHAT: done"; for machines the node, {} when it is NULL. */
enum command_exit mesh_done(
    const struct call *call, const json_t *node, const char *what, const char *done);

/* A member of a node, and one of its links; "" when there is none. */
const char *mesh_text(const json_t *node, const char *name);
const char *mesh_link(const json_t *node, const char *name);
/* The id at the end of a node's URL. */
const char *mesh_url_id(const char *url);

#endif
