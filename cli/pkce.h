/*
 * Proof Key for Code Exchange (RFC 7636), S256 only: the verifier stays here until the
 * code is traded, the challenge goes out before. And the other numbers of a login that
 * nobody may guess.
 */
#ifndef CLI_PKCE_H
#define CLI_PKCE_H

#include <meshauth/err.h>

enum {
    PKCE_LEN = 43 /* 256 bits in base64url */
};

struct pkce {
    char verifier[PKCE_LEN + 1]; /* secret */
    char challenge[PKCE_LEN + 1];
};

MAUTH_MUST_USE enum mauth_rc pkce_new(struct pkce *out, struct mauth_err *err);
/* The challenge of this verifier, as a test must fix it. */
MAUTH_MUST_USE enum mauth_rc pkce_challenge(
    const char *verifier, char out[PKCE_LEN + 1], struct mauth_err *err);
void pkce_clear(struct pkce *p); /* wipes */

/* 256 random bits, for "state". */
MAUTH_MUST_USE enum mauth_rc pkce_random(char out[PKCE_LEN + 1], struct mauth_err *err);

#endif
