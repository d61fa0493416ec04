/*
 * The public keys of one OpenID provider: from a file, for good; or by OpenID
 * discovery, kept fresh.
 */
#ifndef AUTHSVC_PROVIDER_KEYS_H
#define AUTHSVC_PROVIDER_KEYS_H

#include <jansson.h>

#include "config/config.h"
#include "jose/jws.h"
#include <meshauth/err.h>

struct fresh;

/* To be used and closed by authsvc/fresh.h. config outlives the keys. */
MAUTH_MUST_USE enum mauth_rc provider_keys_open(
    const struct config_provider *config, struct fresh **out, struct mauth_err *err);
/* Is their file, if they have one, as it must be? */
MAUTH_MUST_USE enum mauth_rc provider_keys_check(
    const struct config_provider *config, struct mauth_err *err);

/*
 * jws_verify() with the keys in hand. MAUTH_UNAVAILABLE, with *why JWS_FINE, when
 * there are none yet.
 */
MAUTH_MUST_USE enum mauth_rc provider_keys_verify(struct fresh *keys, struct jws *j,
    const json_t **claims, enum jws_refusal *why, struct mauth_err *err);

#endif
