/* GET /v1/mesh/changes: what changed in the graph, for services that follow it. */
#ifndef AUTHSVC_CHANGES_API_H
#define AUTHSVC_CHANGES_API_H

#include "authsvc/http.h"

enum {
    CHANGES_API_WAIT_MS = 55000
};

/* The route's first step; its context is a struct service. */
void changes_api_start(struct http_exchange *x);

#endif
