#include "audit/action.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* In their order. */
static const char *const actions[] = {
    "alarm.ticket",
    "audit.archive",
    "audit.erase",
    "audit.erased",
    "audit.query",
    "authority.install",
    "authority.request",
    "config.load",
    "decision",
    "device.claim",
    "device.release",
    "device.revoke",
    "device.update",
    "folder.create",
    "folder.delete",
    "folder.pass",
    "folder.update",
    "init",
    "invitation.accept",
    "invitation.create",
    "invitation.decline",
    "invitation.revoke",
    "key.activate",
    "key.end",
    "key.prepare",
    "key.reseal",
    "key.revoke",
    "login",
    "mapping.add",
    "mapping.remove",
    "member.leave",
    "member.remove",
    "member.role",
    "metadata-key.create",
    "policy.explain",
    "refused",
    "restore",
    "revoke",
    "role.grant",
    "role.revoke",
    "rules.load",
    "service.create",
    "service.delete",
    "service.update",
    "session.close",
    "ticket.introspect",
    "ticket.issue",
    "ticket.renew",
    "ticket.revoke",
    "user.create",
    "user.delete",
    "user.revoke",
};

enum {
    ACTIONS = sizeof(actions) / sizeof(*actions)
};

static int
compare(const void *name, const void *action)
{
    return strcmp(name, *(const char *const *)action);
}

bool
audit_action_is(const char *name)
{
    return bsearch(name, actions, ACTIONS, sizeof(*actions), compare) != NULL;
}

const char *
audit_action_near(const char *name)
{
    const char *best = NULL;
    size_t least = STR_FAR;

    for (size_t i = 0; i < ACTIONS; i++)
        if (str_is_nearer(name, actions[i], &least))
            best = actions[i];
    return best;
}
