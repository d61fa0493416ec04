/*
 * What the service at a place says of itself (RFC 9728), looked up before it has been
 * asked for anything: at its own host, over HTTPS, with nothing that tells who asks.
 * Bounded in time and bytes. It never says for whom a ticket is: that the account
 * service knows by its registry; only who may issue it, and how it is shown.
 */
#ifndef CLI_RESOURCE_LOOKUP_H
#define CLI_RESOURCE_LOOKUP_H

#include "cli/resource_metadata.h"

struct resource_lookup {
    const char *place;   /* of a request, without query */
    const char *ca_file; /* PEM; NULL: the system's authorities */
    bool done;
    bool known; /* says is something that counts */
    struct resource_metadata says;
};

/* Done once; whatever fails, nothing is known then. */
void resource_lookup(struct resource_lookup *l);
void resource_lookup_clear(struct resource_lookup *l);

/* One document, of RESOURCE_METADATA_MAX bytes at most. MAUTH_UNAVAILABLE: none. */
MAUTH_MUST_USE enum mauth_rc resource_lookup_fetch(
    const char *url, const char *ca_file, struct buf *out, struct mauth_err *err);

#endif
