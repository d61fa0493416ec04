/*
 * POST /v1/admin/explain: would the rules in force let somebody do something, over the
 * graph as it is, and why not? For admins; each question is on record before its answer.
 */
#ifndef AUTHSVC_EXPLAIN_API_H
#define AUTHSVC_EXPLAIN_API_H

#include "authsvc/http.h"

void explain_api_start(struct http_exchange *x);

#endif
