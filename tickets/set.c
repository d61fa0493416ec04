#include "tickets/set.h"

#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "base/str.h"
#include <meshauth/credential.h>

static bool
take_scheme(struct text *header, const char *scheme)
{
    size_t len = strlen(scheme);

    if (header->len <= len || strncasecmp(header->p, scheme, len) != 0)
        return false;
    header->p += len;
    header->len -= len;
    return true;
}

/* What else may be in them is seen when each is decoded. */
static enum mauth_rc
split(struct text rest, struct ticket_set *out, struct mauth_err *err)
{
    for (bool more = true; more; out->count++) {
        struct text one;

        if (out->count == SET_TICKETS)
            return mauth_refuse(err, MAUTH_REASON_SIZE,
                "credential: more than %d tickets", SET_TICKETS);
        more = text_cut(&rest, '~', &one);
        if (!more)
            one = rest;
        if (one.len == 0)
            return mauth_refuse(err, MAUTH_REASON_FORM, "credential: an empty ticket");
        out->credential[out->count] = one;
    }
    return MAUTH_OK;
}

enum mauth_rc
ticket_set_open(struct text header, struct text *out, struct mauth_err *err)
{
    *out = (struct text){"", 0};
    if (!take_scheme(&header, "Bearer ") && !take_scheme(&header, "DPoP "))
        return mauth_refuse(err, MAUTH_REASON_FORM,
            "authorization: neither Bearer nor DPoP, or nothing behind it");
    if (header.len > MAUTH_CREDENTIAL_MAX)
        return mauth_refuse(
            err, MAUTH_REASON_SIZE, "credential: %zu characters", header.len);
    *out = header;
    return MAUTH_OK;
}

enum mauth_rc
ticket_set_split(struct text credentials, struct ticket_set *out, struct mauth_err *err)
{
    enum mauth_rc rc;

    out->count = 0;
    rc = split(credentials, out, err);
    if (rc != MAUTH_OK)
        out->count = 0;
    return rc;
}

enum mauth_rc
ticket_set_parse(struct text header, struct ticket_set *out, struct mauth_err *err)
{
    struct text credentials;
    enum mauth_rc rc = ticket_set_open(header, &credentials, err);

    out->count = 0;
    return rc == MAUTH_OK ? ticket_set_split(credentials, out, err) : rc;
}
