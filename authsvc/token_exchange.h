/*
 * Token exchange (RFC 8693): a subject token and the proof of a device's key come in,
 * tickets go out. Each kind of subject token has a file of its own.
 */
#ifndef AUTHSVC_TOKEN_EXCHANGE_H
#define AUTHSVC_TOKEN_EXCHANGE_H

#include "authsvc/http.h"
#include "net/form.h"

#define TOKEN_GRANT_EXCHANGE "urn:ietf:params:oauth:grant-type:token-exchange"

/* Takes the form over, and the exchange's state. */
void token_exchange_start(struct http_exchange *x, struct form *form);

#endif
