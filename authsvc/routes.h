/* Every path that the service answers at. */
#ifndef AUTHSVC_ROUTES_H
#define AUTHSVC_ROUTES_H

#include <stddef.h>

#include "authsvc/http.h"

extern const struct http_route public_routes[];
extern const size_t public_route_count;
extern const struct http_route admin_routes[];
extern const size_t admin_route_count;

#endif
