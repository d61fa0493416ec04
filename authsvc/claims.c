#include "authsvc/claims.h"

#include <inttypes.h>
#include <string.h>

#include "base/fail.h"
#include "base/time.h"

static bool
is_accepted(const struct config_provider *p, const char *client_id)
{
    for (size_t i = 0; i < p->client_ids; i++)
        if (strcmp(p->client_id[i], client_id) == 0)
            return true;
    return false;
}

/*
 * Providers sign other tokens for the same client, with the same key, and some say
 * in the claims only what they are: logout tokens by their "events" (Back-Channel
 * Logout 2.4), access tokens of some by a type of their own. None is a login (RFC
 * 8725 3.11).
 */
static enum mauth_rc
check_kind(const json_t *claims, const char **reason, struct mauth_err *err)
{
    static const struct {
        const char *claim, *id_token; /* NULL: an ID token does not have it */
    } kinds[] = {{"events", NULL}, {"typ", "ID"}, {"token_use", "id"}};

    *reason = "token-claims";
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        const json_t *kind = json_object_get(claims, kinds[i].claim);
        const char *text = json_string_value(kind);

        if (kind &&
            (!text || !kinds[i].id_token || strcmp(text, kinds[i].id_token) != 0))
            return mauth_fail(err, MAUTH_MALFORMED,
                "claims: by \"%s\" this is no ID token", kinds[i].claim);
    }
    *reason = NULL;
    return MAUTH_OK;
}

