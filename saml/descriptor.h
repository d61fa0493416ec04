/*
 * The service's own SAML 2.0 metadata: an EntityDescriptor for an issuer of assertions,
 * with the keys that verify them, signed by a key of its own through xmlsec1.
 */
#ifndef SAML_DESCRIPTOR_H
#define SAML_DESCRIPTOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include <meshauth/err.h>

struct descriptor_key {
    const char *name;        /* its KeyName */
    struct text certificate; /* DER */
};

struct descriptor {
    const char *issuer;   /* the entityID, a URL */
    const char *endpoint; /* where assertions are to be had, a URL */
    const char *id; /* of the document: "_" and hex digits, another one each time */
    int64_t valid_until_s;
    int64_t cache_s; /* for which it may be kept without a look for another one */
    const struct descriptor_key *key;
    size_t keys;
};

/*
 * The document, appended to out. pkcs8 is the key that signs, in software; certificate
 * its own, which goes along.
 *
 * The role is IDPSSODescriptor, because that is what others' software looks for when it
 * wants the keys of somebody who issues assertions; the endpoint that its schema demands
 * is of the binding by which ours are had, OAuth's token exchange, and of no binding of
 * SAML's.
 *
 * MAUTH_INTERNAL  the key or xmlsec1 does not sign
 */
MAUTH_MUST_USE enum mauth_rc descriptor_write(const struct descriptor *d,
    struct text pkcs8, struct text certificate, struct buf *out, struct mauth_err *err);

#endif
