/*
 * Where a signing key lies in a PKCS#11 token (RFC 7512), strictly:
 *
 *     pkcs11:token=LABEL;object=LABEL;id=%01%02?module-path=/FILE&pin-source=file:/FILE
 *
 * The token is named by its label or its serial number, the key by its label, its id or
 * both, the module by its absolute path. Each attribute stands at most once; one that is
 * not listed in uri.c is refused. So is a PIN in the URI itself: URIs are logged.
 */
#ifndef PKCS11_URI_H
#define PKCS11_URI_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include <meshauth/err.h>

enum {
    PKCS11_URI_MAX = 1024 /* bytes */
};

/* What it says, decoded; "" is what it does not say. */
struct pkcs11_uri {
    char token[32 + 1];
    char serial[16 + 1];
    char manufacturer[32 + 1];
    char model[16 + 1];
    char object[128 + 1];
    char type[7 + 1]; /* "private", if it is said at all */
    char id[64 + 1];  /* bytes, so many: */
    size_t id_len;
    char module[256 + 1];
    char pin_file[256 + 1];
};

/* MAUTH_MALFORMED, and *out is empty. */
MAUTH_MUST_USE enum mauth_rc pkcs11_uri_parse(
    struct text uri, struct pkcs11_uri *out, struct mauth_err *err);

#endif
