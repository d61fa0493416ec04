/*
 * An Authorization header taken apart: scheme, then one ticket or up to eight
 * alternatives joined by '~' (RFC 9110 11.4: a token68).
 */
#ifndef TICKETS_SET_H
#define TICKETS_SET_H

#include "base/buf.h"
#include <meshauth/err.h>

enum {
    SET_TICKETS = 8
};

struct ticket_set {
    struct text credential[SET_TICKETS]; /* slices of the header */
    size_t count;
};

/*
 * "Bearer CREDENTIAL" or "DPoP CREDENTIAL", one space, nothing else; the case of
 * the scheme does not matter. Whether a key was proven, and how, is not looked at
 * here.
 *
 * MAUTH_TOO_LARGE (size)  over MAUTH_CREDENTIAL_MAX characters or SET_TICKETS
 * MAUTH_MALFORMED (form)  another scheme, an empty alternative, another character
 */
MAUTH_MUST_USE enum mauth_rc ticket_set_parse(
    struct text header, struct ticket_set *out, struct mauth_err *err);

/* The two halves of that: what lies behind the scheme, in one piece (empty when it
 * is refused), and that piece cut at each '~'. */
MAUTH_MUST_USE enum mauth_rc ticket_set_open(
    struct text header, struct text *out, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc ticket_set_split(
    struct text credentials, struct ticket_set *out, struct mauth_err *err);

#endif
