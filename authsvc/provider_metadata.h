/* The metadata of one SAML provider: from a file or a URL, kept fresh. */
#ifndef AUTHSVC_PROVIDER_METADATA_H
#define AUTHSVC_PROVIDER_METADATA_H

#include "config/config.h"
#include <meshauth/err.h>

struct fresh;

/*
 * To be used and closed by authsvc/fresh.h; what it takes is a struct metadata
 * (saml/metadata.h), which was good when it was loaded. config outlives it.
 */
MAUTH_MUST_USE enum mauth_rc provider_metadata_open(
    const struct config_provider *config, struct fresh **out, struct mauth_err *err);
/* Are its files as they must be? Nothing is fetched. */
MAUTH_MUST_USE enum mauth_rc provider_metadata_check(
    const struct config_provider *config, struct mauth_err *err);

#endif
