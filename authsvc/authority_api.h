/*
 * /v1/admin/authority: who signs trust, and another one in two steps with the root's
 * signature between them (store/authority_change.h). For admins.
 */
#ifndef AUTHSVC_AUTHORITY_API_H
#define AUTHSVC_AUTHORITY_API_H

#include "authsvc/http.h"

struct authority_route;

extern const struct authority_route authority_show, authority_request,
    authority_install;

http_step authority_api_start;

#endif
