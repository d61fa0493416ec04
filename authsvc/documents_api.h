/*
 * GET /.well-known/jwks.json and GET /saml/metadata (authsvc/documents.h): public, and
 * the same for all.
 */
#ifndef AUTHSVC_DOCUMENTS_API_H
#define AUTHSVC_DOCUMENTS_API_H

#include "authsvc/http.h"

struct documents_route;

extern const struct documents_route jwks_document;
extern const struct documents_route metadata_document;

/* The only step of a route whose `what` is one of those. */
void documents_api_start(struct http_exchange *x);

#endif
