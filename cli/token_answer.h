/*
 * What a provider's token endpoint answers with (RFC 6749 5, OpenID Connect Core
 * 3.1.3.3). TLS vouches for whose it is (Core 3.1.3.7, 6); the account service is the
 * one that checks the token's signature. Here it must be an answer to this login.
 */
#ifndef CLI_TOKEN_ANSWER_H
#define CLI_TOKEN_ANSWER_H

#include <stdint.h>

#include "base/buf.h"
#include <meshauth/err.h>

enum {
    TOKEN_ANSWER_MAX = 64 * 1024
};

struct token_want {
    const char *issuer;
    const char *client_id;
    const char *nonce; /* that went out; NULL: none did */
};

/*
 * Appends the ID token of an answer with this status. id_token is a buffer for
 * secrets.
 *
 * MAUTH_DENIED, MAUTH_UNAVAILABLE  the provider refused, or failed
 * MAUTH_MALFORMED  not an answer of its form, or without an ID token
 * MAUTH_UNTRUSTED  the ID token is of another issuer, for another client, or the
 *                  answer to another login
 */
MAUTH_MUST_USE enum mauth_rc token_answer_read(long status, struct text json,
    const struct token_want *want, struct buf *id_token, struct mauth_err *err);

#endif
