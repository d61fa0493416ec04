/*
 * Proofs of possession by DPoP (RFC 9449): how a client that speaks HTTP through
 * proxies, or another protocol at all, proves the key that its tickets are bound
 * to. In a library of its own, libmeshauth-dpop, which needs cjose and jansson.
 *
 *     the DPoP header  -->  mauth_dpop_check()  -->  a proven key
 *     mauth_key_spki(key)  -->  struct mauth_request, struct mauth_expect
 */
#ifndef MESHAUTH_DPOP_H
#define MESHAUTH_DPOP_H

#include <stddef.h>
#include <stdint.h>

#include <meshauth/err.h>
#include <meshauth/key.h>
#include <meshauth/replay.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    MAUTH_DPOP_MAX = 8192,    /* characters of a proof that are ever read */
    MAUTH_DPOP_WINDOW_S = 60, /* the default of window_s */
    MAUTH_DPOP_WINDOW_MAX_S = 300
};

struct mauth_dpop_want {
    size_t size;        /* sizeof(struct mauth_dpop_want) */
    const char *method; /* "GET"; "MQTT" where that is agreed upon */
    /*
     * The URL that was asked for, as this service is called from outside: from its
     * configuration and the request's path, never from the Host header. Without
     * query and fragment; compared as it is, nothing is normalised.
     */
    const char *url;
    const char *credential; /* what follows the scheme in Authorization; NULL: none */
    size_t credential_len;
    const char *nonce; /* that must be in it; NULL: any or none */
    const char
        *older_nonce; /* or this one, which was handed out before it; may be NULL */
    int64_t now_s;
    int32_t window_s;            /* how far iat may be from now; 0: the default */
    struct mauth_replay *replay; /* where jti is remembered; shared by all threads */
};

/*
 * Check a proof and return the key that it proves.
 *
 *   proof, len  the DPoP header's value; untrusted, not kept
 *   out         on MAUTH_OK a key that the caller frees; otherwise NULL
 *
 * MAUTH_TOO_LARGE    longer than MAUTH_DPOP_MAX
 * MAUTH_MALFORMED    not a proof: form, type, algorithm (ES256, RS256), key, claims
 * MAUTH_UNTRUSTED    its signature is not of the key in it
 * MAUTH_DENIED       for another method, URL or credential
 * MAUTH_EXPIRED      iat is outside the window, or the nonce is not the wanted one:
 *                    where nonces are in use, send the client a fresh one
 * MAUTH_CONFLICT     it was shown before
 * MAUTH_UNAVAILABLE  the replay memory is full
 * MAUTH_INVALID      want makes no sense
 *
 * Where there is a credential the proof must name it (`ath`): the SHA-256 of all
 * of it, alternatives and '~' included. Safe from any thread.
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_dpop_check(const char *proof, size_t len,
    const struct mauth_dpop_want *want, struct mauth_key **out, struct mauth_err *err);

#ifdef __cplusplus
}
#endif

#endif
