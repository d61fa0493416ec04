/*
 * GET /.well-known/oauth-authorization-server (RFC 8414): what a stock OAuth client
 * must know of the token endpoint, and the providers that `meshauth login` can send a
 * person to. Public, and the same for all; it says what the configuration says.
 */
#ifndef AUTHSVC_SERVER_METADATA_H
#define AUTHSVC_SERVER_METADATA_H

#include <jansson.h>

#include "authsvc/http.h"
#include "config/config.h"

struct service;

/* The document; NULL without memory. */
json_t *server_metadata_document(const struct service *service);

void server_metadata_start(struct http_exchange *x);

#endif
