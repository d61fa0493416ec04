#include "authsvc/provider.h"

#include <stdlib.h>
#include <string.h>

#include "authsvc/claims.h"
#include "authsvc/provider_keys.h"
#include "base/fail.h"
#include "base/hash.h"
#include "jose/jws.h"

struct providers {
    const struct config *config;
    struct provider_keys *keys[CONFIG_PROVIDERS]; /* as config->provider */
};

static const char *const reasons[] = {
    [JWS_FINE] = NULL, /* nothing is wrong with the token: we failed */
    [JWS_FORM] = "token-form",
    [JWS_ALG] = "token-alg",
    [JWS_HEADER] = "token-header",
    [JWS_KEY] = "token-key",
    [JWS_SIGNATURE] = "token-signature",
};

enum mauth_rc
providers_open(
    const struct config *config, struct providers **out, struct mauth_err *err)
{
    struct providers *p = calloc(1, sizeof(*p));
    enum mauth_rc rc = MAUTH_OK;

    *out = NULL;
    if (!p)
        return mauth_fail(err, MAUTH_NO_MEMORY, "providers: no memory");
    p->config = config;
    for (size_t i = 0; i < config->providers && rc == MAUTH_OK; i++)
        rc = provider_keys_open(&config->provider[i], &p->keys[i], err);
    if (rc) {
        providers_close(p);
        return rc;
    }
    *out = p;
    return MAUTH_OK;
}

void
providers_close(struct providers *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->config->providers; i++)
        provider_keys_stop(p->keys[i]);
    for (size_t i = 0; i < p->config->providers; i++)
        provider_keys_close(p->keys[i]);
    free(p);
}

/* Whose token it claims to be; p->config->providers when nobody's. */
static size_t
find(const struct providers *p, const struct jws *j)
{
    const char *issuer = jws_untrusted_issuer(j);
    size_t i;

    for (i = 0; issuer && i < p->config->providers; i++)
        if (strcmp(p->config->provider[i].issuer, issuer) == 0)
            return i;
    return p->config->providers;
}

/*
 * Over header and claims only: ECDSA signatures can be changed into others that
 * verify as well, and it would still be the same token.
 */
static enum mauth_rc
hash_signed_part(struct text token, uint8_t out[HASH_LEN], struct mauth_err *err)
{
    const char *dot = memrchr(token.p, '.', token.len);

    if (!dot)
        return mauth_fail(err, MAUTH_INTERNAL, "providers: a token of one part");
    return hash_bytes(token.p, (size_t)(dot - token.p), out, err);
}

/* The signature, by the keys in hand; *wait when a fetch might bring the right one. */
static enum mauth_rc
verify(struct provider_keys *keys, struct jws *j, const json_t **claims,
    const char **reason, bool *wait, struct mauth_err *err)
{
    enum jws_refusal why;
    enum mauth_rc rc = provider_keys_verify(keys, j, claims, &why, err);

    if (rc == MAUTH_OK)
        return rc;
    *reason = rc == MAUTH_UNAVAILABLE ? "provider-down" : reasons[why];
    if (rc == MAUTH_UNAVAILABLE || why == JWS_KEY)
        *wait = provider_keys_may_fetch(keys);
    return rc;
}

enum mauth_rc
providers_check(struct providers *p, struct text token, int64_t now_s,
    struct provider_identity *out, const char **reason, bool *wait,
    struct mauth_err *err)
{
    enum jws_refusal why = JWS_FINE;
    const json_t *claims = NULL;
    struct jws *j = NULL;
    enum mauth_rc rc;
    size_t i;

    memset(out, 0, sizeof(*out));
    *reason = NULL;
    *wait = false;
    rc = jws_parse(token, &j, &why, err);
    if (rc) {
        *reason = reasons[why];
        goto out;
    }
    i = find(p, j);
    if (i == p->config->providers) {
        *reason = "token-issuer";
        rc = mauth_fail(err, MAUTH_UNTRUSTED, "providers: an issuer we do not know");
        goto out;
    }
    rc = verify(p->keys[i], j, &claims, reason, wait, err);
    if (rc == MAUTH_OK)
        rc = claims_check(claims, &p->config->provider[i], now_s, out, reason, err);
    if (rc == MAUTH_OK)
        rc = hash_signed_part(token, out->token_hash, err);
    if (rc == MAUTH_OK)
        out->provider = &p->config->provider[i];
out:
    if (rc)
        memset(out, 0, sizeof(*out)); /* nobody is vouched for */
    jws_free(j);
    return rc;
}

void
providers_fetch(
    struct providers *p, struct text token, void (*done)(void *arg), void *arg)
{
    enum jws_refusal why;
    struct jws *j = NULL;
    size_t i = p->config->providers;

    if (jws_parse(token, &j, &why, NULL) == MAUTH_OK)
        i = find(p, j);
    jws_free(j);
    if (i < p->config->providers)
        provider_keys_fetch(p->keys[i], done, arg);
    else
        done(arg);
}
