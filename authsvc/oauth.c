#include "authsvc/oauth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

enum {
    SCHEME_MAX = 16,
    CHALLENGE_MAX = 96,
    WHY_MAX = 1024
};

static const struct oauth_refusal refusals[] = {
    /* Of the request. */
    {"form", 400, "invalid_request", "The body is not a well-formed form."},
    {"repeated", 400, "invalid_request",
        "Only 'resource' and 'audience' may occur more than once."},
    {"grant-type", 400, "unsupported_grant_type",
        "Use urn:ietf:params:oauth:grant-type:token-exchange or client_credentials."},
    {"grant-type-missing", 400, "invalid_request", "'grant_type' is missing."},
    {"subject-token-missing", 400, "invalid_request",
        "'subject_token' or 'subject_token_type' is missing."},
    {"subject-token-type", 400, "invalid_request",
        "'subject_token_type' must be urn:ietf:params:oauth:token-type:id_token or "
        "urn:ietf:params:oauth:token-type:saml2."},
    {"requested-token-type", 400, "invalid_request",
        "'requested_token_type' must be urn:ietf:params:oauth:token-type:saml2."},
    {"actor-token", 400, "invalid_request", "'actor_token' is not supported."},
    {"client-id", 400, "invalid_request", "'client_id' is missing."},
    {"assertion-type", 400, "invalid_request",
        "'client_assertion_type' must be "
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer, with a "
        "'client_assertion'."},
    {"target", 400, "invalid_target",
        "A login takes neither 'audience' nor 'resource'."},
    {"scope", 400, "invalid_scope", "A login takes no 'scope'."},
    {"no-proof", 400, "invalid_request",
        "Prove the device's key with a TLS client certificate or a DPoP proof."},
    {"dpop-proof", 400, "invalid_dpop_proof",
        "The DPoP proof is malformed, used before, or made for another request."},
    {"dpop-nonce", 400, "use_dpop_nonce",
        "Make a new DPoP proof with the nonce in the DPoP-Nonce header."},
    {"two-keys", 400, "invalid_request",
        "The TLS client certificate and the DPoP proof prove different keys."},
    {"key-kind", 400, "invalid_request",
        "The device's key must be P-256, or RSA of 2048 to 4096 bits."},

    /* Of the identity token. */
    {"token-form", 400, "invalid_request",
        "The subject token is not a signed JSON Web Token."},
    {"token-issuer", 400, "invalid_request",
        "The subject token is of no identity provider known here."},
    {"token-alg", 400, "invalid_request",
        "The subject token must be signed with RS256 or ES256, as its key says."},
    {"token-header", 400, "invalid_request",
        "The subject token's header holds what is not allowed."},
    {"token-key", 400, "invalid_request",
        "The subject token names a key that its provider does not publish."},
    {"token-signature", 400, "invalid_request",
        "The subject token's signature does not verify."},
    {"token-audience", 400, "invalid_request",
        "The subject token is for another client."},
    {"token-party", 400, "invalid_request",
        "The subject token was given to another client."},
    {"token-expired", 400, "invalid_request", "The subject token has expired."},
    {"token-not-yet", 400, "invalid_request", "The subject token is not yet valid."},
    {"token-nonce", 400, "invalid_request",
        "The ID token's nonce is not bound to the key that is proven; log in with a "
        "browser on the device itself."},
    {"token-age", 400, "invalid_request", "The subject token is too old."},
    {"token-claims", 400, "invalid_request",
        "The subject token lacks a claim, or one is not of its form."},
    {"token-other-key", 400, "invalid_request",
        "The subject token was already used with another device's key."},

    /* Of a SAML assertion. */
    {"saml-form", 400, "invalid_request",
        "The subject token is not base64url of one SAML 2.0 assertion, bare or in a "
        "Response, whose signatures stand behind its Issuer."},
    {"saml-encrypted", 400, "invalid_request",
        "The assertion is encrypted; have the provider send it signed only."},
    {"saml-unsigned", 400, "invalid_request",
        "Neither the assertion nor the Response is signed."},
    {"saml-alg", 400, "invalid_request",
        "The assertion must be signed with RSA or ECDSA and SHA-256, enveloped, in "
        "exclusive canonical form."},
    {"saml-signature", 400, "invalid_request",
        "The assertion's signature does not verify with a key of its provider."},
    {"saml-status", 400, "invalid_request",
        "The Response says that the login failed, or holds no assertion."},
    {"saml-issuer", 400, "invalid_request",
        "The assertion is of no SAML provider known here."},
    {"saml-subject", 400, "invalid_request",
        "The assertion must name its subject by one NameID that lasts, a persistent "
        "one "
        "for instance."},
    {"saml-confirmation", 400, "invalid_request",
        "The assertion needs one bearer confirmation, with Recipient and NotOnOrAfter "
        "and without NotBefore."},
    {"saml-recipient", 400, "invalid_request",
        "The assertion's Recipient, and Destination, must be this endpoint's URL."},
    {"saml-solicited", 400, "invalid_request",
        "The assertion answers a request (InResponseTo); log in at the provider "
        "unasked."},
    {"saml-audience", 400, "invalid_request",
        "The assertion's audience must be this service, by its issuer's URL."},
    {"saml-condition", 400, "invalid_request",
        "The assertion holds under a condition that is not known here."},
    {"saml-expired", 400, "invalid_request", "The assertion has expired."},
    {"saml-not-yet", 400, "invalid_request", "The assertion is not yet valid."},
    {"saml-age", 400, "invalid_request", "The assertion is too old."},
    {"saml-used", 400, "invalid_request", "The assertion was used before."},

    /* Of whom it names. */
    {"user-unknown", 400, "invalid_request",
        "There is no account for this identity, and none is made by logging in."},
    {"user-closed", 400, "invalid_request", "The account of this identity is closed."},

    /* Of a service that logs in (RFC 7523 3). */
    {"client-unknown", 401, "invalid_client",
        "There is no such service, or none with a key."},
    {"client-proof", 401, "invalid_client",
        "Prove the registered key with a 'client_assertion' or as TLS client "
        "certificate."},
    {"assertion-form", 401, "invalid_client",
        "The client assertion is not a JSON Web Token that is signed as the registered "
        "key says, ES256 or RS256."},
    {"assertion-signature", 401, "invalid_client",
        "The client assertion's signature does not verify with the registered key."},
    {"assertion-claims", 401, "invalid_client",
        "The client assertion lacks a claim, or one is not of its form."},
    {"assertion-subject", 401, "invalid_client",
        "The client assertion's 'iss' and 'sub' must be the client_id."},
    {"assertion-audience", 401, "invalid_client",
        "The client assertion's 'aud' must be the issuer's URL alone."},
    {"assertion-expired", 401, "invalid_client", "The client assertion has expired."},
    {"assertion-lifetime", 401, "invalid_client",
        "The client assertion is valid for more than five minutes."},
    {"assertion-not-yet", 401, "invalid_client",
        "The client assertion is not yet valid."},
    {"assertion-used", 401, "invalid_client", "The client assertion was used before."},

    /* Of our ticket as subject token. */
    {"ticket-form", 400, "invalid_request",
        "The subject token is neither one ticket, plain or deflated, nor an assertion "
        "of a "
        "SAML provider that is known here."},
    {"ticket-issuer", 400, "invalid_request",
        "The subject token is a ticket of another issuer."},
    {"ticket-kind", 400, "invalid_request",
        "The subject token must be an identity ticket."},
    {"ticket-key", 400, "invalid_request",
        "The subject token is bound to another key than the one that is proven, or to "
        "none."},
    {"ticket-signature", 400, "invalid_request",
        "The subject token's signature does not verify with a key of now; renew it."},
    {"ticket-expired", 400, "invalid_request",
        "The subject token has expired; renew it."},
    {"ticket-not-yet", 400, "invalid_request", "The subject token is not yet valid."},
    {"ticket-revoked", 400, "invalid_request",
        "The subject token was revoked; renew it, or log in."},
    {"session", 400, "invalid_request",
        "The session of the subject token is over; log in."},
    {"renewal-scope", 400, "invalid_scope",
        "A renewal takes no 'scope'; name an 'audience' or a 'resource'."},

    /* Of rights that are asked for. */
    {"audience", 400, "invalid_target",
        "An 'audience' is urn:meshauth:service:NAME of a registered service, or, for "
        "'sync', urn:meshauth:device:DEVICE of the device that 'resource' names."},
    {"audience-missing", 400, "invalid_target",
        "A node's URL as 'resource' needs an 'audience'."},
    {"resource", 400, "invalid_target",
        "A 'resource' is the URL of a user, device or folder, or lies in a folder "
        "below a service's prefix."},
    {"place", 400, "invalid_target",
        "No service is registered at that place, and it is no node of this mesh."},
    {"resource-unknown", 400, "invalid_target", "There is no such 'resource'."},
    {"actions", 400, "invalid_scope",
        "'scope' is a list of actions with one space between them."},
    {"sync-scope", 400, "invalid_scope", "'sync' is asked for alone."},
    {"sync-target", 400, "invalid_target",
        "'sync' takes one device's URL as 'resource', and 1 to 4 of 'audience'."},
    {"not-granted", 400, "invalid_scope",
        "None of these actions is granted on these resources for these audiences."},
    {"too-much", 400, "invalid_request",
        "That is more than tickets may hold, or one request may ask for; ask for less "
        "at a time."},
    {"too-fast", 429, "temporarily_unavailable",
        "Too many logins or tickets in a short time; wait and try again."},

    /* Of a ticket that is revoked, or asked about. */
    {"ticket-missing", 400, "invalid_request", "'token' is missing."},
    {"ticket-repeated", 400, "invalid_request", "Nothing may occur more than once."},
    {"ticket-set", 400, "invalid_request",
        "'token' is one ticket; send several one by one."},
    {"revoke-foreign", 400, "unauthorized_client",
        "Only its holder, who proves its key, may revoke a ticket, and whom the rules "
        "let."},

    /* Of our own. */
    {"provider-down", 503, "temporarily_unavailable",
        "The identity provider's keys cannot be fetched; try again later."},
    {"unavailable", 503, "temporarily_unavailable",
        "The service cannot answer now; try again later."},
    {"internal", 500, "server_error", "The service failed; it is on its log."},
};

