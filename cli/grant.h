/*
 * What a login brings: the tickets of one session, each read and found to be
 * for us. Their signatures are the services' business; that the answer came over
 * TLS from the service we asked is ours.
 */
#ifndef CLI_GRANT_H
#define CLI_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include <meshauth/err.h>
#include <meshauth/key.h>
#include <meshauth/ticket.h>

enum {
    GRANT_TICKETS = 64,
    GRANT_MAX = 1 << 20 /* bytes of JSON */
};

struct grant;

/* Whose tickets they must be. */
struct grant_owner {
    const char *issuer;
    const struct mauth_key *device;
};

/*
 * From the answer of the token endpoint (RFC 8693 2.2), strictly: the first
 * ticket is the identity ticket and also the access_token; all are of this
 * issuer, bound to this device, of one subject and session.
 *
 * MAUTH_MALFORMED  err->text says what is not as it must be
 */
MAUTH_MUST_USE enum mauth_rc grant_from_answer(struct text json,
    const struct grant_owner *owner, struct grant **out, struct mauth_err *err);

/* From what grant_json() made, with the same checks of the tickets. */
MAUTH_MUST_USE enum mauth_rc grant_from_json(const json_t *o,
    const struct grant_owner *owner, struct grant **out, struct mauth_err *err);

/*
 * A grant with more tickets, a list as in the answer to a change. Such with an identity
 * ticket takes the place of all others; else those of g that are still good are kept.
 */
MAUTH_MUST_USE enum mauth_rc grant_extend(const struct grant *g, json_t *more,
    const struct grant_owner *owner, int64_t now_s, struct grant **out,
    struct mauth_err *err);

/* Of any ticket: is it for this audience, and bound to this key? */
MAUTH_MUST_USE bool grant_has_audience(
    const struct mauth_ticket *t, const char *audience);
MAUTH_MUST_USE bool grant_is_bound_to(
    const struct mauth_ticket *t, const struct mauth_key *device);

void grant_free(struct grant *g);

/* URL of the mesh root, or NULL. Belongs to the grant, as all below. */
const char *grant_mesh(const struct grant *g);
size_t grant_count(const struct grant *g);
/* The first is the identity ticket. */
const struct mauth_ticket *grant_ticket(const struct grant *g, size_t i);
/* What shows it, in an Authorization header; a secret. */
const char *grant_credential(const struct grant *g, size_t i);

/* Is there an identity ticket, and is it valid yet? */
bool grant_is_valid(const struct grant *g, int64_t now_s);

/* To be kept: "mesh", "subject", "session", "tickets" with their credentials. */
json_t *grant_json(const struct grant *g);
/* To be shown: the same without credentials, with "valid" for each. */
json_t *grant_json_public(const struct grant *g, int64_t now_s);
/* To be read: a table of the tickets. False without memory. */
bool grant_print(const struct grant *g, int64_t now_s);

#endif
