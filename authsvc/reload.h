/*
 * What SIGHUP has meshauthd read again: the TLS certificate and the rules. What cannot be
 * read stays as it was, and /readyz warns of it until it can: a start would not be content
 * with it.
 */
#ifndef AUTHSVC_RELOAD_H
#define AUTHSVC_RELOAD_H

#include "authsvc/http.h"
#include "authsvc/rules_in_force.h"

struct reload;

MAUTH_MUST_USE enum mauth_rc reload_new(struct reload **out, struct mauth_err *err);
void reload_free(struct reload *r); /* NULL is fine */

/* Reads all again, and tells the log. One thread at a time. */
void reload_all(
    struct reload *r, struct http_server *server, struct rules_in_force *rules);

/* What could not be read the last time, a line for each. Safe from any thread. */
void reload_complain(struct reload *r, struct buf *lines);

#endif
