/*
 * A SAML provider's metadata (SAML 2.0 metadata 2): the keys with which it signs, found
 * by its entityID, in an EntityDescriptor or anywhere in an EntitiesDescriptor.
 * Immutable once made.
 */
#ifndef SAML_METADATA_H
#define SAML_METADATA_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include <meshauth/key.h>

enum {
    METADATA_MAX = 16 * 1024 * 1024,
    METADATA_KEYS = 8 /* of one provider; further ones are left */
};

struct metadata;

/*
 *   pinned  the key that must have signed the document; NULL: it is trusted for where
 *           it came from
 *
 * MAUTH_MALFORMED, MAUTH_TOO_LARGE  no metadata, or with a signature of another shape
 * MAUTH_UNTRUSTED                   not signed by the pinned key
 * MAUTH_NOT_FOUND                   no such provider in it, or none with a key for
 *                                   RSA or ECDSA on P-256
 * MAUTH_EXPIRED                     its validUntil has passed
 */
MAUTH_MUST_USE enum mauth_rc metadata_parse(struct text xml, const char *entity_id,
    const struct mauth_key *pinned, int64_t now_s, struct metadata **out,
    struct mauth_err *err);
void metadata_free(struct metadata *m);

/* At least one; they belong to m. */
const struct mauth_key *const *metadata_keys(const struct metadata *m, size_t *count);
/* From then on they are good no more; INT64_MAX without an end. */
int64_t metadata_valid_until_s(const struct metadata *m);

#endif
