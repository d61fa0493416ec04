/*
 * GET /v1/audit/checkpoint, GET /v1/audit/proof and GET /v1/audit/tile/...: what witnesses
 * of the audit log ask for, services and auditors: the log's tree head, signed, proofs that
 * it holds a record, or that it only grew, and the tree itself.
 */
#ifndef AUTHSVC_AUDIT_TREE_API_H
#define AUTHSVC_AUDIT_TREE_API_H

#include "authsvc/http.h"

struct audit_tree_route;

extern const struct audit_tree_route audit_tree_checkpoint;
extern const struct audit_tree_route audit_tree_proof;
extern const struct audit_tree_route audit_tree_tile;

/* The first step of a route whose `what` is one of those. */
http_step audit_tree_api_start;

#endif
