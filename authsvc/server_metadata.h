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

/* The document, with the root's verifier key; NULL without memory. */
json_t *server_metadata_document(const struct config *config, const char *root_vkey);

void server_metadata_start(struct http_exchange *x);

#endif
