/*
 * application/x-www-form-urlencoded, strictly (WHATWG URL 5.1, RFC 6749 B):
 * bounded, valid percent-encoding, valid UTF-8 without control characters. Also
 * reads query strings.
 *
 * A parameter without a value counts as not sent (RFC 6749 3.1).
 */
#ifndef NET_FORM_H
#define NET_FORM_H

#include <stddef.h>

#include "base/buf.h"
#include <meshauth/err.h>

enum {
    FORM_FIELDS = 64
};

struct form;

/* MAUTH_MALFORMED, MAUTH_TOO_LARGE; the text is copied. */
MAUTH_MUST_USE enum mauth_rc form_parse(
    struct text text, struct form **out, struct mauth_err *err);
void form_free(struct form *f);

/* How often it occurs. */
size_t form_count(const struct form *f, const char *name);
/* The i-th value, terminated, or NULL; belongs to the form. */
const char *form_value(const struct form *f, const char *name, size_t i);
/* A name that occurs more than once and is none of allowed (ended by NULL), or NULL. */
const char *form_repeated(const struct form *f, const char *const *allowed);
/* A name that is none of known (ended by NULL), or NULL. */
const char *form_unknown(const struct form *f, const char *const *known);

#endif
