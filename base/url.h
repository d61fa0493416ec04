/*
 * URLs of resources, in the one form in which rules compare them. Nothing here
 * normalises: a URL is of the strict form, or it is refused. So two URLs name
 * the same thing only if their bytes are equal, and no server behind us can read
 * another path out of one than we did.
 *
 *     https://HOST[:PORT]/SEGMENT/SEGMENT...
 *
 * HOST is lower case, PORT has no leading zero and is not 443. There is no
 * userinfo, query or fragment. No segment is "." or "..", only the last may be
 * empty, and none holds ';' or '\'. '%' occurs only as %XX, upper case, for a
 * byte that a segment (RFC 3986, pchar) cannot hold literally; what it spells
 * is valid UTF-8 and never %00 to %1F, %25, %2F, %5C or %7F.
 */
#ifndef BASE_URL_H
#define BASE_URL_H

#include <stdbool.h>

#include "base/id.h"
#include "base/str.h"

MAUTH_MUST_USE bool url_is_strict(struct text url);

/* Both strict, and url is place, or lies under it by whole segments. */
MAUTH_MUST_USE bool url_is_within(struct text url, struct text place);

/*
 * Is url exactly ISSUER/v1/mesh/KIND/ID, strict, of this kind (user, device or
 * folder)? On true id is its last segment, a slice of url; else it is empty.
 */
MAUTH_MUST_USE bool url_is_node(
    struct text url, struct text issuer, enum id_kind kind, struct text *id);

#endif
