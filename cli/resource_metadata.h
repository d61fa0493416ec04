/*
 * What a service says of itself (RFC 9728): who issues tickets for it, and whether it
 * takes DPoP alone. Foreign bytes, strictly read; it counts only if it is of this
 * service, and if the service trusts whom we are about to show a ticket of.
 */
#ifndef CLI_RESOURCE_METADATA_H
#define CLI_RESOURCE_METADATA_H

#include <stdbool.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/str.h"
#include <meshauth/err.h>

enum {
    RESOURCE_METADATA_MAX = 32768
};

struct resource_metadata {
    bool dpop;       /* dpop_bound_access_tokens_required */
    json_t *servers; /* authorization_servers, a list; owned */
};

/*
 * May the metadata of what lies at `url` come from here? Only
 * https://HOST/.well-known/oauth-protected-resource[/PATH] of the same HOST, with PATH
 * above the place or at it (RFC 9728 3.1). out is the resource's identifier then.
 *
 * MAUTH_UNTRUSTED  it is none of that
 */
MAUTH_MUST_USE enum mauth_rc resource_metadata_place(
    const char *metadata_url, const char *url, struct buf *out, struct mauth_err *err);

/* Appends where a resource, https://HOST[/PATH], describes itself (RFC 9728 3.1). */
void resource_metadata_url(struct text resource, struct buf *out);

/*
 * resource: what the document must be about, to the byte (RFC 9728 3.3). out is cleared
 * by the caller, empty on failure.
 *
 * MAUTH_MALFORMED  no JSON object of this form
 * MAUTH_UNTRUSTED  about another resource
 */
MAUTH_MUST_USE enum mauth_rc resource_metadata_read(struct text json,
    const char *resource, struct resource_metadata *out, struct mauth_err *err);
void resource_metadata_clear(struct resource_metadata *m);

/* MAUTH_UNTRUSTED: the issuer is none of its authorization_servers. */
MAUTH_MUST_USE enum mauth_rc resource_metadata_check(
    const struct resource_metadata *m, const char *issuer, struct mauth_err *err);

#endif
