/* How an OAuth server says no (RFC 6749 4.1.2.1 and 5.2). Foreign text, borrowed. */
#ifndef CLI_OAUTH_ERROR_H
#define CLI_OAUTH_ERROR_H

#include <jansson.h>

#include <meshauth/err.h>

struct oauth_error {
    const char *code; /* NULL: it is none */
    const char *text; /* what it says to people; may be NULL */
};

/* Of an answer's JSON; both belong to it. */
struct oauth_error oauth_error_of(const json_t *answer);

/* In words. MAUTH_UNAVAILABLE where the server failed, else MAUTH_DENIED. */
MAUTH_MUST_USE enum mauth_rc oauth_error_fail(
    const struct oauth_error *e, struct mauth_err *err);

/* An answer that is none, or no success: whose says where it came from ("the provider's
 * token endpoint"). Fails as above. */
MAUTH_MUST_USE enum mauth_rc oauth_error_check(
    long status, const json_t *answer, const char *whose, struct mauth_err *err);

#endif
