/* The bodies of requests to /v1/admin, as the parts of a change. */
#ifndef AUTHSVC_ADMIN_BODY_H
#define AUTHSVC_ADMIN_BODY_H

#include "authsvc/json_body.h"
#include "store/admin.h"

enum {
    ADMIN_BODY_DETAIL = sizeof(((struct mauth_err *)0)->text)
};

extern const struct json_member admin_body_service_new[];
extern const struct json_member admin_body_service_patch[];
extern const struct json_member admin_body_key_new[];
extern const struct json_member admin_body_key_activate[];
extern const struct json_member admin_body_revocation[];

/*
 * Take over what an object with these members says. NULL, or the name of the problem,
 * "service", "key" or "revocation", with detail set. What is left of its form, and what others have,
 * the transaction sees to.
 */
const char *admin_body_service(
    const json_t *root, struct admin_change *c, char detail[ADMIN_BODY_DETAIL]);
const char *admin_body_key(
    const json_t *root, struct admin_change *c, char detail[ADMIN_BODY_DETAIL]);

/* The texts that c has of it are root's. */
const char *admin_body_revoke(
    const json_t *root, struct admin_change *c, char detail[ADMIN_BODY_DETAIL]);

#endif
