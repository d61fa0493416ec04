/*
 * What an Assertion must say to be a login here (SAML 2.0 core 2, profiles 4.1.4.3),
 * once its signature is known to be its provider's.
 */
#ifndef SAML_ASSERTION_H
#define SAML_ASSERTION_H

#include <stdint.h>

#include "saml/refusal.h"
#include "saml/subject.h"
#include <meshauth/err.h>

struct _xmlNode; /* libxml2's xmlNode, which nobody else has to know */

enum {
    ASSERTION_ID_MAX = 128,
    ASSERTION_EMAIL_MAX = 254,
    ASSERTION_SKEW_S = 60 /* between the provider's clock and ours */
};

struct assertion_expect {
    const char *provider;  /* its entityID */
    const char *audience;  /* our entityID: the issuer's URL */
    const char *recipient; /* the token endpoint */
    int64_t now_s;
    int64_t max_age_s; /* IssueInstant not older than this */
};

struct assertion {
    char id[ASSERTION_ID_MAX + 1];
    char subject[SUBJECT_MAX + 1];       /* saml/subject.h */
    char email[ASSERTION_EMAIL_MAX + 1]; /* mail, if it has one value; else "" */
    int64_t authn_s;                     /* AuthnInstant */
    int64_t session_ends_s;              /* SessionNotOnOrAfter; INT64_MAX without */
    int64_t too_old_s;                   /* from then on it is refused for its age */
};

/*
 * element is of a document that was read from what was signed (saml/signature.h).
 *
 * MAUTH_MALFORMED, MAUTH_UNTRUSTED, MAUTH_DENIED, MAUTH_EXPIRED  as *why says; *out is
 *                                                                zero then
 */
MAUTH_MUST_USE enum mauth_rc assertion_check(const struct _xmlNode *element,
    const struct assertion_expect *want, struct assertion *out, enum saml_refusal *why,
    struct mauth_err *err);

#endif
