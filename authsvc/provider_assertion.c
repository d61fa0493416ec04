/* Assertions: the SAML side of authsvc/provider.h. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/issue.h"
#include "authsvc/provider_parts.h"
#include "base/b64.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "saml/message.h"
#include "saml/metadata.h"

static const char *const reasons[] = {
    [SAML_FINE] = NULL, /* nothing is wrong with it: we failed */
    [SAML_FORM] = "saml-form",
    [SAML_ENCRYPTED] = "saml-encrypted",
    [SAML_UNSIGNED] = "saml-unsigned",
    [SAML_ALG] = "saml-alg",
    [SAML_SIGNATURE] = "saml-signature",
    [SAML_STATUS] = "saml-status",
    [SAML_ISSUER] = "saml-issuer",
    [SAML_SUBJECT] = "saml-subject",
    [SAML_CONFIRMATION] = "saml-confirmation",
    [SAML_RECIPIENT] = "saml-recipient",
    [SAML_SOLICITED] = "saml-solicited",
    [SAML_AUDIENCE] = "saml-audience",
    [SAML_CONDITION] = "saml-condition",
    [SAML_EXPIRED] = "saml-expired",
    [SAML_NOT_YET] = "saml-not-yet",
    [SAML_AGE] = "saml-age",
};

/* RFC 8693 3: the token is base64url of the XML. */
static enum mauth_rc
parse(struct text token, struct message **out, enum saml_refusal *why,
    struct mauth_err *err)
{
    size_t cap = b64_decoded_max(token.len), len;
    char *xml;
    enum mauth_rc rc;

    *out = NULL;
    *why = SAML_FORM;
    if (cap > MESSAGE_MAX)
        return mauth_fail(err, MAUTH_TOO_LARGE, "assertion: too long");
    xml = malloc(cap + 1);
    if (!xml) {
        *why = SAML_FINE;
        return mauth_fail(err, MAUTH_NO_MEMORY, "assertion: no memory");
    }
    if (b64_decode(B64_URL, token.p, token.len, xml, cap, &len))
        rc = message_parse((struct text){xml, len}, out, why, err);
    else
        rc = mauth_fail(err, MAUTH_MALFORMED, "assertion: not base64url");
    free(xml);
    return rc;
}

/* Which assertion of which provider it is, whatever signature it came with. */
static enum mauth_rc
hash_name(const struct config_provider *provider, const struct assertion *said,
    uint8_t out[HASH_LEN], struct mauth_err *err)
{
    const struct text pieces[] = {text_of("saml"), {"", 1}, text_of(provider->issuer),
        {"", 1}, text_of(said->id)};

    return hash_sha256(pieces, sizeof(pieces) / sizeof(*pieces), out, err);
}

static enum mauth_rc
fill(const struct config_provider *provider, const struct assertion *said,
    struct provider_identity *out, struct mauth_err *err)
{
    _Static_assert(sizeof(out->subject) == sizeof(said->subject), "the same bound");

    out->provider = provider;
    memcpy(out->subject, said->subject, sizeof(out->subject));
    providers_take_email(provider, said->email, out->email);
    out->once = true;
    out->issued_s = said->authn_s;
    out->too_old_s = said->too_old_s;
    out->session_ends_s = said->session_ends_s;
    return hash_name(provider, said, out->token_hash, err);
}

/* By the metadata in hand; *why is SAML_FINE when there are none that are good. */
static enum mauth_rc
verify(struct fresh *keys, struct message *m, const struct assertion_expect *want,
    struct assertion *out, enum saml_refusal *why, struct mauth_err *err)
{
    struct shared_ref *ref = fresh_take(keys);
    const struct mauth_key *const *key;
    enum mauth_rc rc;
    size_t count;

    *why = SAML_FINE;
    if (!ref)
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "provider: its metadata were not fetched yet");
    key = metadata_keys(shared_object(ref), &count);
    if (want->now_s >= metadata_valid_until_s(shared_object(ref)))
        rc = mauth_fail(
            err, MAUTH_UNAVAILABLE, "provider: its metadata are valid no more");
    else
        rc = message_verify(m, key, count, want, out, why, err);
    shared_drop(ref);
    return rc;
}

/* *wait when newer metadata might bring the right key. */
static enum mauth_rc
check(struct providers *p, size_t i, struct message *m, int64_t now_s,
    struct provider_identity *out, const char **reason, bool *wait,
    struct mauth_err *err)
{
    const struct config_provider *provider = &p->config->provider[i];
    char recipient[ISSUE_URL_MAX];
    const struct assertion_expect want = {
        .provider = provider->issuer,
        .audience = p->config->issuer.url,
        .recipient = recipient,
        .now_s = now_s,
        .max_age_s = provider->max_age_s,
    };
    enum saml_refusal why;
    struct assertion said;
    enum mauth_rc rc;

    snprintf(recipient, sizeof(recipient), "%s/v1/token", p->config->issuer.url);
    rc = verify(p->keys[i], m, &want, &said, &why, err);
    if (rc == MAUTH_OK)
        return fill(provider, &said, out, err);
    *reason = rc == MAUTH_UNAVAILABLE ? "provider-down" : reasons[why];
    if (rc == MAUTH_UNAVAILABLE || why == SAML_SIGNATURE)
        *wait = fresh_may_fetch(p->keys[i]);
    return rc;
}

enum mauth_rc
providers_check_assertion(struct providers *p, struct text token, int64_t now_s,
    struct provider_identity *out, const char **reason, bool *wait,
    struct mauth_err *err)
{
    enum saml_refusal why = SAML_FINE;
    struct message *m = NULL;
    enum mauth_rc rc;
    size_t i;

    memset(out, 0, sizeof(*out));
    *reason = NULL;
    *wait = false;
    rc = parse(token, &m, &why, err);
    if (rc) {
        *reason = reasons[why];
        return rc;
    }
    i = providers_find(p, true, message_untrusted_issuer(m));
    if (i < p->config->providers) {
        rc = check(p, i, m, now_s, out, reason, wait, err);
    } else {
        *reason = "saml-issuer";
        rc = mauth_fail(err, MAUTH_UNTRUSTED, "providers: an issuer we do not know");
    }
    if (rc)
        memset(out, 0, sizeof(*out)); /* nobody is vouched for */
    message_free(m);
    return rc;
}

void
providers_fetch_assertion(
    struct providers *p, struct text token, void (*done)(void *arg), void *arg)
{
    size_t i = p->config->providers;
    struct message *m = NULL;
    enum saml_refusal why;

    if (parse(token, &m, &why, NULL) == MAUTH_OK)
        i = providers_find(p, true, message_untrusted_issuer(m));
    message_free(m);
    if (i < p->config->providers)
        fresh_fetch(p->keys[i], done, arg);
    else
        done(arg);
}