const struct oauth_refusal *
oauth_refusal_named(const char *reason)
{
    size_t i = 0;

    while (i + 1 < sizeof(refusals) / sizeof(*refusals) &&
           strcmp(refusals[i].reason, reason) != 0)
        i++;
    return &refusals[i];
}

static void
answer_json(
    struct http_exchange *x, int status, json_t *object, const char *const *headers)
{
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

    if (text) {
        struct text body = {text, strlen(text)};

        http_answer(x, status, "application/json", body, headers);
    } else {
        http_answer_problem(x, 500, "internal", "Internal error", NULL);
    }
    free(text);
    json_decref(object);
}

/*
 * Who has tried a scheme of HTTP's own authentication, which we have none of, is told so
 * by a challenge of that scheme (RFC 6749 5.2). All others prove themselves in the body
 * or by TLS: there is nothing to challenge them to, and stock clients that see one do
 * not read the error.
 */
static bool
is_challenged(struct http_exchange *x, const struct oauth_refusal *r,
    char challenge[CHALLENGE_MAX])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *tried = http_header(x, "Authorization");
    size_t len = tried ? strspn(tried, letters) : 0;

    if (!tried || strcmp(r->error, "invalid_client") != 0)
        return false;
    if (len == 0 || len > SCHEME_MAX || (tried[len] && tried[len] != ' ')) {
        tried = "Bearer";
        len = strlen(tried);
    }
    snprintf(challenge, CHALLENGE_MAX,
        "WWW-Authenticate: %.*s realm=\"meshauth\", error=\"invalid_client\"", (int)len,
        tried);
    return true;
}

