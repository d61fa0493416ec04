/*
 * What an OpenID provider says of itself (OpenID Connect Discovery 1.0), as far as a
 * native client needs it: where a person logs in, and where its tokens come from.
 */
#ifndef CLI_OIDC_DISCOVERY_H
#define CLI_OIDC_DISCOVERY_H

#include <stdbool.h>

#include "base/buf.h"
#include <meshauth/err.h>

enum {
    OIDC_DISCOVERY_MAX = 128 * 1024,
    OIDC_URL_MAX = 2048
};

/* Endpoints are https, without a fragment; NULL where there is none. */
struct oidc_discovery {
    char *authorization_endpoint;
    char *token_endpoint; /* always there */
    char *device_endpoint;
    bool states_issuer; /* its answers say whose they are (RFC 9207) */
};

/* Appends where the document of this issuer lies (Discovery 4.1). */
void oidc_discovery_url(struct buf *out, const char *issuer);

/*
 * oidc_discovery_clear() it in either case.
 *
 * MAUTH_MALFORMED  not such a document
 * MAUTH_UNTRUSTED  another issuer's (Discovery 4.3), or an endpoint that is not https
 * MAUTH_DENIED     a provider that says that it does not know PKCE with S256
 */
MAUTH_MUST_USE enum mauth_rc oidc_discovery_read(struct text json, const char *issuer,
    struct oidc_discovery *out, struct mauth_err *err);
void oidc_discovery_clear(struct oidc_discovery *d);

#endif
