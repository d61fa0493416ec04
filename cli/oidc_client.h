/*
 * A native client of one OpenID provider (RFC 8252): it has a name there and no
 * secret, and asks by HTTPS.
 */
#ifndef CLI_OIDC_CLIENT_H
#define CLI_OIDC_CLIENT_H

#include <stdint.h>

#include "base/buf.h"
#include "cli/oidc_discovery.h"
#include <meshauth/err.h>
#include <meshauth/key.h>

struct fetch;

/* All borrowed, but for what oidc_client_discover() finds. */
struct oidc_client {
    struct fetch *fetch;
    const char *name; /* as people call the provider */
    const char *issuer;
    const char *client_id;
    const char *scope;
    const struct mauth_key *key; /* that will log in with the ID token */
    int64_t timeout_s;           /* for the person to log in */
    struct oidc_discovery at;
};

struct oidc_field {
    const char *name; /* NULL ends a list */
    const char *value;
};

/*
 * "Log in at NAME (ISSUER)" to the terminal, and no end of the line. A service gives its
 * providers any name it likes; by the issuer a person sees who will ask for a password.
 */
void oidc_client_say(const struct oidc_client *client);

/* "NAME=VALUE&..." of an application/x-www-form-urlencoded text, appended. */
void oidc_fields_write(struct buf *out, const struct oidc_field *fields);

/* Reads the provider's configuration into client->at. */
MAUTH_MUST_USE enum mauth_rc oidc_client_discover(
    struct oidc_client *client, struct mauth_err *err);

/*
 * POST these fields; answer is appended to, and must be a buffer for secrets.
 *
 * MAUTH_UNAVAILABLE  nothing came back; err names the provider
 */
MAUTH_MUST_USE enum mauth_rc oidc_client_post(const struct oidc_client *client,
    const char *url, const struct oidc_field *fields, long *status, struct buf *answer,
    struct mauth_err *err);

#endif
