/* One request to the token endpoint of an account service, and how it says no. */
#ifndef CLI_TOKEN_POST_H
#define CLI_TOKEN_POST_H

#include "base/buf.h"
#include <meshauth/err.h>

struct fetch;

/* Why the service said no: its own words, to be escaped when they are printed. */
struct token_refusal {
    long status; /* 0: no word came back, err tells */
    char error[64];
    char text[512];
    char request[64];
};

/* "NAME=VALUE" of the form, with '&' before it unless it is the first. */
void token_put_field(struct buf *form, const char *name, const char *value);

/* An identity ticket that is traded (RFC 8693 2.1). */
void token_put_exchange(struct buf *form, const char *credential);

/*
 * POST form to the service with this URL; f proves the key. answer is a buffer for
 * secrets; it holds JSON on MAUTH_OK.
 *
 * MAUTH_DENIED       refused, no tells why
 * MAUTH_UNAVAILABLE  the service failed or is busy (no->status), or is not there
 */
MAUTH_MUST_USE enum mauth_rc token_post(struct fetch *f, const char *url,
    const struct buf *form, struct buf *answer, struct token_refusal *no,
    struct mauth_err *err);

#endif
