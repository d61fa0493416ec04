/*
 * Names of things: 128 random bits, written as a prefix that tells the kind
 * and 26 characters of lower-case Crockford base32 ("usr_0aaaa..."). The first
 * character is 0 to 7, so each id has exactly one spelling.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <meshauth/err.h>

enum id_kind {
    ID_USER,
    ID_DEVICE,
    ID_FOLDER,
    ID_INVITATION,
    ID_SESSION,
    ID_SERVICE,
    ID_KINDS
};

enum {
    ID_BYTES = 16,
    ID_LEN = 30, /* characters of the written form, without the terminator */
};

struct id {
    uint8_t b[ID_BYTES];
};

MAUTH_MUST_USE enum mauth_rc id_new(struct id *out, struct mauth_err *err);
void id_format(enum id_kind kind, const struct id *id, char out[ID_LEN + 1]);
/* False unless text is exactly one id of this kind. */
MAUTH_MUST_USE bool id_parse(
    enum id_kind kind, const char *text, size_t len, struct id *out);
/* The kind of a well-formed id, or ID_KINDS when text is none. */
enum id_kind id_kind_of(const char *text, size_t len);
/* "usr_" for ID_USER. */
const char *id_prefix(enum id_kind kind);

#endif
