/*
 * The renewal of an identity ticket as the store sees it. What counts is the session
 * and the key that is proven, not the ticket that names them: that may have expired,
 * been revoked, or lost the key that it was signed with.
 */
#ifndef AUTHSVC_RENEWAL_H
#define AUTHSVC_RENEWAL_H

#include "authsvc/caller.h"
#include "authsvc/issue.h"
#include "authsvc/login.h"

struct renewal {
    const struct service *service;
    const struct caller *caller; /* as caller_read() gives him; borrowed */
    struct issue_ground ground;  /* in: as ground_of_request() gives it */
    bool extends;                /* the session, to ground.session_ends_s */
    struct login_tickets tickets;
    const char *refusal; /* "session", or NULL: what the last step refused */
};

/*
 * Look at the session, in one read transaction. Nothing is signed yet: once it is known
 * whose session this is, the caller may find that he asks too often. The session of a
 * device that its user claims and has marked unattended begins anew.
 */
MAUTH_MUST_USE enum mauth_rc renewal_begin(struct renewal *r, struct mauth_err *err);

/* Then, if nothing was refused: issue the tickets of a login again. */
MAUTH_MUST_USE enum mauth_rc renewal_issue(struct renewal *r, struct mauth_err *err);

/* Put the records, and the session's new end, after looking again. */
kv_fn renewal_record;

void renewal_clear(struct renewal *r);

#endif
