/*
 * The root's verifier key, told to whoever asks: those who pin it compare its fingerprint
 * with what they know from elsewhere.
 */
#ifndef AUTHSVC_OWN_ROOT_H
#define AUTHSVC_OWN_ROOT_H

#include "base/buf.h"
#include "keys/note.h"
#include <meshauth/err.h>

/*
 * Read it from its file: vkey has room for NOTE_VKEY_MAX and a NUL, and is empty on
 * failure.
 *
 * MAUTH_NOT_FOUND  there is no such file
 * MAUTH_UNTRUSTED  it did not sign this delegation
 */
MAUTH_MUST_USE enum mauth_rc own_root_read(const char *path, struct text delegation,
    char vkey[NOTE_VKEY_MAX + 1], struct mauth_err *err);

#endif
