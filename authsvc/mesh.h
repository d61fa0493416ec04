/*
 * A request on the graph: what it wants is gathered, the rules decide, it acts and shows,
 * all of the latter in one transaction, which puts the change and its record.
 *
 * An operation is a table's row: what is asked of the rules, and four small functions.
 * Reads run in the thread of the request; writes go to the committer, and the answer
 * leaves when they are durable.
 */
#ifndef AUTHSVC_MESH_H
#define AUTHSVC_MESH_H

#include "authsvc/http.h"
#include "authsvc/json_body.h"
#include "authsvc/mesh_node.h"
#include "authsvc/mesh_tickets.h"
#include "authsvc/principal.h"
#include "authsvc/service.h"
#include "store/audit.h"
#include "store/graph_device.h"
#include "store/graph_link.h"

struct mesh;

enum mesh_flag {
    MESH_READS = 1,   /* nothing changes: a read transaction, no record */
    MESH_MATCH = 2,   /* needs If-Match */
    MESH_MAKES = 4,   /* m->fresh is the id of something new: drawn, or for a PUT the
                        client's own, which needs If-None-Match: * */
    MESH_SECRET = 8,  /* the body holds an invitation's secret */
    MESH_ANYONE = 16, /* no ticket is needed: who has the secret may */
    MESH_LISTS = 32   /* takes ?after= and ?limit= */
};

enum {
    MESH_IDS = 2,
    MESH_ARGS = 3,
    MESH_PAGE = 64 /* items of a list */
};

/* In the transaction. MAUTH_OK also when m->problem says that it is refused. */
typedef enum mauth_rc mesh_step(
    struct mesh *m, struct kv_txn *txn, struct mauth_err *err);

struct mesh_op {
    const char *action; /* the question */
    /*
     * Its arguments, a letter each; ids are those of the path in their order:
     * f, d, u: the URL of a folder, a device, a user; i: an invitation's id;
     * r: the role of the body. What the caller may not know of is not found.
     */
    const char *args;
    const char *record; /* the action on record; NULL: it is not */
    unsigned flags;
    enum id_kind kind;                 /* of what it makes or lists */
    const struct json_member *members; /* of the body, or NULL */
    /* Before the transaction: the problem with the request, or NULL. May be NULL. */
    const char *(*gather)(struct mesh *m);
    mesh_step *find; /* m->version of the node that is there; MAUTH_NOT_FOUND */
    mesh_step *act;
    mesh_step *show; /* the answer into m->json */
};

struct mesh {
    struct kv_job job; /* first: the store hands back a pointer to it */
    struct http_exchange *x;
    const struct service *service;
    const struct mesh_op *op;
    unsigned runs; /* with other rules each */

    /* Gathered. */
    struct principal who; /* the time in it always */
    struct json_body body;
    const char *action; /* op's, unless gather chose another */
    const char *args;
    const char *record;
    const char *role; /* of the body */
    const char *if_match;
    struct id id[MESH_IDS]; /* of the path */
    struct id fresh;        /* for what this request makes */
    struct id after;        /* of a list */
    bool has_after;
    size_t limit;
    uint8_t salt[AUDIT_SALT]; /* of the record */
    uint8_t secret[32];       /* of an invitation: shown, or to be made */
    char detail[JSON_BODY_DETAIL];

    /* Found by the transaction, which starts over when it runs again. */
    const char *problem;
    bool unchanged; /* it was so already: there is nothing to put on record */
    bool on_record;
    int status;
    uint64_t version; /* of the node, for its ETag; 0: a list */
    char arg[MESH_ARGS][NODE_URL_MAX];
    char made[NODE_URL_MAX]; /* what was made, "" for nothing */
    /* The folder and the role that an invitation gave, for the record; "": none. */
    char joined[NODE_URL_MAX], joined_as[GRAPH_NAME_MAX + 1];
    enum mesh_opens opens; /* so that tickets go with the answer */
    struct id opened;      /* the folder */
    struct buf json;

    struct mesh_tickets tickets;
};

/* The start of every route whose `what` is an operation. */
void mesh_start(struct http_exchange *x);

/* For mesh.c: the problem with the request, or NULL. */
const char *mesh_gather(struct mesh *m, struct mauth_err *err);
/* Of which kind are ids behind this letter of an operation's arguments? */
MAUTH_MUST_USE bool mesh_kind_of(char letter, enum id_kind *out);

/* As `gather`: a body's "name", if there is one, is of the form of names. */
const char *mesh_gather_name(struct mesh *m);

/* For the steps of an operation. */

const char *mesh_issuer(const struct mesh *m);

/* Refuse with this problem. */
MAUTH_MUST_USE enum mauth_rc mesh_refuse(struct mesh *m, const char *problem);
/* rc, unless it is wrong: then it is refused with this problem, which err need not tell. */
MAUTH_MUST_USE enum mauth_rc mesh_refuse_if(struct mesh *m, enum mauth_rc rc,
    enum mauth_rc wrong, const char *problem, struct mauth_err *err);

/* It has opened this folder, be it for a second time. */
void mesh_opens_folder(struct mesh *m, const struct id *folder);

/* A second question, with the arguments at hand. */
MAUTH_MUST_USE enum mauth_rc mesh_may(struct mesh *m, struct kv_txn *txn,
    const char *action, const char *args, bool *may, struct mauth_err *err);

/*
 * A list: {"items":[...],"next":...}. mesh_page() begins it with the links of the path's
 * first id behind ?after=; each item comes behind mesh_list_item().
 */
MAUTH_MUST_USE enum mauth_rc mesh_page(struct mesh *m, struct kv_txn *txn,
    enum graph_way way, struct graph_page *out, struct mauth_err *err);
void mesh_list_item(struct mesh *m);
void mesh_page_end(struct mesh *m, const struct graph_page *page);
/* The same for lists of something else. last: behind it goes the next page, or NULL. */
void mesh_list_begin(struct mesh *m);
void mesh_list_end(struct mesh *m, const struct id *last);

#endif
