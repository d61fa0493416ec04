/*
 * GET /v1/audit, /v1/audit/count and /v1/audit/who: questions to the audit log, by the
 * admin socket or of principals that may "audit". The question itself is on record before its answer
 * leaves; the answer is found in a thread that gives way to whatever issues tickets.
 */
#ifndef AUTHSVC_AUDIT_API_H
#define AUTHSVC_AUDIT_API_H

#include "authsvc/http.h"

struct audit_route;

extern const struct audit_route audit_records;
extern const struct audit_route audit_counts;
extern const struct audit_route audit_rights;

/* The first step of a route whose `what` is one of those. */
http_step audit_api_start;

#endif
