/* The token that a URI names, among those that a module sees. */
#ifndef PKCS11_SLOT_H
#define PKCS11_SLOT_H

#include "pkcs11/module.h"
#include "pkcs11/uri.h"

/* MAUTH_UNAVAILABLE: none, or more than one. */
MAUTH_MUST_USE enum mauth_rc pkcs11_slot_find(const CK_FUNCTION_LIST *f,
    const struct pkcs11_uri *uri, CK_SLOT_ID *out, CK_TOKEN_INFO *token,
    struct mauth_err *err);

#endif
