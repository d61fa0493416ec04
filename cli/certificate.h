/* Keys and certificates in PEM that this command makes itself, with OpenSSL. */
#ifndef CLI_CERTIFICATE_H
#define CLI_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/secret.h"
#include <meshauth/err.h>

/* DER as one PEM block; out must be a buffer for secrets when the DER is one. */
MAUTH_MUST_USE enum mauth_rc pem_write(
    const char *label, struct text der, struct buf *out, struct mauth_err *err);

/* A new P-256 key, PKCS#8. out must be a buffer for secrets. */
MAUTH_MUST_USE enum mauth_rc pem_new_p256(struct buf *out, struct mauth_err *err);

/* An Ed25519 seed as PKCS#8 (RFC 8410). out must be a buffer for secrets. */
MAUTH_MUST_USE enum mauth_rc pem_from_seed(
    const uint8_t seed[32], struct buf *out, struct mauth_err *err);

/* The seed of an Ed25519 key; a pass phrase is asked for. MAUTH_MALFORMED: it is none. */
MAUTH_MUST_USE enum mauth_rc pem_to_seed(
    struct text pem, struct mauth_secret **out, struct mauth_err *err);

struct certificate {
    const char *common_name;
    const char *host; /* of a TLS server, for its subjectAltName; NULL: of a device */
    bool is_address;
    int64_t from_s;
    int64_t until_s;
};

/*
 * A certificate that the key signs itself. A device's carries no extensions, so
 * that nothing in it can be judged but its key; a server's says for which host
 * it is.
 */
MAUTH_MUST_USE enum mauth_rc certificate_self_sign(const struct certificate *c,
    struct text key_pem, struct buf *out, struct mauth_err *err);

#endif