void
oauth_answer_refusal(struct http_exchange *x, const struct oauth_refusal *r)
{
    static const char *const later[] = {"Retry-After: 5", NULL};
    char challenge[CHALLENGE_MAX];
    const char *challenged[] = {challenge, NULL};

    if (is_challenged(x, r, challenge)) {
        oauth_answer_refusal_with(x, r, challenged);
        return;
    }
    oauth_answer_refusal_with(
        x, r, r->status == 503 || r->status == 429 ? later : NULL);
}

void
oauth_answer_refusal_because(
    struct http_exchange *x, const struct oauth_refusal *r, const char *why)
{
    struct oauth_refusal said = *r;
    char description[WHY_MAX];

    if (*why) {
        snprintf(description, sizeof(description), "%s %s", r->description, why);
        said.description = description;
    }
    oauth_answer_refusal(x, &said);
}

void
oauth_answer_refusal_with(
    struct http_exchange *x, const struct oauth_refusal *r, const char *const *headers)
{
    http_set_reason(x, r->reason);
    answer_json(x, r->status,
        json_pack("{s:s, s:s, s:s}", "error", r->error, "error_description",
            r->description, "request_id", http_request_id(x)),
        headers);
}

void
oauth_answer(struct http_exchange *x, const struct buf *json)
{
    struct text body = buf_slice(json);

    if (buf_ok(json))
        http_answer(x, 200, "application/json", body, NULL);
    else
        http_answer_problem(x, 500, "internal", "Internal error", NULL);
}
