/*
 * The client's side of DPoP (RFC 9449): proofs of possession of a device's key. The
 * service's side is <meshauth/dpop.h>.
 */
#ifndef JOSE_PROVE_H
#define JOSE_PROVE_H

#include <stdint.h>

#include "base/buf.h"
#include <meshauth/err.h>

struct dpop_request {
    const char *method; /* "POST" */
    const char *url;    /* that will be asked for; query and fragment are left out */
    struct text credential; /* what follows the scheme in Authorization; empty: none */
    const char *nonce;      /* that the service asked for; NULL: none */
    int64_t now_s;
};

/*
 * Make a proof for one request: each has a `jti` of its own.
 *
 *   pem  the device's key in PKCS#8: P-256 (ES256) or RSA (RS256)
 *   out  the DPoP header's value; malloc, the caller frees
 *
 * MAUTH_MALFORMED  not such a key
 * MAUTH_INVALID    the request has what no JSON string can hold
 * MAUTH_TOO_LARGE  a service would not read all of it
 */
MAUTH_MUST_USE enum mauth_rc dpop_prove(const struct dpop_request *request,
    const char *pem, char **out, struct mauth_err *err);

#endif
