/* Closing the session of a login, at the account service. */
#ifndef CLI_SESSION_CLOSE_H
#define CLI_SESSION_CLOSE_H

#include "base/buf.h"
#include <meshauth/err.h>

struct account;
struct fetch;

/*
 * Ask the account service to close the session of what the account's last login brought
 * (RFC 7009 2.1). f proves the ticket's key by its TLS certificate.
 *
 *   status, answer  what it says; 200 as well when the session was over already
 *
 * Failures are those of fetch_do().
 */
MAUTH_MUST_USE enum mauth_rc session_close(struct fetch *f, const struct account *a,
    long *status, struct buf *answer, struct mauth_err *err);

#endif
