/*
 * What SIGHUP has meshauthd read again: the TLS certificate and the rules. What cannot be
 * read stays as it was, and is a trouble until it can: a start would not be content with
 * it.
 */
#ifndef AUTHSVC_RELOAD_H
#define AUTHSVC_RELOAD_H

#include "authsvc/http.h"
#include "authsvc/rules_in_force.h"
#include "authsvc/trouble.h"

/* Reads all again, and tells the log. One thread at a time. */
void reload_all(
    struct troubles *t, struct http_server *server, struct rules_in_force *rules);

#endif
