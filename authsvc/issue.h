/*
 * Tickets of the account service: what they say, and their record. Pure: what
 * the graph showed comes in, a signed ticket and an audit entry come out; they
 * leave the service only after the entry is durable.
 */
#ifndef AUTHSVC_ISSUE_H
#define AUTHSVC_ISSUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "authsvc/service.h"
#include "base/id.h"
#include "store/audit.h"
#include <meshauth/err.h>
#include <meshauth/key.h>

enum {
    ISSUE_URL_MAX = 640 /* an issuer's URL and a node's path */
};

/* Who gets tickets, and from which moment of the graph. */
struct issue_ground {
    const struct service *service;
    int64_t now_s; /* taken before the read transaction */
    uint64_t asof;
    enum id_kind subject_kind; /* ID_USER or ID_SERVICE */
    struct id subject;
    struct id session;
    const char *authn_class; /* NULL: unspecified */
    int64_t authn_instant_s;
    int64_t session_ends_s; /* nothing outlives its session */
    const struct mauth_key *holder;
    struct id device; /* whose key that is, when it is registered ... */
    bool has_device;
    bool claims_device; /* ... and claimed by the subject */
    const char *client; /* address and request id, for the record */
    const char *request;
};

struct issued {
    char *xml; /* the ticket; malloc'd */
    size_t xml_len;
    char audience[ISSUE_URL_MAX];
    char resource[ISSUE_URL_MAX]; /* "" for an identity ticket */
    const char *action;           /* NULL for an identity ticket */
    int64_t expires_in_s;
    struct audit_entry *entry;
};

/*
 * The identity ticket of a login. On MAUTH_OK *out is for issued_clear(), else
 * it is zero; the same holds below.
 *
 * MAUTH_UNAVAILABLE  no signing key is active, or it or the session is at its end
 */
MAUTH_MUST_USE enum mauth_rc issue_identity(
    const struct issue_ground *ground, struct issued *out, struct mauth_err *err);

/* `read` on a user's own node, for the service of this name. */
MAUTH_MUST_USE enum mauth_rc issue_own_node(const struct issue_ground *ground,
    const char *service, struct issued *out, struct mauth_err *err);

void issued_clear(struct issued *issued);

/* "ISSUER/v1/mesh/users/usr_...": the root of the user's mesh. False: no room. */
MAUTH_MUST_USE bool issue_mesh_root(
    const char *issuer, const struct id *user, char *out, size_t size);

#endif
