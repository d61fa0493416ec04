/*
 * Which key a request has proven: by its TLS client certificate, by a DPoP proof
 * (RFC 9449), or by both, which must then be the same.
 *
 * Proofs must hold a nonce of ours (RFC 9449 8): so none can be made in advance,
 * and a client's wrong clock shows at once. Nonces are computed from a secret of
 * the process and the time; nothing is kept for them.
 */
#ifndef AUTHSVC_PROOF_H
#define AUTHSVC_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#include "authsvc/http.h"
#include <meshauth/key.h>

enum {
    PROOF_NONCE = 23,   /* characters of a nonce, with its terminator */
    PROOF_NONCE_S = 60, /* a nonce is handed out for so long, and taken for twice */
    /* Proofs remembered at a time, each for a minute, or two with a clock that is ahead: so
     * 8,000 a second at least, which keeps two processors busy. */
    PROOF_NAMES = 1 << 19
};

struct proofs;

MAUTH_MUST_USE enum mauth_rc proofs_new(struct proofs **out, struct mauth_err *err);
void proofs_free(struct proofs *p);

/* The nonce that is handed out at this time. */
MAUTH_MUST_USE enum mauth_rc proofs_nonce(const struct proofs *p, int64_t now_s,
    char out[PROOF_NONCE], struct mauth_err *err);

struct proof {
    const struct mauth_key *key; /* NULL: none was proven */
    bool by_dpop;                /* by such a proof, with or without a certificate */
    struct mauth_key *owned;     /* what proof_clear() frees */
};

/*
 * Take what the request has proven. url is the request's as the client has it,
 * from our configuration. Where a ticket is shown a DPoP proof must name its whole
 * credential (`ath`); at the token endpoint none is, and credential is empty.
 *
 * NULL when all is well, or why it is refused: "key-kind", "dpop-proof",
 * "dpop-nonce", "two-keys", "unavailable" (static names of authsvc/oauth.h).
 */
const char *proof_take(struct proofs *p, struct http_exchange *x, const char *url,
    struct text credential, int64_t now_s, struct proof *out, struct mauth_err *err);
void proof_clear(struct proof *proof);

#endif
