/*
 * POST /v1/introspect (RFC 7662): is this ticket good, and what does it say? For whom the
 * rules allow `introspect`: services with the role.
 *
 * Who asks is who the identity ticket under Authorization says; without one, a registered
 * service that proves its key as at the token endpoint. A ticket is active when our own
 * trust file takes it and its session is open, which is what /v1/mesh asks of a ticket. Of
 * any other nothing is said, whatever is wrong with it. Each answer is on record.
 */
#ifndef AUTHSVC_INTROSPECT_API_H
#define AUTHSVC_INTROSPECT_API_H

#include "authsvc/http.h"

/* The route's first step; its context is a struct service. */
void introspect_api_start(struct http_exchange *x);

#endif
