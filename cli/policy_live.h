/* meshauth policy explain over the graph: the part of an admin. */
#ifndef CLI_POLICY_LIVE_H
#define CLI_POLICY_LIVE_H

#include "cli/command.h"

struct policy_live {
    const char *config; /* meshauth.conf of the service */
    const char *subject;
    const char *holder, *shown; /* or NULL */
};

/* The action and its arguments are the call's. */
enum command_exit policy_explain_live(
    const struct call *call, const struct policy_live *live);

#endif
