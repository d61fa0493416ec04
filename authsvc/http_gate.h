/*
 * What a request must look like before any route sees it (RFC 9110, 9112). The
 * library below lets shapes pass that two parsers could read differently; here
 * they are refused. Pure: no connection, no allocation.
 *
 * Two shapes cannot be seen from here: line ends of a bare LF, and what follows
 * a NUL in a header. They matter only to a proxy that shares its connections to
 * us between clients, which docs/configuration.md warns of.
 */
#ifndef AUTHSVC_HTTP_GATE_H
#define AUTHSVC_HTTP_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include <meshauth/err.h>

enum {
    HTTP_GATE_SINGLES = 9
};

struct http_gate {
    const char *flaw; /* the first, static, or NULL */
    unsigned seen[HTTP_GATE_SINGLES];
    bool has_length, has_coding;
    uint64_t length;
};

void http_gate_init(struct http_gate *g);

/* One header line after the other. */
void http_gate_header(struct http_gate *g, struct text name, struct text value);

/*
 * Then the request line; target as it came, not decoded. NULL when all is well,
 * else a static name: "version", "target", "header-name", "header-value",
 * "header-repeated", "host", "length", "coding", "body".
 */
const char *http_gate_verdict(
    struct http_gate *g, const char *method, const char *version, const char *target);

/*
 * Is path of the route's form? That is equal to it, but with one segment that is not
 * empty for each "{id}". What stands for the n-th of them is *id.
 */
MAUTH_MUST_USE bool http_path_matches(
    const char *route, const char *path, size_t n, struct text *id);
MAUTH_MUST_USE bool http_path_is(const char *route, const char *path);

/*
 * "TYPE/SUBTYPE", with nothing behind it but a charset parameter that says
 * UTF-8; case does not matter.
 */
bool http_media_type_is(const char *value, const char *type);

#endif
