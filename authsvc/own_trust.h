/*
 * Our own trust file, as services have read it: tickets that clients show us are checked
 * against what everybody else knows. Replaced whenever the file is; safe from any thread.
 */
#ifndef AUTHSVC_OWN_TRUST_H
#define AUTHSVC_OWN_TRUST_H

#include <stdint.h>

#include "authsvc/shared.h"
#include "base/buf.h"
#include "keys/note.h"
#include "keys/trust_place.h"
#include <meshauth/trust.h>

/* A place for it; shared_free() ends it. */
MAUTH_MUST_USE enum mauth_rc own_trust_new(struct shared **out, struct mauth_err *err);

/* Read the file that this authority has just signed. On failure the old one stays. One
 * thread at a time. */
MAUTH_MUST_USE enum mauth_rc own_trust_load(struct shared *s, const char *path,
    const struct note_verifier *authority, struct mauth_err *err);

/* What was loaded last, to be shared_drop()ped; MAUTH_UNAVAILABLE when nothing was. */
MAUTH_MUST_USE enum mauth_rc own_trust_take(
    struct shared *s, struct shared_ref **out, struct mauth_err *err);
const struct mauth_trust *own_trust_of(const struct shared_ref *ref);
/* Grows with each load; and the one since which no key has been added. */
uint64_t own_trust_generation(const struct shared_ref *ref);
uint64_t own_trust_keys_since(const struct shared_ref *ref);
/* The bytes of the file; they belong to the reference. */
struct text own_trust_text(const struct shared_ref *ref);
/* What changed since an earlier one, if that can be said in less; else empty. */
struct text own_trust_delta(const struct shared_ref *ref, struct trust_place from);

#endif
