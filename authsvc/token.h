/* POST /v1/token: who proves who he is gets tickets, by one of the grants. */
#ifndef AUTHSVC_TOKEN_H
#define AUTHSVC_TOKEN_H

#include "authsvc/http.h"

enum {
    TOKEN_BODY_MAX = 65536
};

/* The route's first step; its context is a struct service. */
void token_start(struct http_exchange *x);

#endif
