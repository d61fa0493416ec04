/* Whom a NameID names, as one text by which an account is found again. */
#ifndef SAML_SUBJECT_H
#define SAML_SUBJECT_H

#include <meshauth/err.h>

struct _xmlNode; /* libxml2's xmlNode, which nobody else has to know */

enum {
    SUBJECT_MAX = 255
};

/*
 * NAME, or NAMEQUALIFIER!SPNAMEQUALIFIER!NAME. A qualifier that says what goes without
 * saying (core 8.3.7: the provider, and us) counts as none, and both are left out where
 * neither is left. In each part "!", "%" and all but printable ASCII is %XX, so that no
 * two names are one text.
 *
 * MAUTH_DENIED     a name that does not last (transient), or is none of a person
 * MAUTH_MALFORMED  empty, too long, with white space at an end or control characters
 */
MAUTH_MUST_USE enum mauth_rc subject_read(const struct _xmlNode *name_id,
    const char *provider, const char *us, char out[SUBJECT_MAX + 1],
    struct mauth_err *err);

#endif
