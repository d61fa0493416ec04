/*
 * The public keys of one provider: from a file, for good; or by OpenID
 * discovery, fetched by a thread of their own. Keys in hand are kept when a
 * fetch fails. Safe from any thread, but for open, stop and close.
 */
#ifndef AUTHSVC_PROVIDER_KEYS_H
#define AUTHSVC_PROVIDER_KEYS_H

#include <stdbool.h>

#include <jansson.h>

#include "config/config.h"
#include "jose/jws.h"
#include <meshauth/err.h>

struct provider_keys;

/* The first fetch starts now, in the background. config outlives the keys. */
MAUTH_MUST_USE enum mauth_rc provider_keys_open(const struct config_provider *config,
    struct provider_keys **out, struct mauth_err *err);

/*
 * Stop lets a running fetch end early and admits no other; close waits for that.
 * Whoever still waits is called back before close returns. NULL is fine.
 */
void provider_keys_stop(struct provider_keys *k);
void provider_keys_close(struct provider_keys *k);

/*
 * jws_verify() with the keys in hand. MAUTH_UNAVAILABLE, with *why JWS_FINE, when
 * there are none yet.
 */
MAUTH_MUST_USE enum mauth_rc provider_keys_verify(struct provider_keys *k,
    struct jws *j, const json_t **claims, enum jws_refusal *why, struct mauth_err *err);

/* A fetch is under way, or would be allowed now. */
bool provider_keys_may_fetch(struct provider_keys *k);

/*
 * Join the fetch under way or start one; done(arg) is called once: after it, from
 * the fetching thread, or at once where no fetch is allowed.
 */
void provider_keys_fetch(struct provider_keys *k, void (*done)(void *arg), void *arg);

#endif
