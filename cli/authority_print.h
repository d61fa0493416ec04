/* What the commands that make another authority say of it. */
#ifndef CLI_AUTHORITY_PRINT_H
#define CLI_AUTHORITY_PRINT_H

#include <jansson.h>

#include "cli/command.h"

/* Of authority_view()'s object, or of "pending" in it. */
json_int_t authority_epoch_of(const json_t *node);

bool authority_print_in_force(const json_t *node);

/*
 * Write what waits in node to a new file for the root, or to standard output ("-"), and
 * say what is to be done with it; config is the service's.
 */
enum command_exit authority_print_request(
    const struct call *call, const json_t *node, const char *file, const char *config);

/* What is to be seen to, in authority_view()'s object; and the same of a service. */
void authority_print_warnings_of(const json_t *node);
enum command_exit authority_print_warnings(const struct call *call, const char *config);

#endif
