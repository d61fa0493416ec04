/* UTF-8 as RFC 3629 has it: shortest forms only, no surrogates, up to U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include <meshauth/api.h>

/* How many bytes the first character takes; 0, and *out 0, when it is none. */
MAUTH_MUST_USE size_t utf8_next(const void *text, size_t len, uint32_t *out);

#endif
