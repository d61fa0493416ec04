/* A SAML assertion as people have it in a file, made fit for the token endpoint. */
#ifndef CLI_ASSERTION_FILE_H
#define CLI_ASSERTION_FILE_H

#include "base/buf.h"
#include <meshauth/err.h>

enum {
    ASSERTION_FILE_MAX = 48000 /* bytes of XML: as base64 the service takes them */
};

/*
 * From path ("-" is standard input): the XML of an Assertion or a Response; or that in
 * base64, of either alphabet and with line breaks, as it is in the field SAMLResponse
 * that a provider's page posts. Appends base64url, as RFC 8693 wants it.
 *
 * MAUTH_MALFORMED  it is neither
 */
MAUTH_MUST_USE enum mauth_rc assertion_file_read(
    const char *path, struct buf *out, struct mauth_err *err);

#endif
