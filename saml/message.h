/*
 * What a browser carries from a SAML provider: an Assertion, bare or in a Response. The
 * Assertion is signed, or the Response is, or both: then both must verify. Believed is
 * only what is read anew from the canonical bytes that a signature was found to cover.
 */
#ifndef SAML_MESSAGE_H
#define SAML_MESSAGE_H

#include "base/buf.h"
#include "saml/assertion.h"
#include "saml/refusal.h"
#include <meshauth/key.h>

enum {
    MESSAGE_MAX = 256 * 1024 /* bytes of one */
};

struct message;

/*
 * The text is not kept.
 *
 * MAUTH_TOO_LARGE, MAUTH_MALFORMED  SAML_FORM, SAML_ENCRYPTED or SAML_UNSIGNED
 */
MAUTH_MUST_USE enum mauth_rc message_parse(struct text xml, struct message **out,
    enum saml_refusal *why, struct mauth_err *err);
void message_free(struct message *m);

/* Whose it claims to be, which only serves to find keys; belongs to m. */
const char *message_untrusted_issuer(const struct message *m);

/*
 * Its signatures, by these keys; then what the Response says of itself, and what the
 * Assertion does (saml/assertion.h). *out is zero when that fails. Once for a message.
 */
MAUTH_MUST_USE enum mauth_rc message_verify(struct message *m,
    const struct mauth_key *const *keys, size_t count,
    const struct assertion_expect *want, struct assertion *out, enum saml_refusal *why,
    struct mauth_err *err);

#endif
