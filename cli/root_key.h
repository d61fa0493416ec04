/*
 * The root of an issuer's trust: its private key, read from a file that lies where no
 * service is, and what is done with it.
 */
#ifndef CLI_ROOT_KEY_H
#define CLI_ROOT_KEY_H

#include "base/secret.h"
#include "keys/delegation.h"

/*
 * Ed25519 in PEM. The file must be private (file_read_secret); one that is under a pass
 * phrase is asked for it on the terminal.
 */
MAUTH_MUST_USE enum mauth_rc root_key_read(
    const char *path, struct mauth_secret **seed, struct mauth_err *err);

/* What the key is called as the root of an issuer. MAUTH_INVALID: too long a name. */
MAUTH_MUST_USE enum mauth_rc root_key_verifier(const struct mauth_secret *seed,
    struct text issuer, struct note_verifier *out, struct mauth_err *err);

/*
 * Append the signed note to out. request is what trust_write_request() wrote.
 *
 * MAUTH_MALFORMED, MAUTH_UNTRUSTED  the request is none
 */
MAUTH_MUST_USE enum mauth_rc root_key_sign(const struct mauth_secret *seed,
    struct text request, struct buf *out, struct mauth_err *err);

#endif
