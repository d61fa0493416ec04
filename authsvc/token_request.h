/* What every grant of the token endpoint shares: its form, its proof, its ways out. */
#ifndef AUTHSVC_TOKEN_REQUEST_H
#define AUTHSVC_TOKEN_REQUEST_H

#include "authsvc/http.h"
#include "authsvc/proof.h"
#include "authsvc/token_answer.h"
#include "base/id.h"
#include "net/form.h"

/* Which key the request proves, if any; a refusal's name, or NULL. */
const char *token_take_proof(
    struct http_exchange *x, struct proof *out, struct mauth_err *err);

/* May this principal, who has proven who that is, log in once more? */
MAUTH_MUST_USE bool token_in_pace(
    const struct http_exchange *x, const struct id *principal);

/* A refusal of somebody we do not know: counted, not recorded one by one. */
void token_refuse(struct http_exchange *x, const char *reason);

/* Something of ours failed: the story goes to the log, a fixed sentence out. */
void token_fail(struct http_exchange *x, const struct mauth_err *err);

void token_answer(struct http_exchange *x, const struct token_answer *a);

/* A login asks for nothing by name; a refusal, or NULL. */
const char *token_check_login(const struct form *f);

#endif
