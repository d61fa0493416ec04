/*
 * What a service says to prove who it is: a JSON Web Token signed with the key that is
 * registered for it (RFC 7523 3, "private_key_jwt").
 */
#ifndef AUTHSVC_CLIENT_ASSERTION_H
#define AUTHSVC_CLIENT_ASSERTION_H

#include <stdint.h>

#include "base/buf.h"
#include <meshauth/err.h>
#include <meshauth/key.h>

enum {
    CLIENT_ASSERTION_LIFE_S = 300, /* from now until its "exp", at most */
    CLIENT_ASSERTION_SKEW_S = 60,
    CLIENT_ASSERTION_JTI_MAX = 256
};

struct client_assertion {
    const char *client; /* that "iss" and "sub" must name: svc_... */
    const char *issuer; /* that "aud" must be */
    const struct mauth_key *key;
    int64_t now_s;
    /* out: it may be used once, by this name until this time */
    uint8_t name[32];
    int64_t too_old_s;
};

/*
 * Check one against its client's key, which alone says what algorithm it must have.
 *
 * On refusal *reason is a static name of authsvc/oauth.h, "assertion-..."; NULL where
 * it was no fault of the assertion.
 */
MAUTH_MUST_USE enum mauth_rc client_assertion_check(struct client_assertion *a,
    struct text token, const char **reason, struct mauth_err *err);

#endif
