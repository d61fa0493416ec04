/*
 * What can happen that the audit log tells of: the table of docs/audit.md. Names stay for
 * good, for logs do. Pure; thread-safe.
 */
#ifndef AUDIT_ACTION_H
#define AUDIT_ACTION_H

#include <stdbool.h>

#include <meshauth/api.h>

MAUTH_MUST_USE bool audit_action_is(const char *name);
/* The one that may be meant by a name that is none; NULL: nobody can say. */
const char *audit_action_near(const char *name);

#endif
