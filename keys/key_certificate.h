/*
 * The X.509 wrapper of a signing key: a certificate that the key has signed for itself,
 * for software that takes keys in no other form (`x5c` in JSON Web Keys, X509Certificate
 * in SAML metadata). It vouches for nothing; what counts is the key, and who said it.
 */
#ifndef KEYS_KEY_CERTIFICATE_H
#define KEYS_KEY_CERTIFICATE_H

#include "base/buf.h"
#include "keys/signer.h"

/*
 * Version 3, DER, appended to out. Subject and issuer are CN = the key's id, the serial
 * number is made from it, the key usage is digitalSignature. Of RSA keys it is the same each
 * time; an ECDSA signature has a random part, so that one is made once and kept.
 *
 * MAUTH_INVALID  no window for which a certificate could be good
 */
MAUTH_MUST_USE enum mauth_rc key_certificate_make(const struct signer *signer,
    int64_t from_s, int64_t until_s, struct buf *out, struct mauth_err *err);

#endif
