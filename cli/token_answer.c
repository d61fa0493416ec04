#include "cli/token_answer.h"

#include <string.h>

#include <jansson.h>

#include "base/fail.h"
#include "base/str.h"
#include "cli/oauth_error.h"
#include "jose/jws.h"

static bool
is_text(const json_t *v, const char *want)
{
    const char *s = json_string_value(v);

    return s && strcmp(s, want) == 0;
}

/* "aud" is one name, or several. */
static bool
is_for(const json_t *aud, const char *client_id)
{
    for (size_t i = 0; i < json_array_size(aud); i++)
        if (is_text(json_array_get(aud, i), client_id))
            return true;
    return is_text(aud, client_id);
}

static enum mauth_rc
check_claims(const json_t *claims, const struct token_want *want, struct mauth_err *err)
{
    if (!is_text(json_object_get(claims, "iss"), want->issuer))
        return mauth_fail(
            err, MAUTH_UNTRUSTED, "the provider's ID token names another issuer");
    if (!is_for(json_object_get(claims, "aud"), want->client_id))
        return mauth_fail(
            err, MAUTH_UNTRUSTED, "the provider's ID token is for another client");
    if (want->nonce && !is_text(json_object_get(claims, "nonce"), want->nonce))
        return mauth_fail(err, MAUTH_UNTRUSTED,
            "the provider's ID token is not the answer to this login (its nonce is "
            "another)");
    return MAUTH_OK;
}

static enum mauth_rc
check_token(const char *token, const struct token_want *want, struct mauth_err *err)
{
    enum jws_refusal why;
    struct jws *j = NULL;
    enum mauth_rc rc = jws_parse(text_of(token), &j, &why, NULL);

    if (rc == MAUTH_OK)
        rc = check_claims(jws_untrusted_claims(j), want, err);
    else if (why == JWS_ALG)
        rc = mauth_fail(err, MAUTH_DENIED,
            "the provider signs its ID tokens with neither ES256 nor RS256, which are "
            "what the service takes");
    else
        rc = mauth_fail(err, rc, "what the provider calls an ID token is none");
    jws_free(j);
    return rc;
}

static enum mauth_rc
read_answer(long status, const json_t *o, const struct token_want *want,
    struct buf *id_token, struct mauth_err *err)
{
    const char *token = json_string_value(json_object_get(o, "id_token"));
    enum mauth_rc rc =
        oauth_error_check(status, o, "the provider's token endpoint", err);

    if (rc != MAUTH_OK)
        return rc;
    if (!json_is_object(o))
        return mauth_fail(
            err, MAUTH_MALFORMED, "the provider's token endpoint sent no JSON object");
    if (!token)
        return mauth_fail(err, MAUTH_MALFORMED,
            "the provider gave no ID token; is it asked for the scope openid?");
    rc = check_token(token, want, err);
    if (rc)
        return rc;
    buf_str(id_token, token);
    return buf_ok(id_token) ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
}

enum mauth_rc
token_answer_read(long status, struct text json, const struct token_want *want,
    struct buf *id_token, struct mauth_err *err)
{
    enum mauth_rc rc;
    json_t *o;

    if (json.len > TOKEN_ANSWER_MAX)
        return mauth_fail(
            err, MAUTH_TOO_LARGE, "the provider answered with %zu bytes", json.len);
    o = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, NULL);
    rc = read_answer(status, o, want, id_token, err);
    json_decref(o);
    return rc;
}
