/* What provider.c and provider_assertion.c share. */
#ifndef AUTHSVC_PROVIDER_PARTS_H
#define AUTHSVC_PROVIDER_PARTS_H

#include "authsvc/fresh.h"
#include "authsvc/provider.h"

struct providers {
    const struct config *config;
    struct fresh *keys[CONFIG_PROVIDERS]; /* as config->provider; of its type */
};

/* The one of this type and issuer (may be NULL); p->config->providers when nobody is. */
size_t providers_find(const struct providers *p, bool saml, const char *issuer);

#endif
