/* GET /v1/audit: the audit log by simple filters, newest first. */
#ifndef AUTHSVC_AUDIT_API_H
#define AUTHSVC_AUDIT_API_H

#include "authsvc/http.h"

/* The route's first step, on the admin socket; its context is a struct service. */
void audit_api_start(struct http_exchange *x);

#endif
