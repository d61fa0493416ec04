/*
 * A Signature before any of it is computed: exactly the one form that we take, so that
 * xmlsec1 has nothing to choose and can sign for nothing but the element around it.
 *
 *   Signature       SignedInfo, SignatureValue, and perhaps KeyInfo, which is ignored
 *   SignedInfo      exc-c14n; rsa-sha256 or ecdsa-sha256; one Reference
 *   Reference       URI "#" and the ID of the parent; the transforms enveloped-signature
 *                   and exc-c14n, both, in this order; sha256
 */
#ifndef SAML_SHAPE_H
#define SAML_SHAPE_H

#include <stdint.h>

#include <libxml/tree.h>

#include "base/hash.h"
#include "keys/key.h"
#include "saml/refusal.h"

struct shape {
    enum key_alg alg;
    xmlAttr *id; /* of the Signature's parent */
    uint8_t digest[HASH_LEN];
};

/* MAUTH_MALFORMED; *why is SAML_FORM or SAML_ALG then. */
MAUTH_MUST_USE enum mauth_rc shape_check(const xmlNode *signature, struct shape *out,
    enum saml_refusal *why, struct mauth_err *err);

#endif
