/*
 * Login by what an identity provider signed, in token exchange. An ID token here; an
 * assertion (authsvc/token_assertion.h) differs in how it is checked, and in nothing
 * else.
 */
#ifndef AUTHSVC_TOKEN_ID_TOKEN_H
#define AUTHSVC_TOKEN_ID_TOKEN_H

#include "authsvc/http.h"
#include "authsvc/provider.h"
#include "net/form.h"

/* As providers_check() and providers_fetch(). */
struct token_identity_kind {
    enum mauth_rc (*check)(struct providers *p, struct text token, int64_t now_s,
        struct provider_identity *out, const char **reason, bool *wait,
        struct mauth_err *err);
    void (*fetch)(
        struct providers *p, struct text token, void (*done)(void *arg), void *arg);
};

/* Both take the form over, and the exchange's state; kind is static. */
void token_identity_start(
    struct http_exchange *x, struct form *form, const struct token_identity_kind *kind);
void token_id_token_start(struct http_exchange *x, struct form *form);

#endif
