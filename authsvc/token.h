/*
 * POST /v1/token: token exchange (RFC 8693). An ID token of a provider and the
 * proof of a device's key come in, tickets go out.
 */
#ifndef AUTHSVC_TOKEN_H
#define AUTHSVC_TOKEN_H

#include "authsvc/http.h"

enum {
    TOKEN_BODY_MAX = 65536
};

/* The route's first step; its context is a struct service. */
void token_start(struct http_exchange *x);

#endif
