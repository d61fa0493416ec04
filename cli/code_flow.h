/*
 * A login by a browser on this machine: the authorization code flow of OpenID Connect
 * with PKCE and a loopback redirect (RFC 8252, RFC 7636, RFC 9207).
 */
#ifndef CLI_CODE_FLOW_H
#define CLI_CODE_FLOW_H

#include "cli/oidc_client.h"

struct code_request {
    const char *redirect_uri;
    const char *state;
    const char *nonce;
    const char *challenge;
};

/* Appends where the browser is sent; the endpoint's own query is kept. */
void code_flow_url(struct buf *out, const struct oidc_client *client,
    const struct code_request *request);

/*
 * Send the person there, wait, and append the ID token to a buffer for secrets. What a
 * person must know goes to standard error.
 *
 * MAUTH_DENIED     the provider or the person refused, or there is no such flow there
 * MAUTH_UNTRUSTED  what came back is not the answer
 * MAUTH_EXPIRED    nothing came back in time
 * MAUTH_UNAVAILABLE, MAUTH_MALFORMED  of the provider
 */
MAUTH_MUST_USE enum mauth_rc code_flow_run(
    const struct oidc_client *client, struct buf *id_token, struct mauth_err *err);

#endif