/* "sub": 1 to 255 ASCII characters. */
static enum mauth_rc
take_subject(const json_t *claims, char out[PROVIDER_SUBJECT_MAX + 1],
    const char **reason, struct mauth_err *err)
{
    const json_t *sub = json_object_get(claims, "sub");
    size_t len = json_string_length(sub);
    const char *text = json_string_value(sub);

    *reason = "token-claims";
    if (len == 0 || len > PROVIDER_SUBJECT_MAX)
        return mauth_fail(err, MAUTH_MALFORMED, "claims: \"sub\" of %zu bytes", len);
    for (size_t i = 0; i < len; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            return mauth_fail(
                err, MAUTH_MALFORMED, "claims: \"sub\" is not printable ASCII");
    memcpy(out, text, len + 1);
    *reason = NULL;
    return MAUTH_OK;
}

/*
 * "aud", one name or several: ours must be among them. What else is there we do
 * not know; Core 3.1.3.7 lets us trust that only where azp says who asked.
 */
static enum mauth_rc
check_audience(const json_t *claims, const struct config_provider *p,
    const char **reason, struct mauth_err *err)
{
    const json_t *aud = json_object_get(claims, "aud");
    bool several = json_is_array(aud);
    size_t count = several ? json_array_size(aud) : 1, ours = 0;

    *reason = "token-claims";
    for (size_t i = 0; i < count; i++) {
        const char *id = json_string_value(several ? json_array_get(aud, i) : aud);

        if (!id)
            return mauth_fail(
                err, MAUTH_MALFORMED, "claims: \"aud\" is missing or not text");
        ours += is_accepted(p, id);
    }
    *reason = "token-audience";
    if (ours == 0)
        return mauth_fail(err, MAUTH_DENIED, "claims: for another audience");
    if (ours < count && !json_object_get(claims, "azp"))
        return mauth_fail(err, MAUTH_DENIED,
            "claims: for others as well, without \"azp\" to say who asked");
    *reason = NULL;
    return MAUTH_OK;
}

/* "azp": to whom the token was given; when it is there, it must be ours. */
static enum mauth_rc
check_party(const json_t *claims, const struct config_provider *p, const char **reason,
    struct mauth_err *err)
{
    const json_t *azp = json_object_get(claims, "azp");

    *reason = "token-claims";
    if (azp && !json_is_string(azp))
        return mauth_fail(err, MAUTH_MALFORMED, "claims: \"azp\" is not text");
    *reason = "token-party";
    if (azp && !is_accepted(p, json_string_value(azp)))
        return mauth_fail(err, MAUTH_DENIED, "claims: \"azp\" is another client");
    *reason = NULL;
    return MAUTH_OK;
}

/*
 * "email", when the provider calls it verified (OpenID Connect Core 5.1). Any other is
 * none at all.
 */
static void
take_email(const json_t *claims, const struct config_provider *p, char *out)
{
    const char *email = json_string_value(json_object_get(claims, "email"));
    bool verified = json_is_true(json_object_get(claims, "email_verified"));

    providers_take_email(p, verified ? email : NULL, out);
}

/* Whose it is, and whether one is needed, is for whoever knows the key. */
static void
take_nonce(const json_t *claims, char out[PROVIDER_NONCE_MAX + 1])
{
    const json_t *nonce = json_object_get(claims, "nonce");
    size_t len = json_string_length(nonce);

    out[0] = '\0';
    if (len <= PROVIDER_NONCE_MAX && json_is_string(nonce))
        memcpy(out, json_string_value(nonce), len + 1);
}

bool
claims_time(const json_t *value, int64_t *out_s)
{
    double t = json_number_value(value);

    if (!json_is_number(value) || t < 0 || t > (double)TIME_MAX_S)
        return false;
    *out_s = json_is_integer(value) ? json_integer_value(value) : (int64_t)t;
    return true;
}

struct times {
    int64_t issued_s, not_before_s, ends_s;
};

static enum mauth_rc
take_times(
    const json_t *claims, struct times *out, const char **reason, struct mauth_err *err)
{
    const json_t *nbf = json_object_get(claims, "nbf");

    *reason = "token-claims";
    out->not_before_s = 0;
    if (!claims_time(json_object_get(claims, "exp"), &out->ends_s))
        return mauth_fail(err, MAUTH_MALFORMED, "claims: \"exp\" is not a time");
    if (!claims_time(json_object_get(claims, "iat"), &out->issued_s))
        return mauth_fail(err, MAUTH_MALFORMED, "claims: \"iat\" is not a time");
    if (nbf && !claims_time(nbf, &out->not_before_s))
        return mauth_fail(err, MAUTH_MALFORMED, "claims: \"nbf\" is not a time");
    *reason = NULL;
    return MAUTH_OK;
}

static enum mauth_rc
check_times(const struct times *t, int64_t now_s, int64_t max_age_s,
    const char **reason, struct mauth_err *err)
{
    *reason = "token-expired";
    if (now_s >= t->ends_s + CLAIMS_SKEW_S)
        return mauth_fail(err, MAUTH_EXPIRED,
            "claims: expired at %" PRId64 ", now %" PRId64, t->ends_s, now_s);
    *reason = "token-not-yet";
    if (now_s + CLAIMS_SKEW_S < t->not_before_s || now_s + CLAIMS_SKEW_S < t->issued_s)
        return mauth_fail(err, MAUTH_EXPIRED,
            "claims: issued at %" PRId64 ", not before %" PRId64 ", now %" PRId64,
            t->issued_s, t->not_before_s, now_s);
    *reason = "token-age";
    if (now_s >= t->issued_s + max_age_s + CLAIMS_SKEW_S)
        return mauth_fail(err, MAUTH_EXPIRED,
            "claims: issued at %" PRId64 ", now %" PRId64 ", may be %" PRId64 " s old",
            t->issued_s, now_s, max_age_s);
    *reason = NULL;
    return MAUTH_OK;
}

enum mauth_rc
claims_check(const json_t *claims, const struct config_provider *provider,
    int64_t now_s, struct provider_identity *out, const char **reason,
    struct mauth_err *err)
{
    struct times t;
    enum mauth_rc rc;

    rc = check_kind(claims, reason, err);
    if (rc == MAUTH_OK)
        rc = take_subject(claims, out->subject, reason, err);
    if (rc == MAUTH_OK)
        rc = check_audience(claims, provider, reason, err);
    if (rc == MAUTH_OK)
        rc = check_party(claims, provider, reason, err);
    if (rc == MAUTH_OK)
        rc = take_times(claims, &t, reason, err);
    if (rc == MAUTH_OK)
        rc = check_times(&t, now_s, provider->max_age_s, reason, err);
    if (rc)
        return rc;
    take_email(claims, provider, out->email);
    take_nonce(claims, out->nonce);
    out->issued_s = t.issued_s;
    out->session_ends_s = INT64_MAX;
    out->too_old_s = t.issued_s + provider->max_age_s;
    if (out->too_old_s > t.ends_s)
        out->too_old_s = t.ends_s;
    out->too_old_s += CLAIMS_SKEW_S;
    return MAUTH_OK;
}
