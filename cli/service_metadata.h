/* The document in which an account service says what it is (RFC 8414; docs/http.md). */
#ifndef CLI_SERVICE_METADATA_H
#define CLI_SERVICE_METADATA_H

#include "base/buf.h"
#include "cli/service_url.h"
#include "keys/note.h"
#include <meshauth/err.h>

enum {
    SERVICE_METADATA_MAX = 64 * 1024
};

/*
 * Append it to body. ca_file may be NULL: the system's authorities.
 *
 * MAUTH_NOT_FOUND, MAUTH_UNAVAILABLE  there is none, or nobody to say
 */
MAUTH_MUST_USE enum mauth_rc service_metadata_fetch(const struct service_url *service,
    const char *ca_file, struct buf *body, struct mauth_err *err);

/*
 * The root's verifier key in it, worth no more than the connection.
 *
 * MAUTH_MALFORMED  not such a document
 * MAUTH_UNTRUSTED  another service's, or another's root
 * MAUTH_NOT_FOUND  it does not tell of its root
 */
MAUTH_MUST_USE enum mauth_rc service_metadata_root(struct text json,
    const struct service_url *service, struct note_verifier *out,
    struct mauth_err *err);

#endif
