/*
 * What a command that needs a ticket is told of it: audiences by their URN or by a
 * service's name alone, resources, actions; checked before anybody is asked.
 */
#ifndef CLI_RIGHTS_OPTIONS_H
#define CLI_RIGHTS_OPTIONS_H

#include "base/id.h"
#include "cli/command.h"
#include "cli/service_url.h"
#include "cli/token_exchange.h"

enum {
    RIGHTS_OPTIONS_MAX = 16,
    RIGHTS_AUDIENCE_LEN = 128
};

struct rights_options {
    struct token_rights want; /* points into what follows, and into the call */
    const char *audience[RIGHTS_OPTIONS_MAX];
    const char *resource[RIGHTS_OPTIONS_MAX];
    const char *action[RIGHTS_OPTIONS_MAX];
    char urn[RIGHTS_OPTIONS_MAX][RIGHTS_AUDIENCE_LEN];
    char device[SERVICE_URL_MAX + sizeof("/v1/mesh/devices/") + ID_LEN];
};

/* The number of each option in the command's table. */
struct rights_numbers {
    size_t audience, resource, action;
};

/* MAUTH_INVALID: err->text says which option, and what would be right. */
MAUTH_MUST_USE enum mauth_rc rights_options_read(const struct call *call,
    const struct rights_numbers *number, struct rights_options *out,
    struct mauth_err *err);

/* "storage" is urn:meshauth:service:storage; a URN of ours stays. False: neither. */
bool rights_options_add_audience(struct rights_options *o, const char *name);

/* The id of a device, typed as such or as its node's URL. False: it is neither. */
bool rights_options_device(const char *issuer, const char *typed, char out[ID_LEN + 1]);

/*
 * Sync with a device, by its id: by the audiences that are there, by the service "relay"
 * if there are none, and by its own.
 */
MAUTH_MUST_USE enum mauth_rc rights_options_sync(struct rights_options *o,
    const char *issuer, const char *device, struct mauth_err *err);

#endif
