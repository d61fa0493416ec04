/* Signing keys that live in a PKCS#11 token, behind keys/signer.h. */
#ifndef PKCS11_TOKEN_SIGNER_H
#define PKCS11_TOKEN_SIGNER_H

#include "keys/signer.h"

/*
 * The key of this URI, whose public half is known. The token need not be there: it is
 * opened when the first signature, or signer_ready(), is asked for, and whenever it comes
 * back. A key with another public half is refused each time.
 *
 * MAUTH_MALFORMED  not a URI that is taken (pkcs11/uri.h)
 */
MAUTH_MUST_USE enum mauth_rc token_signer_new(struct text uri,
    const struct mauth_key *key, struct signer **out, struct mauth_err *err);

/*
 * The key of this URI, whatever it is: it is there, and has signed something.
 *
 * MAUTH_MALFORMED    as above
 * MAUTH_UNAVAILABLE  it is not there, or does not sign: err says why
 */
MAUTH_MUST_USE enum mauth_rc token_signer_find(
    struct text uri, struct signer **out, struct mauth_err *err);

#endif
