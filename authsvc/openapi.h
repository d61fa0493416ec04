/*
 * GET /v1/openapi.json: what the service answers, described in OpenAPI 3.1. The text is
 * authsvc/openapi.json; the end-to-end tests hold every request and answer against it.
 */
#ifndef AUTHSVC_OPENAPI_H
#define AUTHSVC_OPENAPI_H

#include "authsvc/http.h"

void openapi_start(struct http_exchange *x);

#endif
