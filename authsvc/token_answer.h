/* What a login is answered with (RFC 8693 2.2.1, and our `mesh` and `tickets`). */
#ifndef AUTHSVC_TOKEN_ANSWER_H
#define AUTHSVC_TOKEN_ANSWER_H

#include <stdbool.h>

#include "authsvc/issue.h"
#include "base/buf.h"
#include <meshauth/err.h>

#define TOKEN_TYPE_SAML2 "urn:ietf:params:oauth:token-type:saml2"

struct token_answer {
    const struct issued *tickets; /* the first is the access token as well */
    size_t count;
    const char *mesh; /* URL of the mesh root, or NULL */
    bool by_dpop;     /* they are to be shown with DPoP proofs */
};

/* Append the answer as JSON. */
MAUTH_MUST_USE enum mauth_rc token_answer_write(
    struct buf *b, const struct token_answer *a, struct mauth_err *err);

#endif
