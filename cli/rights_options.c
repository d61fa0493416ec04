#include "cli/rights_options.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/url.h"

#define SERVICE_URN "urn:meshauth:service:"
#define DEVICE_URN  "urn:meshauth:device:"

bool
rights_options_add_audience(struct rights_options *o, const char *name)
{
    struct text t = text_of(name);
    char *urn;

    if (o->want.audiences == RIGHTS_OPTIONS_MAX || t.len > STR_NAME_MAX + 32)
        return false;
    urn = o->urn[o->want.audiences];
    if (str_is_name(t))
        snprintf(urn, RIGHTS_AUDIENCE_LEN, SERVICE_URN "%s", name);
    else if (str_is_uri(t) && text_starts(t, "urn:meshauth:"))
        snprintf(urn, RIGHTS_AUDIENCE_LEN, "%s", name);
    else
        return false;
    o->audience[o->want.audiences++] = urn;
    return true;
}

enum mauth_rc
rights_options_read(const struct call *call, const struct rights_numbers *number,
    struct rights_options *out, struct mauth_err *err)
{
    const char *v;

    memset(out, 0, sizeof(*out));
    out->want.audience = out->audience;
    out->want.resource = out->resource;
    out->want.action = out->action;
    for (size_t i = 0; (v = command_value(call, number->audience, i)) != NULL; i++)
        if (!rights_options_add_audience(out, v))
            return mauth_fail(err, MAUTH_INVALID,
                "--audience is a service's name, or " SERVICE_URN "NAME; %d at most",
                RIGHTS_OPTIONS_MAX);
    for (size_t i = 0; (v = command_value(call, number->resource, i)) != NULL; i++) {
        if (i == RIGHTS_OPTIONS_MAX || !url_is_strict(text_of(v)))
            return mauth_fail(err, MAUTH_INVALID,
                "--resource is the https URL of a node or of a place, with nothing "
                "behind its path; %d at most",
                RIGHTS_OPTIONS_MAX);
        out->resource[out->want.resources++] = v;
    }
    for (size_t i = 0; (v = command_value(call, number->action, i)) != NULL; i++) {
        if (i == RIGHTS_OPTIONS_MAX || !str_is_name(text_of(v)))
            return mauth_fail(err, MAUTH_INVALID,
                "--action is a name as read or write; %d at most", RIGHTS_OPTIONS_MAX);
        out->action[out->want.actions++] = v;
    }
    return MAUTH_OK;
}

bool
rights_options_device(const char *issuer, const char *typed, char out[ID_LEN + 1])
{
    struct text id = text_of(typed);
    struct id parsed;

    if (!id_parse(ID_DEVICE, id.p, id.len, &parsed) &&
        !(url_is_node(id, text_of(issuer), ID_DEVICE, &id) &&
            id_parse(ID_DEVICE, id.p, id.len, &parsed)))
        return false;
    id_format(ID_DEVICE, &parsed, out);
    return true;
}

enum mauth_rc
rights_options_sync(struct rights_options *o, const char *issuer, const char *device,
    struct mauth_err *err)
{
    char urn[sizeof(DEVICE_URN) + ID_LEN];

    snprintf(o->device, sizeof(o->device), "%s/v1/mesh/devices/%s", issuer, device);
    snprintf(urn, sizeof(urn), DEVICE_URN "%s", device);
    if ((!o->want.audiences && !rights_options_add_audience(o, "relay")) ||
        !rights_options_add_audience(o, urn))
        return mauth_fail(err, MAUTH_INVALID, "--audience is given too often");
    o->resource[0] = o->device;
    o->want.resources = 1;
    o->action[0] = "sync";
    o->want.actions = 1;
    return MAUTH_OK;
}
