/* GET /v1/trust: our trust file, for who checks tickets. */
#ifndef AUTHSVC_TRUST_API_H
#define AUTHSVC_TRUST_API_H

#include "authsvc/http.h"

enum {
    TRUST_API_WAIT_MS = 55000
};

/* The route's first step; its context is a struct service. */
void trust_api_start(struct http_exchange *x);

#endif
