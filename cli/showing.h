/*
 * What shows a ticket to the service at a URL, in the header of one request: the
 * identity ticket to the account service itself, else a rights ticket. Scheme Bearer
 * goes with the device's key proven by TLS; scheme DPoP (RFC 9449) brings a proof
 * along.
 */
#ifndef CLI_SHOWING_H
#define CLI_SHOWING_H

#include "cli/broker.h"
#include "cli/resource_lookup.h"
#include "cli/rights_options.h"

struct showing {
    const char *url;
    const char *method;
    bool dpop;
    const char *nonce; /* that the service wants in the proof; NULL: none */
    struct rights_options rights;
    char place[2048];              /* of the URL: without query and fragment */
    struct resource_lookup lookup; /* ca_file is the caller's to set */
};

void showing_clear(struct showing *s);

/*
 * Take the URL of a request and complete what was typed: the place of the URL is the
 * resource, and its method says the action, where none is named.
 *
 * MAUTH_INVALID  no strict https URL
 */
MAUTH_MUST_USE enum mauth_rc showing_complete(struct showing *s, struct mauth_err *err);

/*
 * The account that `typed` names, or at whose service the URL is, or the only one; of
 * several the one that has a ticket for the place, else one that its service trusts.
 */
enum command_exit showing_choose(const struct call *call, const char *typed,
    struct showing *s, struct service_url *out);

/*
 * The credential to show; it belongs to the broker, until it is asked again. Before one
 * is fetched for a place the service there may say that it wants DPoP; that is kept.
 */
enum command_exit showing_find(
    const struct call *call, struct broker *b, struct showing *s, const char **out);

/* Does the account service itself answer at this URL? */
bool showing_is_own(const struct broker *b, const struct showing *s);

/* Appends header lines, each with a newline, to a buffer for secrets. */
MAUTH_MUST_USE enum mauth_rc showing_write(const struct showing *s,
    const struct account *a, const char *credential, struct buf *out,
    struct mauth_err *err);

#endif
