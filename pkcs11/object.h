/* The key of a URI, among the objects of a token. */
#ifndef PKCS11_OBJECT_H
#define PKCS11_OBJECT_H

#include "pkcs11/module.h"
#include "pkcs11/uri.h"
#include <meshauth/key.h>

/*
 * The one object of this class that has the URI's label and id. MAUTH_UNAVAILABLE: there
 * is none, or more than one.
 */
MAUTH_MUST_USE enum mauth_rc pkcs11_object_find(const CK_FUNCTION_LIST *f,
    CK_SESSION_HANDLE session, const struct pkcs11_uri *uri, CK_OBJECT_CLASS class,
    CK_OBJECT_HANDLE *out, struct mauth_err *err);

/* May it be used to sign, without a PIN for each signature? */
MAUTH_MUST_USE enum mauth_rc pkcs11_object_check(const CK_FUNCTION_LIST *f,
    CK_SESSION_HANDLE session, CK_OBJECT_HANDLE private_key, struct mauth_err *err);

/* A public key object, read. MAUTH_UNAVAILABLE: not a key of a kind that signs tickets. */
MAUTH_MUST_USE enum mauth_rc pkcs11_object_key(const CK_FUNCTION_LIST *f,
    CK_SESSION_HANDLE session, CK_OBJECT_HANDLE public_key, struct mauth_key **out,
    struct mauth_err *err);

#endif
