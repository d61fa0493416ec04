/*
 * The nonce of a login at an OpenID provider, bound to the device key that will log in
 * with the ID token: RANDOM "." HASH, where HASH is base64url of SHA-256 over RANDOM, "."
 * and base64url of SHA-256 of the key (SubjectPublicKeyInfo). Whoever gets the ID token
 * into his hands, another account service above all, cannot trade it with a key of his
 * own. The key itself the provider does not learn.
 */
#ifndef JOSE_KEY_NONCE_H
#define JOSE_KEY_NONCE_H

#include <stdbool.h>

#include <meshauth/err.h>
#include <meshauth/key.h>

enum {
    KEY_NONCE_PART = 43, /* 256 bits in base64url */
    KEY_NONCE_LEN = KEY_NONCE_PART + 1 + KEY_NONCE_PART
};

MAUTH_MUST_USE enum mauth_rc key_nonce_new(
    const struct mauth_key *key, char out[KEY_NONCE_LEN + 1], struct mauth_err *err);

/* Is it one, and made for this key? */
MAUTH_MUST_USE bool key_nonce_is_of(const char *nonce, const struct mauth_key *key);

#endif
