/* What a login is answered with (RFC 8693 2.2.1, and our `mesh` and `tickets`). */
#ifndef AUTHSVC_TOKEN_ANSWER_H
#define AUTHSVC_TOKEN_ANSWER_H

#include <stdbool.h>

#include "authsvc/login.h"
#include "base/buf.h"
#include <meshauth/err.h>

#define TOKEN_TYPE_SAML2 "urn:ietf:params:oauth:token-type:saml2"

/*
 * Append the answer as JSON. by_dpop: the key was proven by a DPoP proof, so the
 * tickets are to be shown with such proofs.
 */
MAUTH_MUST_USE enum mauth_rc token_answer_write(
    struct buf *b, const struct login *l, bool by_dpop, struct mauth_err *err);

#endif
