/*
 * The threads that use one key of a token, each with a session of its own. Nobody else
 * enters the module: whoever wants a signature leaves a hash and waits for a bounded
 * time, however long the module takes.
 *
 * A session that fails takes all of them down. One thread opens the token again, at once
 * and then every second; while it is away everybody is refused without waiting.
 *
 * Safe from any thread.
 */
#ifndef PKCS11_POOL_H
#define PKCS11_POOL_H

#include "keys/key.h"
#include "pkcs11/uri.h"

enum {
    POOL_WAIT_MS = 2000 /* for a signature, or for the token to be opened first */
};

struct pool;

/*
 * Nothing is opened before somebody asks. key: what the token must hold, copied; NULL:
 * whatever it holds.
 */
MAUTH_MUST_USE enum mauth_rc pool_new(const struct pkcs11_uri *uri,
    const struct mauth_key *key, struct pool **out, struct mauth_err *err);
/* Waits for the threads, but not for one that the module does not let go: it ends, and
 * frees the rest, whenever it is back. */
void pool_free(struct pool *p);

/* MAUTH_UNAVAILABLE: the token is away, or does not answer. */
MAUTH_MUST_USE enum mauth_rc pool_sign(struct pool *p, const uint8_t hash[32],
    uint8_t out[KEY_SIGNATURE_MAX], size_t *len, struct mauth_err *err);

/* Does it sign? While that is being found out, for POOL_WAIT_MS at most: yes. */
MAUTH_MUST_USE enum mauth_rc pool_ready(struct pool *p, struct mauth_err *err);

/* Waits until the key was opened, and hands out its public half. */
MAUTH_MUST_USE enum mauth_rc pool_key(
    struct pool *p, struct mauth_key **out, struct mauth_err *err);

#endif
