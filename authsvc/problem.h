/*
 * Refusals of everything but the token endpoint: problem documents (RFC 9457), all
 * from one table, with the challenge of RFC 9110 11.6.1 where a ticket would help.
 */
#ifndef AUTHSVC_PROBLEM_H
#define AUTHSVC_PROBLEM_H

#include "authsvc/http.h"
#include <meshauth/err.h>

struct problem {
    const char
        *reason; /* our name, static; also the log's and, in `type`, the client's */
    int status;  /* HTTP */
    const char *error; /* of RFC 6750 3.1 or RFC 9449 7.1, in the challenge, or NULL */
    const char *title; /* a fixed sentence */
};

/* The problem of this name; an unknown name is an internal error. */
const struct problem *problem_named(const char *reason);

/*
 * Answer with it; detail is a sentence about this request, or NULL. With 401 and 403
 * comes a challenge; nonce is for the DPoP-Nonce header of a problem that asks for one,
 * else NULL.
 */
void problem_answer(
    struct http_exchange *x, const char *reason, const char *detail, const char *nonce);

/* Something of ours failed: the story goes to the log, a fixed sentence out. */
void problem_fail(struct http_exchange *x, const struct mauth_err *err);

#endif
