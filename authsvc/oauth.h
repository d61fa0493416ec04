/* Answers of the token endpoint (RFC 6749 5, RFC 8693 2.2). */
#ifndef AUTHSVC_OAUTH_H
#define AUTHSVC_OAUTH_H

#include "authsvc/http.h"
#include "base/buf.h"

/* Why a token request is refused: its name on record, and what the client hears. */
struct oauth_refusal {
    const char *reason;      /* our name, static; also the log's */
    int status;              /* HTTP */
    const char *error;       /* RFC 6749 5.2, RFC 8693 2.2.2 */
    const char *description; /* a fixed sentence */
};

/* The refusal of this name; an unknown name is an internal error. */
const struct oauth_refusal *oauth_refusal_named(const char *reason);

/* invalid_client is 401, with a challenge, for a request with an Authorization header. */
void oauth_answer_refusal(struct http_exchange *x, const struct oauth_refusal *r);
/* The same, with further sentences about this request (of RFC 6749's characters). */
void oauth_answer_refusal_because(
    struct http_exchange *x, const struct oauth_refusal *r, const char *why);
/* The same with extra headers, as in http_answer(). */
void oauth_answer_refusal_with(
    struct http_exchange *x, const struct oauth_refusal *r, const char *const *headers);

/* Answers 200 with this JSON; 500 when writing it failed. */
void oauth_answer(struct http_exchange *x, const struct buf *json);

#endif
