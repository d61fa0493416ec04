/*
 * Credentials: how tickets travel in an Authorization header. base64url
 * without padding of a ticket's XML, or of its raw DEFLATE (RFC 1951).
 */
#ifndef MESHAUTH_CREDENTIAL_H
#define MESHAUTH_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>

#include <meshauth/err.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    MAUTH_CREDENTIAL_MAX = 60000 /* characters that are ever read */
};

/*
 * The XML of a credential that holds one ticket, plain or deflated.
 *
 *   text, len  untrusted, not kept
 *   out        MAUTH_TICKET_MAX bytes of the caller's
 *   out_len    how many were written; 0 on failure
 *
 * MAUTH_TOO_LARGE (size)  the credential or what it holds is too long
 * MAUTH_MALFORMED (form)  not strict base64url, or not exactly one DEFLATE stream
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_credential_decode(
    const char *text, size_t len, char *out, size_t *out_len, struct mauth_err *err);

/*
 * Either spelling of a ticket as a credential: malloc'd, terminated, the
 * caller frees it. deflated chooses the short form.
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_credential_encode(
    const char *xml, size_t len, bool deflated, char **out, struct mauth_err *err);

#ifdef __cplusplus
}
#endif

#endif
