/* A service logs in with its registered key (RFC 6749 4.4, RFC 7523, RFC 8705). */
#ifndef AUTHSVC_TOKEN_CLIENT_H
#define AUTHSVC_TOKEN_CLIENT_H

#include "authsvc/client_login.h"
#include "authsvc/http.h"
#include "net/form.h"

#define TOKEN_GRANT_CLIENT "client_credentials"

/* What is wrong with the parameters by which a client names and proves itself (RFC 6749
 * 4.4.2, RFC 7521 4.2), or NULL. */
const char *token_client_parameters(const struct form *f);

/*
 * Who it is, and that it is that: MAUTH_OK, or l->refusal is set. proven is as for
 * client_login_check(). l has its service.
 */
MAUTH_MUST_USE enum mauth_rc token_client_authenticate(struct http_exchange *x,
    const struct form *f, const struct mauth_key *proven, struct client_login *l,
    struct mauth_err *err);

/* Takes the form over, and the exchange's state. */
void token_client_start(struct http_exchange *x, struct form *form);

#endif
