/*
 * The tickets that answer a change of the graph: proven after its commit, put on record
 * by themselves. When that fails the change stands, and its answer carries none.
 */
#ifndef AUTHSVC_MESH_TICKETS_H
#define AUTHSVC_MESH_TICKETS_H

#include <stdbool.h>

#include "authsvc/renewal.h"

struct mesh;

/* What a change has opened. */
enum mesh_opens {
    MESH_OPENS_NOTHING,
    MESH_OPENS_FOLDER, /* the initial tickets, of that folder alone */
    MESH_OPENS_DEVICE  /* those of a login: they all speak of the device now */
};

struct mesh_tickets {
    struct renewal renewal; /* of the one, or ... */
    struct rights *rights;  /* ... of the other */
};

/* Proves and signs them; false when there are none. */
MAUTH_MUST_USE bool mesh_tickets_issue(struct mesh *m);
/* Puts their records; arg is the mesh. */
kv_fn mesh_tickets_record;
/* Once that is done: adds them to the answer, which is a node. */
void mesh_tickets_answer(struct mesh *m);
void mesh_tickets_clear(struct mesh_tickets *t);

#endif
