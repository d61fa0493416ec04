/*
 * Whom to trust: the issuer, the keys that sign its tickets, and what has been
 * revoked. Read from a trust file (docs/trust-file.md), whose signatures lead
 * back to the one root key that a service pins; or made of a single public key.
 *
 * Immutable once made: share it between threads freely.
 */
#ifndef MESHAUTH_TRUST_H
#define MESHAUTH_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <meshauth/err.h>
#include <meshauth/key.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mauth_trust;

enum {
    MAUTH_TRUST_MAX = 16 << 20 /* bytes of a trust file */
};

/*
 * Read and check a trust file. Its age is not judged here: expiry and clock are
 * checked with each ticket, at that ticket's time.
 *
 *   data, len  untrusted bytes, not kept after return
 *   root_vkey  the root's verifier key, as in root.vkey, without newline
 *
 * MAUTH_MALFORMED, MAUTH_TOO_LARGE  not a trust file
 * MAUTH_UNTRUSTED                   not signed by this root and its authority
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_trust_parse(const void *data, size_t len,
    const char *root_vkey, struct mauth_trust **out, struct mauth_err *err);

/*
 * Trust one key for one issuer, without end, for all audiences and with no
 * revocations: what a bare public key can say. key is not kept.
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_trust_from_key(const char *issuer,
    const struct mauth_key *key, struct mauth_trust **out, struct mauth_err *err);

MAUTH_API void mauth_trust_free(struct mauth_trust *trust);

/*
 * May next take the place of now (which may be NULL)?
 *
 * MAUTH_OK        yes: a higher (epoch, sequence), or the same file again
 * MAUTH_DENIED    no: a lower one, or of another issuer
 * MAUTH_CONFLICT  no: the same number with other content; raise an alarm
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_trust_follows(
    const struct mauth_trust *now, const struct mauth_trust *next,
    struct mauth_err *err);

/* Strings belong to the trust object. */
MAUTH_API const char *mauth_trust_issuer(const struct mauth_trust *trust);
MAUTH_API uint64_t mauth_trust_epoch(const struct mauth_trust *trust);
MAUTH_API uint64_t mauth_trust_sequence(const struct mauth_trust *trust);
MAUTH_API int64_t mauth_trust_issued_s(const struct mauth_trust *trust);
MAUTH_API int64_t mauth_trust_expires_s(const struct mauth_trust *trust);

#ifdef __cplusplus
}
#endif

#endif
