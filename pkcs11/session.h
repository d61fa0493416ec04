/*
 * A session with a token, logged in, and the key that is used in it. One thread at a
 * time. Everything here may take as long as the module likes.
 */
#ifndef PKCS11_SESSION_H
#define PKCS11_SESSION_H

#include "keys/key.h"
#include "pkcs11/module.h"
#include "pkcs11/uri.h"

struct pkcs11_session {
    struct pkcs11_module *module; /* inside it while this is open; else NULL */
    const CK_FUNCTION_LIST *f;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE handle;
    bool has_handle;
    CK_OBJECT_HANDLE private_key;
    struct mauth_key *key; /* the public half, as the token has it */
};

/*
 * Finds the token, logs in, finds the key, and has it sign something that its public half
 * must verify. s is empty after a failure.
 *
 * MAUTH_UNAVAILABLE  some of that did not succeed: err says what
 */
MAUTH_MUST_USE enum mauth_rc pkcs11_session_open(
    struct pkcs11_session *s, const struct pkcs11_uri *uri, struct mauth_err *err);
void pkcs11_session_close(struct pkcs11_session *s); /* an empty one is fine */

/* Sign a SHA-256. MAUTH_UNAVAILABLE: it failed; close the session and open another. */
MAUTH_MUST_USE enum mauth_rc pkcs11_session_sign(struct pkcs11_session *s,
    const uint8_t hash[32], uint8_t out[KEY_SIGNATURE_MAX], size_t *len,
    struct mauth_err *err);

/* Is the token still there, with the key? MAUTH_UNAVAILABLE: it is not. */
MAUTH_MUST_USE enum mauth_rc pkcs11_session_check(
    struct pkcs11_session *s, struct mauth_err *err);

#endif
