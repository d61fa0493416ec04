/* What a login or an exchange is answered with (RFC 8693 2.2.1, and our `mesh` and `tickets`). */
#ifndef AUTHSVC_TOKEN_ANSWER_H
#define AUTHSVC_TOKEN_ANSWER_H

#include <stdbool.h>

#include "authsvc/issue.h"
#include "base/buf.h"
#include <meshauth/err.h>

#define TOKEN_TYPE_SAML2 "urn:ietf:params:oauth:token-type:saml2"

/* A ticket, of one of its audiences and nodes. */
struct token_line {
    const struct issued *ticket;
    const char *audience;
    const char *resource; /* NULL: none */
    const struct text *action;
    uint64_t actions; /* bit i: action[i] */
};

struct token_answer {
    const struct token_line *line; /* the first's is the access token as well */
    size_t lines;
    const struct text *action; /* when less was granted than was asked for: ... */
    uint64_t scope;            /* ... what was, as above; else 0 */
    const char *mesh;          /* URL of the mesh root, or NULL */
    bool by_dpop;              /* they are to be shown with DPoP proofs */
};

/* "tickets":[...] as JSON, appended. */
MAUTH_MUST_USE enum mauth_rc token_lines_write(
    struct buf *b, const struct token_line *line, size_t lines, struct mauth_err *err);

/* Append the answer as JSON. */
MAUTH_MUST_USE enum mauth_rc token_answer_write(
    struct buf *b, const struct token_answer *a, struct mauth_err *err);

#endif
