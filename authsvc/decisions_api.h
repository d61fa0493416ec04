/*
 * POST /v1/audit/decisions: what a registered service hands back through its updater. Each
 * ticket that it has accepted is looked up in the audit log; one that was not issued here
 * raises an alarm, for somebody else then has a signing key. Decisions go on record, as
 * many as decisions_per_minute allows; the others are counted.
 */
#ifndef AUTHSVC_DECISIONS_API_H
#define AUTHSVC_DECISIONS_API_H

#include "authsvc/http.h"

/* The route's first step; its context is a struct service. */
http_step decisions_api_start;

#endif
