/*
 * Conditional requests (RFC 9110 13): a node's ETag is its version in quotes.
 */
#ifndef AUTHSVC_PRECONDITION_H
#define AUTHSVC_PRECONDITION_H

#include <stdbool.h>
#include <stdint.h>

/* If-Match: "*" or a list of entity tags; is the version among them? A weak one never is. */
bool precondition_matches(const char *if_match, uint64_t version);

/* If-None-Match, for a GET: weak comparison, so W/"3" is version 3 as well. */
bool precondition_none_match(const char *if_none_match, uint64_t version);

/* The same of what has no version but a tag, quotes and all, without a comma. */
bool precondition_none_match_tag(const char *if_none_match, const char *tag);

/* If-None-Match: *, and nothing else. */
bool precondition_is_fresh(const char *if_none_match);

#endif
