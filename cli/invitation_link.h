/*
 * What an inviter hands on: ISSUER/v1/mesh/invitations/inv_...#secret. The part behind
 * the '#' opens the invitation; it goes into the body of a request and nowhere else.
 */
#ifndef CLI_INVITATION_LINK_H
#define CLI_INVITATION_LINK_H

#include "base/buf.h"
#include "base/id.h"
#include "cli/service_url.h"
#include <meshauth/err.h>

enum {
    INVITATION_SECRET = 43, /* characters: base64url of 256 bits */
    INVITATION_LINK_MAX = 512
};

struct invitation_link {
    struct service_url service;
    char id[ID_LEN + 1];
    char secret[INVITATION_SECRET + 1];
};

/*
 * MAUTH_INVALID: err->text says what is wrong, and never the secret. Clear it in either
 * case.
 */
MAUTH_MUST_USE enum mauth_rc invitation_link_parse(
    struct text link, struct invitation_link *out, struct mauth_err *err);
void invitation_link_clear(struct invitation_link *link); /* wipes */

#endif
