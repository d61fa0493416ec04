/*
 * What the claims of an ID token must say once its signature is known to be
 * its provider's (OpenID Connect Core 2 and 3.1.3.7).
 */
#ifndef AUTHSVC_CLAIMS_H
#define AUTHSVC_CLAIMS_H

#include <jansson.h>

#include "authsvc/provider.h"

enum {
    CLAIMS_SKEW_S = 60 /* between the provider's clock and ours */
};

/* A NumericDate (RFC 7519 2): seconds, perhaps with a fraction, which is cut off. */
MAUTH_MUST_USE bool claims_time(const json_t *value, int64_t *out_s);

/*
 * Sets subject, email, nonce, issued_s and too_old_s of out; *reason on refusal, one of
 * "token-claims", "token-audience", "token-party", "token-expired",
 * "token-not-yet", "token-age".
 */
MAUTH_MUST_USE enum mauth_rc claims_check(const json_t *claims,
    const struct config_provider *provider, int64_t now_s,
    struct provider_identity *out, const char **reason, struct mauth_err *err);

#endif
