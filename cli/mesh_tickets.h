/* Changes of the graph are answered with the tickets that they open. */
#ifndef CLI_MESH_TICKETS_H
#define CLI_MESH_TICKETS_H

#include <jansson.h>

#include "cli/account.h"
#include "cli/command.h"

/*
 * Takes "tickets" out of a node, or of what was answered instead (NULL: nothing), so that
 * none is ever shown, and keeps them in the account, as those of a login. A complaint is
 * all that follows when they cannot be kept: they can be got again.
 */
void mesh_keep_tickets(const struct call *call, struct account *a, json_t *node);

#endif
