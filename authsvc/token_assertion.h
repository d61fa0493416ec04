/* A SAML assertion as subject token: ours, or that of an outside provider. */
#ifndef AUTHSVC_TOKEN_ASSERTION_H
#define AUTHSVC_TOKEN_ASSERTION_H

#include "authsvc/http.h"
#include "base/buf.h"
#include "net/form.h"

/*
 * Is the subject token for outside providers' checks? Not if it is deflated, as only
 * our tickets are, or names our issuer: what does is read as a ticket or not at all,
 * and never reaches an XML library.
 */
MAUTH_MUST_USE bool token_assertion_is_foreign(struct text token, const char *issuer);

/* To either path, which takes the form over, and the exchange's state. */
void token_assertion_start(struct http_exchange *x, struct form *form);

#endif
