/*
 * The identity providers that a service names for people to log in with, as they
 * stand in its metadata (RFC 8414; docs/http.md).
 */
#ifndef CLI_LOGIN_PROVIDER_H
#define CLI_LOGIN_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include <meshauth/err.h>

enum {
    LOGIN_PROVIDERS = 16,
    LOGIN_SCOPES = 17,
    LOGIN_METADATA_MAX = 64 * 1024
};

struct login_provider {
    char *name;
    char *kind; /* "oidc", "demo", or what a later service knows */
    char *issuer;
    char *client_id; /* these two of "oidc" */
    char *scope;     /* all of them, with blanks between */
};

struct login_providers {
    size_t count;
    struct login_provider at[LOGIN_PROVIDERS];
};

/*
 * From the metadata of the service with this URL. What is not known here is
 * ignored, for the service may be newer than its client.
 *
 * MAUTH_MALFORMED  not such a document
 * MAUTH_UNTRUSTED  another service's (RFC 8414 3.3)
 */
MAUTH_MUST_USE enum mauth_rc login_providers_read(struct text json, const char *service,
    struct login_providers **out, struct mauth_err *err);
void login_providers_free(struct login_providers *p);

/*
 * The one with this name; without a name the only one with a place to go to.
 *
 * MAUTH_NOT_FOUND  no such one
 * MAUTH_INVALID    several, so that a name is needed
 */
MAUTH_MUST_USE enum mauth_rc login_providers_choose(const struct login_providers *p,
    const char *name, const struct login_provider **out, struct mauth_err *err);

/* Can a person be sent there? */
bool login_provider_is_oidc(const struct login_provider *p);

#endif
