/*
 * Our own trust file, as services have read it: tickets that clients show us are
 * checked against what everybody else knows. Replaced whenever the file is; safe
 * from any thread.
 */
#ifndef AUTHSVC_OWN_TRUST_H
#define AUTHSVC_OWN_TRUST_H

#include "keys/note.h"
#include <meshauth/trust.h>

struct own_trust;
struct own_trust_ref;

MAUTH_MUST_USE enum mauth_rc own_trust_new(
    struct own_trust **out, struct mauth_err *err);
void own_trust_free(struct own_trust *o); /* all references were dropped */

/* Read the file that this authority has just signed. On failure the old one stays. */
MAUTH_MUST_USE enum mauth_rc own_trust_load(struct own_trust *o, const char *path,
    const struct note_verifier *authority, struct mauth_err *err);

/* What was loaded last, to be dropped; MAUTH_UNAVAILABLE when nothing was. */
MAUTH_MUST_USE enum mauth_rc own_trust_take(
    struct own_trust *o, struct own_trust_ref **out, struct mauth_err *err);
const struct mauth_trust *own_trust_of(const struct own_trust_ref *ref);
void own_trust_drop(struct own_trust_ref *ref); /* NULL is fine */

#endif
