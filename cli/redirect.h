/*
 * What a provider sends a browser back with (RFC 6749 4.1.2): a code, or why there is
 * none. It came through a browser, so anybody may have made it.
 */
#ifndef CLI_REDIRECT_H
#define CLI_REDIRECT_H

#include <stdbool.h>

#include "base/buf.h"
#include <meshauth/err.h>

struct redirect_want {
    const char *state;  /* that went out */
    const char *issuer; /* of the provider that was asked */
    bool states_issuer; /* it says so of each answer (RFC 9207) */
};

/*
 * Does a query answer what was asked? Any page, and any user of this machine, can send
 * others; whoever waits goes on waiting then.
 */
bool redirect_is_answer(struct text query, const char *state);

/*
 * Appends the code of this query.
 *
 * MAUTH_MALFORMED  not an answer of its form
 * MAUTH_UNTRUSTED  not to what was asked: another "state", or another issuer
 * MAUTH_DENIED     the provider refused, and err says with which words
 * MAUTH_UNAVAILABLE  it failed
 */
MAUTH_MUST_USE enum mauth_rc redirect_read(struct text query,
    const struct redirect_want *want, struct buf *code, struct mauth_err *err);

#endif
