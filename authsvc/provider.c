#include "authsvc/provider.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "authsvc/claims.h"
#include "authsvc/provider_keys.h"
#include "authsvc/provider_metadata.h"
#include "authsvc/provider_parts.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/hash.h"
#include "jose/jws.h"

enum {
    AUTHORITIES_MAX = 4 << 20 /* bytes of PEM */
};

static const char *const reasons[] = {
    [JWS_FINE] = NULL, /* nothing is wrong with the token: we failed */
    [JWS_FORM] = "token-form",
    [JWS_ALG] = "token-alg",
    [JWS_HEADER] = "token-header",
    [JWS_KEY] = "token-key",
    [JWS_SIGNATURE] = "token-signature",
};

/* Whose it is, where something is wrong with a file of his. */
static enum mauth_rc
fail_named(const struct config_provider *config, enum mauth_rc rc,
    const struct mauth_err *why, struct mauth_err *err)
{
    if (rc == MAUTH_OK)
        return rc;
    return mauth_fail(err, rc, "provider \"%s\": %s", config->name, why->text);
}

static enum mauth_rc
open_keys(
    const struct config_provider *config, struct fresh **out, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    enum mauth_rc rc = config_is_saml(config)
                           ? provider_metadata_open(config, out, &why)
                           : provider_keys_open(config, out, &why);

    return fail_named(config, rc, &why, err);
}

enum mauth_rc
providers_check_files(const struct config_provider *config, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    enum mauth_rc rc = config_is_saml(config) ? provider_metadata_check(config, &why)
                                              : provider_keys_check(config, &why);
    struct buf authorities;

    buf_init(&authorities);
    if (rc == MAUTH_OK && config->ca_file)
        rc = file_read(config->ca_file, AUTHORITIES_MAX, &authorities, &why);
    buf_clear(&authorities);
    return fail_named(config, rc, &why, err);
}

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
        rc = open_keys(&config->provider[i], &p->keys[i], err);
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
        fresh_stop(p->keys[i]);
    for (size_t i = 0; i < p->config->providers; i++)
        fresh_close(p->keys[i]);
    free(p);
}

size_t
providers_find(const struct providers *p, bool saml, const char *issuer)
{
    for (size_t i = 0; issuer && i < p->config->providers; i++)
        if (config_is_saml(&p->config->provider[i]) == saml &&
            strcmp(p->config->provider[i].issuer, issuer) == 0)
            return i;
    return p->config->providers;
}

bool
providers_have_saml(const struct providers *p)
{
    for (size_t i = 0; i < p->config->providers; i++)
        if (config_is_saml(&p->config->provider[i]))
            return true;
    return false;
}

void
providers_take_email(const struct config_provider *p, const char *email,
    char out[PROVIDER_EMAIL_MAX + 1])
{
    const char *at = email ? strrchr(email, '@') : NULL;

    out[0] = '\0';
    if (!at || strlen(email) > PROVIDER_EMAIL_MAX)
        return;
    for (size_t i = 0; i < p->email_domains; i++)
        if (strcasecmp(p->email_domain[i], at + 1) == 0)
            memcpy(out, email, strlen(email) + 1);
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
verify(struct fresh *keys, struct jws *j, const json_t **claims, const char **reason,
    bool *wait, struct mauth_err *err)
{
    enum jws_refusal why;
    enum mauth_rc rc = provider_keys_verify(keys, j, claims, &why, err);

    if (rc == MAUTH_OK)
        return rc;
    *reason = rc == MAUTH_UNAVAILABLE ? "provider-down" : reasons[why];
    if (rc == MAUTH_UNAVAILABLE || why == JWS_KEY)
        *wait = fresh_may_fetch(keys);
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
    i = providers_find(p, false, jws_untrusted_issuer(j));
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
        i = providers_find(p, false, jws_untrusted_issuer(j));
    jws_free(j);
    if (i < p->config->providers)
        fresh_fetch(p->keys[i], done, arg);
    else
        done(arg);
}
