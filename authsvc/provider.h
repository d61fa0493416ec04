/*
 * Identity providers: whose ID tokens and assertions we take, and their keys. Keys
 * come from a file, by OpenID discovery or in SAML metadata; they are fetched in a
 * thread of their own, cached, kept when a later fetch fails, and fetched again when a
 * token is of none of them, though not more often than PROVIDER_FLOOR_S.
 */
#ifndef AUTHSVC_PROVIDER_H
#define AUTHSVC_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "config/config.h"
#include <meshauth/err.h>

enum {
    PROVIDER_FLOOR_S = 10, /* between two fetches of one provider's keys */
    PROVIDER_FRESH_S =
        3600, /* keys older than this are fetched anew, in the background */
    PROVIDER_SUBJECT_MAX = 255, /* "sub", ASCII (OpenID Connect Core 2) */
    PROVIDER_EMAIL_MAX = 254,
    PROVIDER_NONCE_MAX = 127
};

struct providers;

/* Reads key files at once; starts the fetcher. config outlives it. err->text names the
 * provider whose file is not as it must be. */
MAUTH_MUST_USE enum mauth_rc providers_open(
    const struct config *config, struct providers **out, struct mauth_err *err);
void providers_close(struct providers *p);

/* Are the files of this one as they must be? err->text names it, and the file. */
MAUTH_MUST_USE enum mauth_rc providers_check_files(
    const struct config_provider *config, struct mauth_err *err);

/* Whom a provider vouches for. */
struct provider_identity {
    const struct config_provider *provider;
    char subject[PROVIDER_SUBJECT_MAX + 1];
    /* Verified, in a domain that the provider is configured to be authoritative for;
     * else "". */
    char email[PROVIDER_EMAIL_MAX + 1];
    /* SHA-256 of the signed part, not of the signature; of an assertion, of whose and
     * which it is. */
    uint8_t token_hash[32];
    char
        nonce[PROVIDER_NONCE_MAX + 1]; /* of an ID token; "": none that could be ours */
    bool once;         /* it serves once; else one device key, as often as it asks */
    int64_t issued_s;  /* "iat", or AuthnInstant */
    int64_t too_old_s; /* from then on we refuse it: iat + max_age and skew, or exp */
    int64_t session_ends_s; /* the provider's word, or INT64_MAX */
};

/*
 * Check an ID token (OpenID Connect Core 3.1.3.7): issuer, audience and azp,
 * signature, exp, nbf, iat; skew 60 s.
 *
 *   reason  on refusal, a static name for the record: "token-form",
 *           "token-issuer", "token-alg", "token-header", "token-key",
 *           "token-signature", "token-audience", "token-party" (azp),
 *           "token-expired", "token-not-yet", "token-age", "token-claims",
 *           "provider-down" (MAUTH_UNAVAILABLE: no keys to be had yet)
 *   wait    set when the keys are being fetched, or worth fetching: the caller
 *           may call providers_fetch() and ask again once
 */
MAUTH_MUST_USE enum mauth_rc providers_check(struct providers *p, struct text token,
    int64_t now_s, struct provider_identity *out, const char **reason, bool *wait,
    struct mauth_err *err);

/*
 * Check an assertion (SAML 2.0 profiles 4.1.4), bare or in a Response, its XML in
 * base64url. As above; the reasons are "saml-form", "saml-encrypted", "saml-unsigned",
 * "saml-alg", "saml-signature", "saml-status", "saml-issuer" (also: of no provider that
 * we know), "saml-subject", "saml-confirmation", "saml-recipient", "saml-solicited",
 * "saml-audience", "saml-condition", "saml-expired", "saml-not-yet", "saml-age",
 * "provider-down".
 */
MAUTH_MUST_USE enum mauth_rc providers_check_assertion(struct providers *p,
    struct text token, int64_t now_s, struct provider_identity *out,
    const char **reason, bool *wait, struct mauth_err *err);

/* Is there a SAML provider at all? */
bool providers_have_saml(const struct providers *p);

/*
 * Fetch the keys of the token's provider, then call done(arg) once, from the
 * fetcher's thread (or at once, from this one, when the floor forbids a fetch).
 */
void providers_fetch(
    struct providers *p, struct text token, void (*done)(void *arg), void *arg);
void providers_fetch_assertion(
    struct providers *p, struct text token, void (*done)(void *arg), void *arg);

/*
 * The address when the provider is configured to be authoritative for its domain, else
 * "". Whether the provider calls it verified is the caller's to know.
 */
void providers_take_email(const struct config_provider *p, const char *email,
    char out[PROVIDER_EMAIL_MAX + 1]);

#endif
