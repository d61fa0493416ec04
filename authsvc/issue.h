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
#include "tickets/ticket.h"
#include <meshauth/err.h>
#include <meshauth/key.h>

enum {
    ISSUE_URL_MAX = 640,        /* an issuer's URL and a node's path */
    ISSUE_CREDENTIAL_MAX = 7680 /* deflated; common proxies let that pass */
};

/* Who gets tickets, and from which moment of the graph. */
struct issue_ground {
    const struct service *service;
    int64_t now_s; /* taken before the read transaction */
    uint64_t asof;
    enum id_kind subject_kind; /* ID_USER or ID_SERVICE */
    struct id subject;
    struct id session;
    bool by_certificate; /* a service proved its key so: the authentication's class */
    bool renews;         /* the session is an old one */
    int64_t authn_instant_s;
    int64_t session_ends_s; /* nothing outlives its session */
    const struct mauth_key *holder;
    struct id device; /* whose key that is, when it is registered ... */
    bool has_device;
    bool claims_device; /* ... claimed by the subject ... */
    bool unattended;    /* ... and marked so */
    const char *client; /* address and request id, for the record */
    const char *request;
};

struct issued {
    char *xml; /* the ticket; malloc'd */
    size_t xml_len;
    char audience[ISSUE_URL_MAX]; /* the first */
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

/* What a rights ticket says beside what its ground does. All borrowed. */
struct issue_rights {
    const char *audience[TICKET_AUDIENCES];
    size_t audiences;
    const struct ticket_permit *permit; /* slices of action */
    size_t permits;
    const struct text *action;
    size_t actions;
    const struct ticket_fact *fact; /* what is there already does no harm */
    size_t facts;
    const char *about[TICKET_PERMITS]; /* the nodes, for the record */
    size_t abouts;
    const char *rule; /* that proved it, for the record */
};

/* MAUTH_TOO_LARGE: over a ticket's bounds, or over ISSUE_CREDENTIAL_MAX as it travels. */
MAUTH_MUST_USE enum mauth_rc issue_rights(const struct issue_ground *ground,
    const struct issue_rights *rights, struct issued *out, struct mauth_err *err);

void issued_clear(struct issued *issued);

/* "ISSUER/v1/mesh/users/usr_...": the root of the user's mesh. False: no room. */
MAUTH_MUST_USE bool issue_mesh_root(
    const char *issuer, const struct id *user, char *out, size_t size);

#endif
