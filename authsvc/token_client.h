/* A service logs in with its registered key (RFC 6749 4.4, RFC 7523, RFC 8705). */
#ifndef AUTHSVC_TOKEN_CLIENT_H
#define AUTHSVC_TOKEN_CLIENT_H

#include "authsvc/http.h"
#include "net/form.h"

#define TOKEN_GRANT_CLIENT "client_credentials"

/* Takes the form over, and the exchange's state. */
void token_client_start(struct http_exchange *x, struct form *form);

#endif
