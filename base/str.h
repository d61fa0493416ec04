/*
 * Slices of text: comparing them, and the forms that values of tickets and
 * trust files have (docs/tickets.md).
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    STR_NAME_MAX = 64,
    STR_NUMBER_MAX = 18, /* digits */
    STR_FAR = 3          /* letters added, dropped or changed: nobody means that */
};

struct text text_of(const char *s); /* s may be NULL: an empty slice */
MAUTH_MUST_USE bool text_equal(struct text a, struct text b);
MAUTH_MUST_USE bool text_is(struct text a, const char *s);
MAUTH_MUST_USE bool text_starts(struct text a, const char *prefix);
int text_compare(struct text a, struct text b); /* bytewise, as memcmp */

/* [a-z][a-z0-9_.-]{0,63} */
MAUTH_MUST_USE bool str_is_name(struct text t);
/* Scheme, colon, ASCII characters of RFC 3986, '%' with two hex digits. */
MAUTH_MUST_USE bool str_is_uri(struct text t);
/* "0" or [1-9][0-9]{0,17}; false and zero otherwise. */
MAUTH_MUST_USE bool str_number(struct text t, uint64_t *out);
/* So many lower-case hex digits. */
MAUTH_MUST_USE bool str_is_hex(struct text t, size_t digits);
/* What a hex digit of either case is worth; -1: it is none. */
int str_hex_digit(char c);
/* Writes 2 * len lower-case hex digits and a terminator. */
void str_hex(const void *data, size_t len, char *out);
/* The bytes of 2 * len lower-case hex digits; false, and zeros, unless it is that. */
MAUTH_MUST_USE bool str_unhex(struct text t, size_t len, uint8_t *out);
/* May known be meant by a name that is another, and rather than those before it? Begin with
 * *least as STR_FAR: it falls with each that is. */
MAUTH_MUST_USE bool str_is_nearer(const char *name, const char *known, size_t *least);
/* Splits off what stands before the first end; false when there is no end. */
MAUTH_MUST_USE bool text_cut(struct text *rest, char end, struct text *out);

#endif
