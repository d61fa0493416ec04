/*
 * From the URL of an account service to an ID token of one of its providers, by way of
 * a person: the service's metadata, the provider's, and the code flow or the device
 * flow.
 */
#ifndef CLI_SIGN_IN_H
#define CLI_SIGN_IN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "cli/command.h"
#include "cli/service_url.h"
#include <meshauth/err.h>
#include <meshauth/key.h>

enum {
    SIGN_IN_TIMEOUT_S = 300,
    SIGN_IN_TIMEOUT_MAX_S = 3600
};

struct sign_in {
    const struct service_url *service;
    const char *ca_file;          /* of the service; NULL: the system's */
    const char *provider;         /* by its name; NULL: the only one */
    const char *provider_ca_file; /* NULL: the system's */
    const struct mauth_key *key;  /* of this device, that will trade the ID token */
    bool device;                  /* the device flow, also where there is a browser */
    int64_t timeout_s;            /* for the person */
};

/*
 * Appends the ID token to a buffer for secrets. What goes wrong is said, and the exit
 * code returned.
 */
enum command_exit sign_in_run(
    const struct call *call, const struct sign_in *s, struct buf *id_token);

/* No word came back: it is the service that failed, or who is asked is not it. */
enum command_exit sign_in_say_silence(
    const struct call *call, const char *ca_file, const struct mauth_err *err);

#endif
