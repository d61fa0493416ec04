/*
 * POST /v1/revoke (RFC 7009): one ticket. An identity ticket closes its session, with all
 * that was issued in it; of a rights ticket only this one is dead.
 *
 * Who asks is who the identity ticket under Authorization says; without one, the ticket's
 * own holder, who proves its key. The rules decide by `revoke(SUBJECT, KEY)`. What is no
 * ticket of ours, or dead already, is answered 200, as the RFC wants it; a ticket that is
 * another's always in the same way, be it good or not.
 */
#ifndef AUTHSVC_REVOKE_API_H
#define AUTHSVC_REVOKE_API_H

#include "authsvc/http.h"

/* The route's first step; its context is a struct service. */
void revoke_api_start(struct http_exchange *x);

#endif
