/*
 * What everyone else's software reads of our keys: a JSON Web Key Set (RFC 7517) and
 * SAML 2.0 metadata, both with every key that verifies tickets now, and no other. Made
 * when keys change, not when somebody asks. Safe from any thread, but for what changes
 * them.
 */
#ifndef AUTHSVC_DOCUMENTS_H
#define AUTHSVC_DOCUMENTS_H

#include "authsvc/shared.h"
#include "base/buf.h"
#include "store/keystore.h"

enum {
    DOCUMENTS_CACHE_S = 60,                /* for which HTTP may keep them */
    DOCUMENTS_METADATA_LIFE_S = 48 * 3600, /* until validUntil */
    DOCUMENTS_METADATA_SIGN_S = 6 * 3600,  /* signed anew after so long */
    DOCUMENTS_METADATA_CACHE_S = 3600      /* cacheDuration */
};

enum document {
    DOCUMENT_JWKS,
    DOCUMENT_METADATA,
    DOCUMENTS
};

struct documents;

/*
 * issuer, kv and seal are borrowed. The key that signs the metadata is made, with its
 * record, when the store has none. Fails as kv_write() and metadata_key_read() do.
 */
MAUTH_MUST_USE enum mauth_rc documents_open(struct kv *kv,
    const struct mauth_secret *seal, const char *issuer, struct documents **out,
    struct mauth_err *err);
void documents_close(struct documents *d); /* all references were dropped */

/* Make them again if the keys differ, or it is time. On failure the old ones stay. One
 * thread at a time. */
MAUTH_MUST_USE enum mauth_rc documents_refresh(struct documents *d,
    const struct keystore *keys, int64_t now_s, struct mauth_err *err);

/* What it is now, to be shared_drop()ped; MAUTH_UNAVAILABLE when it was never made. */
MAUTH_MUST_USE enum mauth_rc documents_take(struct documents *d, enum document which,
    struct shared_ref **out, struct mauth_err *err);
/* They belong to the reference. */
struct text documents_text(const struct shared_ref *ref);
const char *documents_etag(const struct shared_ref *ref);

#endif
