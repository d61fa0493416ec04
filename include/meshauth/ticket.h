/*
 * Tickets: SAML 2.0 assertions in their one byte form (docs/tickets.md).
 *
 * There is no "is the signature good" call. Verification hands back a ticket
 * read from the bytes that were signed, or nothing.
 */
#ifndef MESHAUTH_TICKET_H
#define MESHAUTH_TICKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <meshauth/err.h>
#include <meshauth/trust.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mauth_ticket;

enum {
    MAUTH_TICKET_MAX = 16384,     /* bytes of XML */
    MAUTH_LIFETIME_MAX_S = 43200, /* NotOnOrAfter - IssueInstant */
    MAUTH_SKEW_DEFAULT_S = 60,
    MAUTH_SKEW_MAX_S = 180,
};

/* What the caller is, and what the bearer has proven. */
struct mauth_expect {
    size_t size;                /* sizeof(struct mauth_expect) */
    const char *audience;       /* who asks: one of the ticket's must be this */
    int64_t now_s;              /* Unix seconds */
    int32_t skew_s;             /* 0 to MAUTH_SKEW_MAX_S */
    bool allow_bearer;          /* accept tickets that are bound to no key */
    const uint8_t *holder_spki; /* the key proven by TLS or DPoP; NULL: none */
    size_t holder_spki_len;
};

/*
 * Check a ticket and return what it says. The checks and their reasons
 * (err->reason) stand in docs/tickets.md, in this order: size form trust-expired
 * clock issuer key-unknown key-revoked key-window signature not-yet expired
 * lifetime audience revoked holder no-proof.
 *
 *   xml, len  untrusted bytes, not kept after return
 *   trust     borrowed for the call
 *   want      borrowed for the call
 *   out       on MAUTH_OK a ticket that the caller frees; otherwise NULL
 *
 * Safe from any thread; callers may share one trust.
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_ticket_verify(const char *xml, size_t len,
    const struct mauth_trust *trust, const struct mauth_expect *want,
    struct mauth_ticket **out, struct mauth_err *err);

/*
 * Read a ticket without trusting it: to show it, never to act on it. Its
 * signature, times and audience are NOT checked.
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_ticket_read_untrusted(
    const char *xml, size_t len, struct mauth_ticket **out, struct mauth_err *err);

MAUTH_API void mauth_ticket_free(struct mauth_ticket *ticket);

/* What it says. Strings are terminated and belong to the ticket. */
MAUTH_API const char *mauth_ticket_id(const struct mauth_ticket *t);
MAUTH_API const char *mauth_ticket_issuer(const struct mauth_ticket *t);
MAUTH_API const char *mauth_ticket_subject(const struct mauth_ticket *t);
MAUTH_API const char *mauth_ticket_session(const struct mauth_ticket *t);
MAUTH_API const char *mauth_ticket_key_id(const struct mauth_ticket *t);
/* The device in the holder fact, or NULL. */
MAUTH_API const char *mauth_ticket_holder(const struct mauth_ticket *t);
MAUTH_API uint64_t mauth_ticket_asof(const struct mauth_ticket *t);
MAUTH_API int64_t mauth_ticket_issued_s(const struct mauth_ticket *t);
MAUTH_API int64_t mauth_ticket_not_before_s(const struct mauth_ticket *t);
MAUTH_API int64_t mauth_ticket_not_on_or_after_s(const struct mauth_ticket *t);
/* True for an identity ticket (it has an AuthnStatement), false for rights. */
MAUTH_API bool mauth_ticket_is_identity(const struct mauth_ticket *t);
/* AuthnInstant, 0 for rights tickets. */
MAUTH_API int64_t mauth_ticket_authn_instant_s(const struct mauth_ticket *t);
/* AuthnContextClassRef, NULL for rights tickets. */
MAUTH_API const char *mauth_ticket_authn_class(const struct mauth_ticket *t);
/* The key that it is bound to (SPKI, DER), or NULL for a bearer ticket. */
MAUTH_API const uint8_t *mauth_ticket_holder_spki(
    const struct mauth_ticket *t, size_t *len);
/* SHA-256 of the assertion without its signature, as in DigestValue. */
MAUTH_API const uint8_t *mauth_ticket_digest(const struct mauth_ticket *t);

MAUTH_API size_t mauth_ticket_audience_count(const struct mauth_ticket *t);
MAUTH_API const char *mauth_ticket_audience(const struct mauth_ticket *t, size_t i);

MAUTH_API size_t mauth_ticket_permit_count(const struct mauth_ticket *t);
MAUTH_API const char *mauth_ticket_permit_resource(
    const struct mauth_ticket *t, size_t i);
MAUTH_API size_t mauth_ticket_permit_action_count(
    const struct mauth_ticket *t, size_t i);
/* Our name of the action: "read" for rwedc's Read. */
MAUTH_API const char *mauth_ticket_permit_action(
    const struct mauth_ticket *t, size_t i, size_t j);

MAUTH_API size_t mauth_ticket_fact_count(const struct mauth_ticket *t);
MAUTH_API const char *mauth_ticket_fact_relation(
    const struct mauth_ticket *t, size_t i);
MAUTH_API size_t mauth_ticket_fact_arity(const struct mauth_ticket *t, size_t i);
MAUTH_API const char *mauth_ticket_fact_arg(
    const struct mauth_ticket *t, size_t i, size_t j);

#ifdef __cplusplus
}
#endif

#endif
