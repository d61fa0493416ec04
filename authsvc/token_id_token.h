/* A login: an ID token of a provider (OpenID Connect Core 2) for tickets. */
#ifndef AUTHSVC_TOKEN_ID_TOKEN_H
#define AUTHSVC_TOKEN_ID_TOKEN_H

#include "authsvc/http.h"
#include "net/form.h"

/* Takes the form over, and the exchange's state. */
void token_id_token_start(struct http_exchange *x, struct form *form);

#endif
