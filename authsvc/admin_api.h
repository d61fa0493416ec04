/*
 * /v1/admin: users, their sessions, services, roles and signing keys, for admins: on the
 * admin socket, and over HTTPS for those with the role. Changes are store/admin.h's, as
 * for the command.
 */
#ifndef AUTHSVC_ADMIN_API_H
#define AUTHSVC_ADMIN_API_H

#include "authsvc/http.h"

struct admin_route;

extern const struct admin_route admin_users_list;
extern const struct admin_route admin_users_one;
extern const struct admin_route admin_users_delete;
extern const struct admin_route admin_users_sessions;
extern const struct admin_route admin_sessions_close;
extern const struct admin_route admin_tickets_revoke;
extern const struct admin_route admin_services_list;
extern const struct admin_route admin_services_create;
extern const struct admin_route admin_services_one;
extern const struct admin_route admin_services_update;
extern const struct admin_route admin_services_delete;
extern const struct admin_route admin_keys_list;
extern const struct admin_route admin_keys_one;
extern const struct admin_route admin_keys_prepare;
extern const struct admin_route admin_keys_activate;
extern const struct admin_route admin_keys_revoke;
extern const struct admin_route admin_metadata_key;
extern const struct admin_route admin_revocations_list;
extern const struct admin_route admin_revocations_add;
extern const struct admin_route admin_erasures_list;
extern const struct admin_route admin_erasures_begin;
extern const struct admin_route admin_roles_list;
extern const struct admin_route admin_roles_grant;
extern const struct admin_route admin_roles_revoke;

/* The first step of a route whose `what` is one of those. */
void admin_api_start(struct http_exchange *x);

#endif
