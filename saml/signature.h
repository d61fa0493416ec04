/* One enveloped signature, and the very bytes that it is over. */
#ifndef SAML_SIGNATURE_H
#define SAML_SIGNATURE_H

#include <libxml/tree.h>

#include "base/buf.h"
#include "saml/refusal.h"
#include <meshauth/key.h>

/*
 * Check its shape (saml/shape.h), then, with xmlsec1, that one of the keys made it over
 * its parent. What a message says of its key is not read. The parent in canonical form
 * is appended to out: read what was signed from there, never from the document.
 *
 * MAUTH_MALFORMED  SAML_FORM or SAML_ALG
 * MAUTH_UNTRUSTED  SAML_SIGNATURE
 */
MAUTH_MUST_USE enum mauth_rc signature_verify(xmlNode *signature,
    const struct mauth_key *const *keys, size_t count, struct buf *out,
    enum saml_refusal *why, struct mauth_err *err);

#endif
